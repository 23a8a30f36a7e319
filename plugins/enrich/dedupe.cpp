#include "dedupe.h"

#include <charconv>

#include "config_values.h"
#include "event_time.h"
#include "fingerprint.h"

namespace weir::enrich {

const char Dedupe::kSchema[] = R"({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "by": {
      "enum": ["content", "id"], "default": "content",
      "description": "What makes two events the same. content: device_id, sensor_type, timestamp and value. id: the message's own id (Idempotency-Key, CoAP message id ...) with device_id, sensor_type and timestamp; an event that came without one counts by its id in Weir, which is its own."
    },
    "window": {
      "type": "string", "default": "10m",
      "description": "How long an event is remembered, counted from its own timestamp: \"10m\"."
    },
    "lateness": {
      "type": "string", "default": "10s",
      "description": "How much later than its timestamp an event may be received and still be told from a repetition when the window ends."
    },
    "on_late": {
      "enum": ["keep", "drop"], "default": "keep",
      "description": "An event older than window and lateness together: nobody remembers whether it was there before. keep: it goes on. drop: it is counted as \"late\"."
    },
    "max_keys": {
      "type": "integer", "minimum": 1, "maximum": 200000, "default": 100000,
      "description": "How many events are remembered at most; about 100 bytes of memory each."
    }
  }
})";

Dedupe::Dedupe(sdk::Host, std::string_view config) {
  const Json tree = Json::parse(config, nullptr, /*allow_exceptions=*/false);
  if (!tree.is_object()) wrong("", "the configuration must be a JSON object");
  window_ns_ = duration_at(tree.value("window", Json("10m")), "/window");
  lateness_ns_ = duration_at(tree.value("lateness", Json("10s")), "/lateness");
  max_keys_ = count_at(tree.value("max_keys", Json(100000)), "/max_keys", 200000);
  const Json by = tree.value("by", Json("content")), on_late = tree.value("on_late", Json("keep"));
  if (by != "content" && by != "id") wrong("/by", "must be \"content\" or \"id\"");
  if (on_late != "keep" && on_late != "drop") wrong("/on_late", "must be \"keep\" or \"drop\"");
  by_id_ = by == "id";
  drop_late_ = on_late == "drop";
}

void Dedupe::process(const weir_transform_context& context, const weir_batch* batch, sdk::Output& output) {
  const int64_t watermark = minus(context.now_ns, lateness_ns_);
  forget_until(watermark, output);
  for (uint32_t i = 0; i < batch->count; ++i) {
    const sdk::EventView event(batch, i);
    const int64_t until = plus(event.record().timestamp_ns, window_ns_);
    if (until <= watermark) {
      drop_late_ ? output.drop(i, "late") : output.keep(i);
      continue;
    }
    std::string key = identity(event);
    if (seen_.contains(key)) {
      output.drop(i, "duplicate");
      continue;
    }
    while (seen_.size() >= max_keys_) forget_first(output);
    output.put(key, std::to_string(until));
    order_.emplace(until, key);
    seen_.emplace(std::move(key), until);
    output.keep(i);
  }
}

std::string Dedupe::identity(const sdk::EventView& event) const {
  const weir_event_v1& record = event.record();
  Fingerprint print;
  print.add(event.device_id()).add(event.sensor_type()).add(static_cast<uint64_t>(record.timestamp_ns));
  if (!by_id_) {
    print.add(uint64_t{record.value_type});
    if ((record.value_type & WEIR_VALUE_REF) != 0) {
      print.add(event.text(record.value.ref));
    } else {
      print.add(record.value.boolean);  // all of its 8 bytes
    }
  } else if (record.dedupe_key.size != 0) {
    print.add(event.dedupe_key());
  } else {
    print.add(std::string_view(reinterpret_cast<const char*>(record.id), sizeof record.id));
  }
  return print.hex();
}

void Dedupe::forget_until(int64_t watermark, sdk::Output& output) {
  while (!order_.empty() && order_.begin()->first <= watermark) forget_first(output);
}

void Dedupe::forget_first(sdk::Output& output) {
  output.put(order_.begin()->second, "");
  seen_.erase(order_.begin()->second);
  order_.erase(order_.begin());
}

void Dedupe::restore(uint32_t format_version, std::string_view key, std::string_view value) {
  int64_t until = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), until);
  if (format_version != kStateFormat || error != std::errc() || end != value.data() + value.size()) {
    throw sdk::Failure(WEIR_E_UNSUPPORTED, "enrich.dedupe reads its state in format 1 only");
  }
  order_.emplace(until, key);
  seen_.emplace(key, until);
}

}  // namespace weir::enrich
