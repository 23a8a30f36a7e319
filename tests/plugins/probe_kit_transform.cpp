#include "probe_kit_transform.h"

namespace weir::probe_kit {

TestTransform::TestTransform(sdk::Host, std::string_view config)
    : TestTransform(nlohmann::json::parse(config)) {}

TestTransform::TestTransform(const nlohmann::json& config)
    : Misbehaving(config),
      undecided_(config, "undecided_devices"),
      drop_(config, "drop_devices"),
      reject_(config, "reject_devices"),
      status_(config, "status_devices"),
      drop_every_(config.value("drop_every", uint64_t{0})),
      copies_(config.value("copies", uint32_t{0})),
      add_(config.contains("add") ? std::optional(config["add"].get<double>()) : std::nullopt),
      unit_(config.value("unit", "")),
      metadata_(config.value("metadata", std::map<std::string, std::string>{})) {}

void TestTransform::process(const weir_transform_context&, const weir_batch* batch, sdk::Output& output) {
  misbehaviour_.at("process");
  for (uint32_t i = 0; i < batch->count; ++i) {
    sdk::EventView event(batch, i);
    if (status_.contain(event.device_id()))
      throw sdk::Failure(WEIR_E_INTERNAL, "told to fail by this device");
    decide(event, i, output);
  }
}

void TestTransform::decide(const sdk::EventView& event, uint32_t i, sdk::Output& output) const {
  const std::string_view device = event.device_id();
  if (undecided_.contain(device)) return;
  if (drop_.contain(device)) return output.drop(i, "unwanted");
  if (reject_.contain(device)) return output.reject(i, 42, "not allowed");
  if (drop_every_ != 0 && event.record().sequence % drop_every_ == 0) return output.drop(i, "every nth");
  if (copies_ != 0) return emit_copies(event, i, output);
  change(event, i, output);
}

void TestTransform::emit_copies(const sdk::EventView& event, uint32_t i, sdk::Output& output) const {
  double value = 0;
  event.number(&value);
  for (uint32_t copy = 0; copy < copies_; ++copy) {
    weir_new_event derived{};
    derived.value_type = WEIR_F64;
    derived.value.f64 = value + copy;
    output.emit(i, derived);
  }
}

void TestTransform::change(const sdk::EventView& event, uint32_t i, sdk::Output& output) const {
  output.keep(i);
  double value = 0;
  if (add_ && event.number(&value)) output.amend_number(i, value + *add_);
  if (!unit_.empty()) output.amend_text(i, WEIR_FIELD_UNIT, unit_);
  for (const auto& [key, text] : metadata_) output.amend_metadata(i, key, text);
}

}  // namespace weir::probe_kit
