// mean.window: one event with the mean of a minute in the place of a minute's readings, of each device, sensor and unit.
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "weir/plugin.hpp"
#include "window_state.h"

namespace mean_window {
namespace {

namespace sdk = weir::sdk;

constexpr int64_t kSecond = 1'000'000'000;
constexpr char kSchema[] = R"json({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "type": "object", "additionalProperties": false,
  "properties": {
    "window_s": { "type": "integer", "minimum": 1, "maximum": 86400, "default": 60,
                  "description": "Windows begin at whole multiples of it since 1970" },
    "lateness_s": { "type": "integer", "minimum": 0, "maximum": 86400, "default": 5,
                    "description": "How long after its end a window waits for readings; later ones are dropped" }
  }
})json";

// Why a reading is rejected.
constexpr uint32_t kTooLarge = 1, kTooLong = 2, kNoRoom = 3;

class MeanWindow final : public sdk::StatefulTransform {
 public:
  static constexpr uint32_t kStateFormat = mean_window::kStateFormat;

  MeanWindow(sdk::Host, std::string_view config) {
    const auto tree = nlohmann::json::parse(config);  // the host has checked it against the schema
    window_ns_ = tree.value("window_s", int64_t{60}) * kSecond;
    lateness_ns_ = tree.value("lateness_s", int64_t{5}) * kSecond;
  }

  // The window's end is judged by now_ns, which is the same again when these events are worked again. A clock is not.
  void process(const weir_transform_context& context, const weir_batch* batch, sdk::Output& output) override {
    close_windows(context.now_ns, output);
    for (uint32_t i = 0; i < batch->count; ++i) take(i, sdk::EventView(batch, i), context.now_ns, output);
  }

  // Without this a device that falls silent would keep its last window open.
  void tick(const weir_transform_context& context, sdk::Output& output) override {
    close_windows(context.now_ns, output);
  }

  void restore(uint32_t format_version, std::string_view, std::string_view value) override {
    Window window;
    Sum sum;
    if (format_version != kStateFormat || !read_state(value, &window, &sum)) {
      throw sdk::Failure(WEIR_E_UNSUPPORTED, "this is not a state of mean.window in format 1");
    }
    open_.insert_or_assign(std::move(window), sum);
  }

 private:
  // A device may claim any time: what lies so far off that it cannot be counted with is in no window.
  static bool countable(int64_t time_ns) { return time_ns > INT64_MIN / 2 && time_ns < INT64_MAX / 2; }
  int64_t start_of(int64_t time_ns) const {
    const int64_t into = time_ns % window_ns_;
    return time_ns - (into < 0 ? into + window_ns_ : into);
  }
  bool over(int64_t start_ns, int64_t now_ns) const { return start_ns + window_ns_ + lateness_ns_ <= now_ns; }

  // A reading is absorbed: it gets no decision, and what it adds is in the state.
  void take(uint32_t i, const sdk::EventView& event, int64_t now_ns, sdk::Output& output) {
    double value = 0;
    if (!event.number(&value)) return output.drop(i, "not a number");
    if (!countable(event.record().timestamp_ns)) return output.drop(i, "no such time");
    Window window{start_of(event.record().timestamp_ns), std::string(event.device_id()),
                  std::string(event.sensor_type()), std::string(event.unit())};
    if (over(window.start_ns, now_ns)) return output.drop(i, "late");
    const auto known = open_.find(window);
    Sum sum = known != open_.end() ? known->second : Sum();
    ++sum.count;
    sum.total += value;
    if (!std::isfinite(sum.total)) return output.reject(i, kTooLarge, "the sum is too large");
    const std::string key = key_of(window);
    if (key.empty()) return output.reject(i, kTooLong, "device_id, sensor_type and unit are too long together");
    // Whatever is remembered must be put down first: what is not there would be forgotten by a restart.
    if (output.put(key, state_of(window, sum)) != WEIR_OK) {
      return output.reject(i, kNoRoom, "there is no room for one more window");
    }
    open_.insert_or_assign(std::move(window), sum);
  }

  void close_windows(int64_t now_ns, sdk::Output& output) {
    while (!open_.empty() && over(open_.begin()->first.start_ns, now_ns)) {
      const auto& [window, sum] = *open_.begin();
      const std::string count = std::to_string(sum.count);
      const weir_text metadata[] = {sdk::text("count"), sdk::text(count)};
      weir_new_event mean{};
      mean.timestamp_ns = window.start_ns != 0 ? window.start_ns : 1;  // 0 would mean: now
      mean.device_id = sdk::text(window.device_id);
      mean.sensor_type = sdk::text(window.sensor_type);
      mean.unit = sdk::text(window.unit);
      mean.value_type = WEIR_F64;
      mean.value.f64 = sum.total / static_cast<double>(sum.count);
      mean.metadata = metadata;
      mean.metadata_count = 1;
      output.emit(0, mean);
      output.put(key_of(window), "");
      open_.erase(open_.begin());
    }
  }

  int64_t window_ns_ = 0, lateness_ns_ = 0;
  std::map<Window, Sum> open_;
};

constexpr sdk::Registration kComponents[] = {
    sdk::stateful_transform<MeanWindow>("mean.window", "The mean of each device's readings over windows of time", kSchema),
};

}  // namespace
}  // namespace mean_window

WEIR_PLUGIN(mean_window::kComponents)
WEIR_PLUGIN_NOTE("mean", "1.0.0", "\"mean.window\":\"transform\"")
