// enrich.mean: the mean of each device's readings over windows of event time.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "weir/plugin.hpp"

namespace weir::enrich {

// A window is given out once, when the time (the largest receipt or tick so far, less `lateness`) has passed its end: as
// an event of its device at the window's start. What comes for it later is dropped as "late". The readings themselves are
// absorbed.
class Mean final : public sdk::StatefulTransform {
 public:
  static constexpr uint32_t kStateFormat = 1;
  static const char kSchema[];

  Mean(sdk::Host host, std::string_view config);

  void process(const weir_transform_context& context, const weir_batch* batch, sdk::Output& output) override;
  void tick(const weir_transform_context& context, sdk::Output& output) override;
  void restore(uint32_t format_version, std::string_view key, std::string_view value) override;

 private:
  // In the order in which windows are given out, whatever order their readings came in.
  struct Window {
    int64_t start = 0;
    std::string device_id, sensor_type, unit;
    auto operator<=>(const Window&) const = default;
  };
  struct Sum {
    uint64_t count = 0;
    double mean = 0;
  };

  void take(const sdk::EventView& event, uint32_t i, int64_t watermark, sdk::Output& output);
  void close_until(int64_t watermark, uint32_t cause, sdk::Output& output);
  void emit(const Window& window, const Sum& sum, uint32_t cause, sdk::Output& output) const;
  static std::string key_of(const Window& window);
  static std::string value_of(const Window& window, const Sum& sum);

  int64_t window_ns_ = 0, lateness_ns_ = 0;
  size_t max_windows_ = 0;
  std::string suffix_, window_text_;
  std::map<Window, Sum> open_;
};

}  // namespace weir::enrich
