// enrich.units: brings each number to one unit of its quantity, and each unit to its UCUM code.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "conversion.h"
#include "weir/plugin.hpp"

namespace weir::enrich {

// Pure. Leaves alone what has no unit, what is no number, and what is right already: a batch without a change
// goes on without a copy.
class Units final : public sdk::Transform {
 public:
  static const char kSchema[];

  Units(sdk::Host host, std::string_view config);

  void process(const weir_transform_context& context, const weir_batch* batch, sdk::Output& output) override;

 private:
  enum class Unknown { kKeep, kDrop, kReject };
  // What happens to a number in one unit of kUnits.
  struct Step {
    const Unit* to = nullptr;
    Conversion conversion;
  };

  void configure(std::string_view config);
  void set_target(std::string_view quantity, std::string_view unit);
  void treat_unknown(const sdk::EventView& event, uint32_t i, sdk::Output& output) const;
  static void convert_event(const sdk::EventView& event, uint32_t i, const Step& step, sdk::Output& output);

  std::array<Step, kUnitCount> steps_;  // by the place in kUnits
  Unknown unknown_ = Unknown::kKeep;
};

}  // namespace weir::enrich
