// enrich.validate: lets the events through that are as they should be.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "validate_config.h"
#include "weir/plugin.hpp"

namespace weir::enrich {

// Why an event is refused: the code of the rejection, and the reason that a drop is counted under.
enum class Violation : uint32_t {
  kNone = 0,
  kMissingField = 1,
  kWrongType = 2,
  kOutOfRange = 3,
  kWrongUnit = 4,
  kTooOld = 5,
  kTooFarAhead = 6
};

// Pure: a timestamp is compared with the time at which the gateway received the event, never with a clock.
// Where that time is in doubt (WEIR_CLOCK_SUSPECT) or the device sent none, timestamps are not judged.
// Changes nothing.
class Validate final : public sdk::Transform {
 public:
  Validate(sdk::Host host, std::string_view config);

  void process(const weir_transform_context& context, const weir_batch* batch, sdk::Output& output) override;

 private:
  Violation check(const sdk::EventView& event, const SensorRule* rule) const;
  Violation check_fields(const sdk::EventView& event) const;
  Violation check_time(const weir_event_v1& record) const;
  void refuse(const sdk::EventView& event, uint32_t i, Violation violation, const SensorRule* rule,
              sdk::Output& output) const;
  std::string explain(const sdk::EventView& event, Violation violation, const SensorRule* rule) const;

  const ValidateConfig config_;
};

}  // namespace weir::enrich
