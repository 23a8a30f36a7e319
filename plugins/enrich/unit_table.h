// The units that enrich knows: their UCUM codes, how people spell them, and what they are in one unit a
// quantity.
//
// The canonical unit is the first of its quantity. The rule: the unit that SenML's registry lists for the
// quantity (RFC 8428, section 12.1), which is SI's without a prefix, written as its UCUM code. So the common
// larger units (kPa, bar, kW.h, km) are whole multiples of it, and whole numbers stay whole. Exceptions,
// where nobody reads the SI unit: % for a fraction and for humidity, [ppm], ug/m3 for dust, deg; and dBm, for
// which UCUM has no code of its own (its dB[W] is 30 less): RFC 8798 registers it, and it is what every radio
// reports.
//
// Sources: UCUM 2.1 (ucum.org), its tables of units and prefixes; NIST SP 811, appendix B, for the exact
// factors.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::enrich {

// canonical = (value + shift) * numerator / denominator
struct Unit {
  std::string_view quantity;
  std::string_view code;       // UCUM, case sensitive
  std::string_view spellings;  // other ways to write it, separated by '|'
  int64_t numerator = 1;
  int64_t denominator = 1;
  double shift = 0;
};

// clang-format off
inline constexpr Unit kUnits[] = {
    // The plain letters C and F are UCUM's coulomb and farad; from a sensor they are degrees.
    {"temperature", "Cel", "°C|ºC|℃|C|degC|deg C|celsius|Celsius"},
    {"temperature", "K", "kelvin|Kelvin|°K|degK", 1, 1, -273.15},
    {"temperature", "[degF]", "°F|ºF|℉|F|degF|deg F|fahrenheit|Fahrenheit", 5, 9, -32},
    {"temperature", "[degR]", "°R|degR|rankine", 5, 9, -491.67},

    {"pressure", "Pa", "pascal|pa"},
    {"pressure", "hPa", "hpa|hectopascal", 100},
    {"pressure", "kPa", "kpa|KPa|kilopascal", 1'000},
    {"pressure", "MPa", "megapascal", 1'000'000},
    {"pressure", "bar", "Bar|bars", 100'000},
    {"pressure", "mbar", "mb|mBar|millibar", 100},
    {"pressure", "atm", "atmosphere", 101'325},
    // 1 lbf/in2 = 4.4482216152605 N / 0.00064516 m2
    {"pressure", "[psi]", "psi|PSI|lbf/in2|lbf/in²", 44'482'216'152'605, 6'451'600'000},
    {"pressure", "mm[Hg]", "mmHg|mm Hg", 133'322, 1'000},                  // UCUM: m[Hg] = 133.322 kPa
    {"pressure", "[in_i'Hg]", "inHg|in Hg|\"Hg", 33'863'788, 10'000},      // 25.4 mm[Hg]

    {"speed", "m/s", "mps|m s-1|m.s-1|meter/second"},
    {"speed", "km/h", "kph|kmh|kmph|km/hr", 5, 18},
    {"speed", "[mi_i]/h", "mph|MPH|mi/h", 1'397, 3'125},  // 0.44704
    {"speed", "[kn_i]", "kn|kt|kts|knot|knots", 463, 900},  // 1852 m/h
    {"speed", "[ft_i]/s", "ft/s|fps", 381, 1'250},
    {"speed", "cm/s", "", 1, 100},
    {"speed", "mm/s", "", 1, 1'000},

    {"length", "m", "meter|metre|meters|metres"},
    {"length", "km", "kilometer|kilometre", 1'000},
    {"length", "cm", "centimeter|centimetre", 1, 100},
    {"length", "mm", "millimeter|millimetre", 1, 1'000},
    {"length", "um", "µm|μm|micron", 1, 1'000'000},
    {"length", "[in_i]", "in|inch|inches", 127, 5'000},
    {"length", "[ft_i]", "ft|foot|feet", 381, 1'250},
    {"length", "[yd_i]", "yd|yard|yards", 1'143, 1'250},
    {"length", "[mi_i]", "mi|mile|miles", 201'168, 125},
    {"length", "[nmi_i]", "nmi|nautical mile", 1'852},

    {"energy", "J", "joule|joules"},
    {"energy", "kJ", "", 1'000},
    {"energy", "MJ", "", 1'000'000},
    {"energy", "GJ", "", 1'000'000'000},
    {"energy", "W.h", "Wh|W·h|W*h|wh", 3'600},
    {"energy", "kW.h", "kWh|kW·h|kW*h|KWh|kwh", 3'600'000},
    {"energy", "MW.h", "MWh|MW·h|MW*h", 3'600'000'000},
    {"energy", "cal_th", "cal", 523, 125},

    {"power", "W", "watt|watts"},
    {"power", "mW", "", 1, 1'000},
    {"power", "kW", "KW", 1'000},
    {"power", "MW", "", 1'000'000},

    {"voltage", "V", "volt|volts"},
    {"voltage", "uV", "µV|μV", 1, 1'000'000},
    {"voltage", "mV", "", 1, 1'000},
    {"voltage", "kV", "", 1'000},

    {"current", "A", "amp|amps|ampere"},
    {"current", "uA", "µA|μA", 1, 1'000'000},
    {"current", "mA", "", 1, 1'000},
    {"current", "kA", "", 1'000},

    // Greek omega and the ohm sign look alike; so do the two letters for micro elsewhere in this table.
    {"resistance", "Ohm", "ohm|ohms|\u03a9|\u2126"},
    {"resistance", "kOhm", "kohm|k\u03a9|k\u2126", 1'000},
    {"resistance", "MOhm", "Mohm|M\u03a9|M\u2126", 1'000'000},

    {"frequency", "Hz", "hz|hertz"},
    {"frequency", "kHz", "khz", 1'000},
    {"frequency", "MHz", "", 1'000'000},
    {"frequency", "GHz", "", 1'000'000'000},

    {"mass", "kg", "kilogram|kilograms"},
    {"mass", "g", "gram|grams", 1, 1'000},
    {"mass", "mg", "", 1, 1'000'000},
    {"mass", "ug", "µg|μg", 1, 1'000'000'000},
    {"mass", "t", "tonne|tonnes", 1'000},
    {"mass", "[lb_av]", "lb|lbs|pound|pounds", 45'359'237, 100'000'000},
    {"mass", "[oz_av]", "oz|ounce|ounces", 45'359'237, 1'600'000'000},

    {"volume", "m3", "m³|m^3"},
    {"volume", "L", "l|liter|litre|liters|litres", 1, 1'000},
    {"volume", "mL", "ml", 1, 1'000'000},
    {"volume", "[gal_us]", "gal|gallon|gallons", 473'176'473, 125'000'000'000},  // 231 in3

    {"flow", "m3/s", "m³/s"},
    {"flow", "m3/h", "m³/h", 1, 3'600},
    {"flow", "L/s", "l/s", 1, 1'000},
    {"flow", "L/min", "l/min|lpm|LPM", 1, 60'000},
    {"flow", "L/h", "l/h", 1, 3'600'000},
    {"flow", "[gal_us]/min", "gpm|GPM|gal/min", 157'725'491, 2'500'000'000'000},

    {"time", "s", "sec|second|seconds"},
    {"time", "us", "µs|μs", 1, 1'000'000},
    {"time", "ms", "msec", 1, 1'000},
    {"time", "min", "minute|minutes", 60},
    {"time", "h", "hr|hour|hours", 3'600},
    {"time", "d", "day|days", 86'400},

    {"acceleration", "m/s2", "m/s²|m/s^2"},
    {"acceleration", "[g]", "gn|g0|g-force", 196'133, 20'000},  // 9.80665

    {"illuminance", "lx", "lux|Lux"},
    {"illuminance", "klx", "klux", 1'000},

    {"irradiance", "W/m2", "W/m²|W/m^2"},
    {"irradiance", "kW/m2", "kW/m²|kW/m^2", 1'000},

    {"fraction", "%", "percent|pct|%RH|%rh|% RH|RH%|%r.h."},

    {"concentration", "[ppm]", "ppm|PPM"},
    {"concentration", "[ppb]", "ppb|PPB", 1, 1'000},
    {"concentration", "[ppth]", "‰|ppth|permille", 1'000},

    {"dust", "ug/m3", "µg/m³|μg/m³|µg/m3|μg/m3|ug/m³"},
    {"dust", "mg/m3", "mg/m³", 1'000},

    {"conductivity", "S/m", ""},
    {"conductivity", "mS/cm", "", 1, 10},
    {"conductivity", "uS/cm", "µS/cm|μS/cm", 1, 10'000},

    {"magnetic_flux", "T", "tesla"},
    {"magnetic_flux", "mT", "", 1, 1'000},
    {"magnetic_flux", "uT", "µT|μT", 1, 1'000'000},
    {"magnetic_flux", "G", "gauss", 1, 10'000},

    {"level", "dBm", "dbm|DBM|dBmW|dB[mW]"},
    {"level", "dB[W]", "dBW", 1, 1, 30},

    {"sound", "dB[SPL]", "dBSPL|dB SPL|dB(SPL)"},
    {"angle", "deg", "°|degree|degrees"},
    {"acidity", "[pH]", "pH|ph|PH"},
};
// clang-format on

inline constexpr size_t kUnitCount = std::size(kUnits);

// Calls `call(name)` for the code and each spelling of a unit.
template <class Call>
constexpr void for_each_name(const Unit& unit, Call&& call) {
  call(unit.code);
  std::string_view rest = unit.spellings;
  while (!rest.empty()) {
    const size_t end = rest.find('|') == std::string_view::npos ? rest.size() : rest.find('|');
    call(rest.substr(0, end));
    rest.remove_prefix(end == rest.size() ? end : end + 1);
  }
}

// Every name, found by its hash; built by the compiler. Open addressing, at most half full.
class UnitIndex {
 public:
  static constexpr uint16_t kNone = 0xffff;

  constexpr UnitIndex() {
    slots_.fill(kNone);
    for (uint16_t unit = 0; unit < kUnitCount; ++unit) {
      for_each_name(kUnits[unit], [&](std::string_view name) {
        if (name.size() > longest_) longest_ = name.size();
        size_t slot = hash(name) % kSlots;
        while (slots_[slot] != kNone) {
          if (names_[slot] == name) unambiguous_ = false;
          slot = (slot + 1) % kSlots;
        }
        slots_[slot] = unit;
        names_[slot] = name;
      });
    }
  }

  // The place in kUnits of the unit of that code or spelling, kNone when it is not known.
  constexpr uint16_t find(std::string_view name) const {
    if (name.empty() || name.size() > longest_) return kNone;
    for (size_t slot = hash(name) % kSlots; slots_[slot] != kNone; slot = (slot + 1) % kSlots) {
      if (names_[slot] == name) return slots_[slot];
    }
    return kNone;
  }

  constexpr bool unambiguous() const { return unambiguous_; }

 private:
  static constexpr size_t kSlots = 1024;

  static constexpr uint32_t hash(std::string_view name) {  // FNV-1a
    uint32_t value = 2166136261u;
    for (char c : name) value = (value ^ static_cast<uint8_t>(c)) * 16777619u;
    return value ^ (value >> 15);
  }

  std::array<uint16_t, kSlots> slots_{};
  std::array<std::string_view, kSlots> names_{};
  size_t longest_ = 0;
  bool unambiguous_ = true;
};

inline constexpr UnitIndex kUnitIndex;
static_assert(kUnitIndex.unambiguous(), "two units share a name");

}  // namespace weir::enrich
