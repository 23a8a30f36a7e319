// test.transform; see probe_kit.cpp.
#pragma once

#include <map>
#include <optional>

#include "probe_kit.h"

namespace weir::probe_kit {

class TestTransform final : public Misbehaving<sdk::Transform> {
 public:
  TestTransform(sdk::Host host, std::string_view config);
  void process(const weir_transform_context& context, const weir_batch* batch, sdk::Output& output) override;

 private:
  explicit TestTransform(const nlohmann::json& config);
  void decide(const sdk::EventView& event, uint32_t i, sdk::Output& output) const;
  void emit_copies(const sdk::EventView& event, uint32_t i, sdk::Output& output) const;
  void change(const sdk::EventView& event, uint32_t i, sdk::Output& output) const;

  const Devices undecided_, drop_, reject_, status_;
  const uint64_t drop_every_;
  const uint32_t copies_;
  const std::optional<double> add_;
  const std::string unit_;
  const std::map<std::string, std::string> metadata_;
};

}  // namespace weir::probe_kit
