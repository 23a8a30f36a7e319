// Each unit of the table against points from elsewhere: the SI brochure, NIST SP 811, definitions.
#include "../../plugins/enrich/unit_table.h"

#include <cmath>
#include <set>

#include "enrich_fixture.h"

namespace weir::test {
namespace {

using enrich::kUnits;
using enrich::Unit;

class UnitTable : public EnrichTest {
 protected:
  TestEvent convert(const std::string& config, double value, std::string_view unit) {
    const Block batch = make_batch({{.value = value, .unit = std::string(unit)}});
    return run("enrich.units", config, batch).events.at(0);
  }
};

struct Point {
  double value;
  const char* unit;
  double canonical;
  const char* canonical_unit;
};

// At least one for each unit but [psi], whose factor is not finite in decimals.
// clang-format off
constexpr Point kExact[] = {
    {-40, "Cel", -40, "Cel"}, {273.15, "K", 0, "Cel"}, {212, "[degF]", 100, "Cel"}, {-40, "[degF]", -40, "Cel"},
    {491.67, "[degR]", 0, "Cel"},
    {3, "Pa", 3, "Pa"}, {1013.25, "hPa", 101325, "Pa"}, {101.325, "kPa", 101325, "Pa"}, {2, "MPa", 2e6, "Pa"},
    {1, "bar", 1e5, "Pa"}, {1013.25, "mbar", 101325, "Pa"}, {1, "atm", 101325, "Pa"},
    {1000, "mm[Hg]", 133322, "Pa"}, {10000, "[in_i'Hg]", 33863788, "Pa"},
    {5, "m/s", 5, "m/s"}, {36, "km/h", 10, "m/s"}, {100, "[mi_i]/h", 44.704, "m/s"}, {3600, "[kn_i]", 1852, "m/s"},
    {10, "[ft_i]/s", 3.048, "m/s"}, {250, "cm/s", 2.5, "m/s"}, {1500, "mm/s", 1.5, "m/s"},
    {7, "m", 7, "m"}, {42.195, "km", 42195, "m"}, {170, "cm", 1.7, "m"}, {5, "mm", 0.005, "m"}, {25, "um", 2.5e-5, "m"},
    {100, "[in_i]", 2.54, "m"}, {1000, "[ft_i]", 304.8, "m"}, {1000, "[yd_i]", 914.4, "m"},
    {1, "[mi_i]", 1609.344, "m"}, {1, "[nmi_i]", 1852, "m"},
    {9, "J", 9, "J"}, {1.5, "kJ", 1500, "J"}, {3.6, "MJ", 3.6e6, "J"}, {1, "GJ", 1e9, "J"}, {1, "W.h", 3600, "J"},
    {1, "kW.h", 3.6e6, "J"}, {1, "MW.h", 3.6e9, "J"}, {1000, "cal_th", 4184, "J"},
    {60, "W", 60, "W"}, {250, "mW", 0.25, "W"}, {2.5, "kW", 2500, "W"}, {1, "MW", 1e6, "W"},
    {230, "V", 230, "V"}, {5, "uV", 5e-6, "V"}, {3300, "mV", 3.3, "V"}, {110, "kV", 110000, "V"},
    {16, "A", 16, "A"}, {20, "uA", 2e-5, "A"}, {4, "mA", 0.004, "A"}, {1.2, "kA", 1200, "A"},
    {120, "Ohm", 120, "Ohm"}, {4.7, "kOhm", 4700, "Ohm"}, {1, "MOhm", 1e6, "Ohm"},
    {50, "Hz", 50, "Hz"}, {32.768, "kHz", 32768, "Hz"}, {868, "MHz", 868e6, "Hz"}, {2.4, "GHz", 2.4e9, "Hz"},
    {75, "kg", 75, "kg"}, {250, "g", 0.25, "kg"}, {500, "mg", 5e-4, "kg"}, {1000, "ug", 1e-6, "kg"},
    {3, "t", 3000, "kg"}, {1, "[lb_av]", 0.45359237, "kg"}, {16, "[oz_av]", 0.45359237, "kg"},
    {2, "m3", 2, "m3"}, {1000, "L", 1, "m3"}, {250, "mL", 2.5e-4, "m3"}, {1000, "[gal_us]", 3.785411784, "m3"},
    {1, "m3/s", 1, "m3/s"}, {3600, "m3/h", 1, "m3/s"}, {1000, "L/s", 1, "m3/s"}, {60000, "L/min", 1, "m3/s"},
    {3.6e6, "L/h", 1, "m3/s"}, {60000, "[gal_us]/min", 3.785411784, "m3/s"},
    {30, "s", 30, "s"}, {50, "us", 5e-5, "s"}, {1500, "ms", 1.5, "s"}, {2, "min", 120, "s"}, {24, "h", 86400, "s"},
    {7, "d", 604800, "s"},
    {9.81, "m/s2", 9.81, "m/s2"}, {1000, "[g]", 9806.65, "m/s2"},
    {300, "lx", 300, "lx"}, {32, "klx", 32000, "lx"}, {900, "W/m2", 900, "W/m2"}, {1.361, "kW/m2", 1361, "W/m2"},
    {45.5, "%", 45.5, "%"}, {415, "[ppm]", 415, "[ppm]"}, {1500, "[ppb]", 1.5, "[ppm]"}, {35, "[ppth]", 35000, "[ppm]"},
    {12, "ug/m3", 12, "ug/m3"}, {0.5, "mg/m3", 500, "ug/m3"},
    {5, "S/m", 5, "S/m"}, {50, "mS/cm", 5, "S/m"}, {500, "uS/cm", 0.05, "S/m"},
    {1, "T", 1, "T"}, {20, "mT", 0.02, "T"}, {48, "uT", 4.8e-5, "T"}, {10000, "G", 1, "T"},
    {-78, "dBm", -78, "dBm"}, {-108, "dB[W]", -78, "dBm"},
    {55, "dB[SPL]", 55, "dB[SPL]"}, {359, "deg", 359, "deg"}, {7.2, "[pH]", 7.2, "[pH]"},
};
// clang-format on

TEST_F(UnitTable, ConvertsKnownPointsExactly) {
  for (const Point& point : kExact) {
    const TestEvent event = convert("{}", point.value, point.unit);
    EXPECT_EQ(std::get<double>(event.value), point.canonical) << point.value << " " << point.unit;
    EXPECT_EQ(event.unit, point.canonical_unit);
  }
}

// NIST SP 811: 1 psi = 6.894 757 E+03 Pa; its own digits are rounded.
TEST_F(UnitTable, ConvertsPsiAsNistDoes) {
  const TestEvent event = convert("{}", 14.5, "[psi]");
  EXPECT_NEAR(std::get<double>(event.value), 14.5 * 6894.757293168361, 1e-9);
  EXPECT_EQ(event.unit, "Pa");
}

TEST_F(UnitTable, HasAKnownPointForEachUnit) {
  std::set<std::string_view> tested = {"[psi]"};
  for (const Point& point : kExact) tested.insert(point.unit);
  for (const Unit& unit : kUnits) EXPECT_TRUE(tested.contains(unit.code)) << unit.code;
}

TEST_F(UnitTable, LeadsEachUnitToTheCanonicalOneAndBack) {
  std::map<std::string_view, std::string_view> canonical;
  for (const Unit& unit : kUnits) canonical.try_emplace(unit.quantity, unit.code);
  for (const Unit& unit : kUnits) {
    const std::string back =
        R"({"targets": {")" + std::string(unit.quantity) + "\": \"" + std::string(unit.code) + "\"}}";
    for (double value : {-273.25, 0.0, 1.0, 98.6, 12345.678}) {
      const TestEvent there = convert("{}", value, unit.code);
      EXPECT_EQ(there.unit, canonical[unit.quantity]);
      const TestEvent again = convert(back, std::get<double>(there.value), there.unit);
      EXPECT_NEAR(std::get<double>(again.value), value, 1e-12 * std::max(600.0, std::abs(value)))
          << unit.code;
      EXPECT_EQ(again.unit, unit.code);
    }
  }
}

TEST_F(UnitTable, ReadsEachSpellingAsItsUnit) {
  for (const Unit& unit : kUnits) {
    const TestEvent expected = convert("{}", 20, unit.code);
    enrich::for_each_name(
        unit, [&](std::string_view name) { EXPECT_EQ(convert("{}", 20, name), expected) << name; });
  }
}

TEST_F(UnitTable, NamesItsUnitsAndSpellingsInPlainUtf8WithoutStraySpaces) {
  for (const Unit& unit : kUnits) {
    enrich::for_each_name(unit, [&](std::string_view name) {
      EXPECT_FALSE(name.empty()) << unit.code;
      EXPECT_NE(name.front(), ' ') << unit.code;
      EXPECT_NE(name.back(), ' ') << unit.code;
    });
  }
}

}  // namespace
}  // namespace weir::test
