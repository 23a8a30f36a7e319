#include "mean.h"

#include <cmath>
#include <cstring>

#include "config_values.h"
#include "event_time.h"
#include "fingerprint.h"

namespace weir::enrich {
namespace {

// Why a reading is rejected.
constexpr uint32_t kTooManyWindows = 1;
constexpr uint32_t kNoMean = 2;

void append(std::string* to, const void* from, size_t size) { to->append(static_cast<const char*>(from), size); }

void append_text(std::string* to, std::string_view text) {
  const auto size = static_cast<uint32_t>(text.size());
  append(to, &size, sizeof size);
  to->append(text);
}

bool take_bytes(std::string_view* from, void* to, size_t size) {
  if (from->size() < size) return false;
  std::memcpy(to, from->data(), size);
  from->remove_prefix(size);
  return true;
}

bool take_text(std::string_view* from, std::string* to) {
  uint32_t size = 0;
  if (!take_bytes(from, &size, sizeof size) || from->size() < size) return false;
  *to = from->substr(0, size);
  from->remove_prefix(size);
  return true;
}

}  // namespace

const char Mean::kSchema[] = R"({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "window": {
      "type": "string", "default": "1m",
      "description": "The length of a window of event time: \"1m\". Windows begin at whole multiples of it since 1970."
    },
    "lateness": {
      "type": "string", "default": "10s",
      "description": "How long after a window's end its readings are waited for. Later ones are dropped as \"late\"."
    },
    "suffix": {
      "type": "string", "default": ".mean",
      "description": "What is added to the sensor_type, so that a mean can be told from a reading."
    },
    "max_windows": {
      "type": "integer", "minimum": 1, "maximum": 100000, "default": 20000,
      "description": "How many windows may be open at once, one for each device, sensor_type and unit; readings beyond it go to the dead letters."
    }
  }
})";

Mean::Mean(sdk::Host, std::string_view config) {
  const Json tree = Json::parse(config, nullptr, /*allow_exceptions=*/false);
  if (!tree.is_object()) wrong("", "the configuration must be a JSON object");
  const Json window = tree.value("window", Json("1m"));
  window_ns_ = duration_at(window, "/window");
  if (window_ns_ == 0) wrong("/window", "must be longer than nothing");
  window_text_ = window;
  lateness_ns_ = duration_at(tree.value("lateness", Json("10s")), "/lateness");
  const Json suffix = tree.value("suffix", Json(".mean"));
  if (!suffix.is_string()) wrong("/suffix", "must be a text");
  suffix_ = suffix;
  max_windows_ = count_at(tree.value("max_windows", Json(20000)), "/max_windows", 100000);
}

void Mean::process(const weir_transform_context& context, const weir_batch* batch, sdk::Output& output) {
  // Only where the time advances is there something to close, and that is at the first event, wherever batches are cut.
  const int64_t watermark = minus(context.now_ns, lateness_ns_);
  close_until(watermark, 0, output);
  for (uint32_t i = 0; i < batch->count; ++i) take(sdk::EventView(batch, i), i, watermark, output);
}

void Mean::tick(const weir_transform_context& context, sdk::Output& output) {
  close_until(minus(context.now_ns, lateness_ns_), 0, output);
}

void Mean::take(const sdk::EventView& event, uint32_t i, int64_t watermark, sdk::Output& output) {
  double value = 0;
  if (!event.number(&value)) return output.drop(i, "not a number");
  Window window{window_of(event.record().timestamp_ns, window_ns_), std::string(event.device_id()),
                std::string(event.sensor_type()), std::string(event.unit())};
  if (plus(window.start, window_ns_) <= watermark) return output.drop(i, "late");
  const auto known = open_.find(window);
  if (known == open_.end() && open_.size() >= max_windows_) {
    return output.reject(i, kTooManyWindows, "there are max_windows open windows");
  }
  Sum sum = known != open_.end() ? known->second : Sum();
  ++sum.count;
  sum.mean += (value - sum.mean) / static_cast<double>(sum.count);
  if (!std::isfinite(sum.mean)) return output.reject(i, kNoMean, "a value is too large for a mean");
  if (output.put(key_of(window), value_of(window, sum)) != WEIR_OK) {
    return output.reject(i, kTooManyWindows, "the state of open windows is as large as it may be");
  }
  open_.insert_or_assign(std::move(window), sum);
}

void Mean::close_until(int64_t watermark, uint32_t cause, sdk::Output& output) {
  while (!open_.empty() && plus(open_.begin()->first.start, window_ns_) <= watermark) {
    const auto& [window, sum] = *open_.begin();
    emit(window, sum, cause, output);
    output.put(key_of(window), "");
    open_.erase(open_.begin());
  }
}

void Mean::emit(const Window& window, const Sum& sum, uint32_t cause, sdk::Output& output) const {
  const std::string count = std::to_string(sum.count);
  std::string sensor_type = window.sensor_type + suffix_;
  if (sensor_type.size() > WEIR_TEXT_MAX_BYTES) sensor_type = window.sensor_type;
  const weir_text metadata[] = {sdk::text("count"), sdk::text(count), sdk::text("window"), sdk::text(window_text_)};
  weir_new_event event{};
  // 0 would be taken for none.
  event.timestamp_ns = window.start != 0 ? window.start : 1;
  event.device_id = sdk::text(window.device_id);
  event.sensor_type = sdk::text(sensor_type);
  event.unit = sdk::text(window.unit);
  event.value_type = WEIR_F64;
  event.value.f64 = sum.mean;
  event.metadata = metadata;
  event.metadata_count = 2;
  output.emit(cause, event);
}

std::string Mean::key_of(const Window& window) {
  return std::to_string(window.start) + "/" +
         Fingerprint().add(window.device_id).add(window.sensor_type).add(window.unit).hex();
}

// Format 1: start, count, mean, then device_id, sensor_type and unit, each with its size.
std::string Mean::value_of(const Window& window, const Sum& sum) {
  std::string value;
  append(&value, &window.start, sizeof window.start);
  append(&value, &sum.count, sizeof sum.count);
  append(&value, &sum.mean, sizeof sum.mean);
  for (const std::string* text : {&window.device_id, &window.sensor_type, &window.unit}) append_text(&value, *text);
  return value;
}

void Mean::restore(uint32_t format_version, std::string_view, std::string_view value) {
  Window window;
  Sum sum;
  const bool read = format_version == kStateFormat && take_bytes(&value, &window.start, sizeof window.start) &&
                    take_bytes(&value, &sum.count, sizeof sum.count) &&
                    take_bytes(&value, &sum.mean, sizeof sum.mean) && take_text(&value, &window.device_id) &&
                    take_text(&value, &window.sensor_type) && take_text(&value, &window.unit);
  if (!read) throw sdk::Failure(WEIR_E_UNSUPPORTED, "enrich.mean reads its state in format 1 only");
  open_.insert_or_assign(std::move(window), sum);
}

}  // namespace weir::enrich
