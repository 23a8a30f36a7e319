// A number's way from one unit of a quantity to another.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "unit_table.h"

namespace weir::enrich {

// target = (value + before) * numerator / denominator - after. The factor is a reduced fraction and is
// applied as a multiplication and a division, so that what has an exact result gets it: 212 [degF] is 100
// Cel.
struct Conversion {
  double before = 0;
  double numerator = 1;
  double denominator = 1;
  double after = 0;
  int64_t whole_factor =
      0;  // numerator, when the conversion is nothing but a multiplication by a whole number

  bool is_identity() const { return whole_factor == 1; }
  double apply(double value) const { return (value + before) * numerator / denominator - after; }
  // The exact product, when the conversion keeps whole numbers whole and the product fits.
  std::optional<int64_t> apply_whole(int64_t value) const {
    int64_t product = 0;
    if (whole_factor == 0 || __builtin_mul_overflow(value, whole_factor, &product)) return std::nullopt;
    return product;
  }
};

// Between two units of one quantity.
Conversion convert(const Unit& from, const Unit& to);

// The first unit of the quantity: its canonical one. Null when there is no such quantity.
const Unit* canonical_unit(std::string_view quantity);

// The unit of that code or spelling, null when it is not known.
const Unit* find_unit(std::string_view name);

}  // namespace weir::enrich
