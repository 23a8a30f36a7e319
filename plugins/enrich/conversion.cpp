#include "conversion.h"

#include <numeric>

namespace weir::enrich {

Conversion convert(const Unit& from, const Unit& to) {
  if (&from == &to) return {.whole_factor = 1};
  // from -> canonical is numerator/denominator of `from`, canonical -> to the inverse of that of `to`.
  const int64_t above = std::gcd(from.numerator, to.numerator);
  const int64_t below = std::gcd(from.denominator, to.denominator);
  // The products of any two factors of the table fit a double without rounding, or come within one rounding.
  const double numerator =
      static_cast<double>(from.numerator / above) * static_cast<double>(to.denominator / below);
  const double denominator =
      static_cast<double>(from.denominator / below) * static_cast<double>(to.numerator / above);
  Conversion conversion{from.shift, numerator, denominator, to.shift, 0};
  const bool whole = denominator == 1 && from.shift == 0 && to.shift == 0 && numerator < 0x1.0p53;
  if (whole) conversion.whole_factor = static_cast<int64_t>(numerator);
  return conversion;
}

const Unit* canonical_unit(std::string_view quantity) {
  for (const Unit& unit : kUnits) {
    if (unit.quantity == quantity) return &unit;
  }
  return nullptr;
}

const Unit* find_unit(std::string_view name) {
  const uint16_t place = kUnitIndex.find(name);
  return place == UnitIndex::kNone ? nullptr : &kUnits[place];
}

}  // namespace weir::enrich
