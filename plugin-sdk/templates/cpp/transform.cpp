// @name@.transform: multiplies numbers by a factor. Put your own decision in the place of decide().
#include <cmath>
#include <nlohmann/json.hpp>

#include "weir/plugin.hpp"

namespace {

namespace sdk = weir::sdk;

// A manifest's "config" is checked against this before an instance is made.
constexpr char kSchema[] = R"json({
  "type": "object", "additionalProperties": false, "required": ["factor"],
  "properties": { "factor": { "type": "number" } }
})json";

// One instance. It is pure: the same event gives the same answer, whenever it runs and however batches are cut. So it
// remembers nothing and asks no clock.
class @class@ final : public sdk::Transform {
 public:
  @class@(sdk::Host, std::string_view config) : factor_(nlohmann::json::parse(config).at("factor").get<double>()) {}

  // Each event gets exactly one of keep, drop, reject, amend, or at least one emit.
  void process(const weir_transform_context&, const weir_batch* batch, sdk::Output& output) override {
    for (uint32_t i = 0; i < batch->count; ++i) decide(i, sdk::EventView(batch, i), output);
  }

 private:
  void decide(uint32_t i, const sdk::EventView& event, sdk::Output& output) {
    double value = 0;
    if (!event.number(&value)) {
      output.keep(i);
    } else if (!std::isfinite(value * factor_)) {
      output.reject(i, 1, "the value is too large");
    } else {
      output.amend_number(i, value * factor_);
    }
  }

  double factor_;
};

constexpr sdk::Registration kComponents[] = {
    sdk::pure_transform<@class@>("@name@.transform", "Multiplies numbers by a factor", kSchema),
};

}  // namespace

WEIR_PLUGIN(kComponents)
// Read without running any code of the library; it must say the same as kComponents: {name: kind}.
WEIR_PLUGIN_NOTE("@name@", PLUGIN_VERSION, "\"@name@.transform\":\"transform\"")
