#include "support/transform_output.h"

#include <algorithm>
#include <cmath>

namespace weir::test {
namespace {

std::string string_of(weir_text text) { return {text.data, text.data + text.size}; }

// What the value of that type is; nothing when it is no valid one.
std::optional<TestValue> make_value(uint32_t type, const weir_value& value, weir_text text) {
  switch (type) {
    case WEIR_F64:
      if (!std::isfinite(value.f64)) return std::nullopt;
      return value.f64;
    case WEIR_I64:
      return value.i64;
    case WEIR_BOOL:
      if (value.boolean > 1) return std::nullopt;
      return value.boolean == 1;
    case WEIR_STRING:
      return string_of(text);
    case WEIR_BYTES:
      return Bytes{string_of(text)};
    default:
      return UnknownValue{type, value.boolean};
  }
}

}  // namespace

TransformOutput& TransformOutput::of(weir_output* output) { return *static_cast<Shim*>(output)->owner; }

TransformOutput::TransformOutput(const weir_batch* batch, std::map<std::string, std::string>* puts)
    : TransformOutput(batch != nullptr ? batch : make_batch({TestEvent()}).get()) {
  puts_ = puts;
  stateful_ = true;
}

TransformOutput::TransformOutput(const weir_batch* batch)
    : events_(events_of(batch)), verdicts_(batch->count), derived_(batch->count) {
  shim_.owner = this;
  shim_.keep = [](weir_output* output, uint32_t i) { of(output).decide(i, Decision::kKept); };
  shim_.drop = [](weir_output* output, uint32_t i, weir_text reason) {
    if (of(output).decide(i, Decision::kDropped)) of(output).verdicts_[i].reason = string_of(reason);
  };
  shim_.reject = [](weir_output* output, uint32_t i, uint32_t code, weir_text message) {
    if (!of(output).decide(i, Decision::kRejected)) return;
    of(output).verdicts_[i].code = code;
    of(output).verdicts_[i].reason = string_of(message);
  };
  shim_.amend = [](weir_output* output, uint32_t i, const weir_amendment* amendment) {
    return of(output).amend(i, *amendment);
  };
  shim_.emit = [](weir_output* output, uint32_t cause, const weir_new_event* event) {
    return of(output).emit(cause, *event);
  };
  shim_.put = [](weir_output* output, weir_text key, const void* value, uint64_t size) -> weir_status {
    const char* data = static_cast<const char*>(value);
    if (size == 0) {
      of(output).puts_->erase(string_of(key));
    } else {
      (*of(output).puts_)[string_of(key)] = std::string(data, data + size);
    }
    return WEIR_OK;
  };
}

bool TransformOutput::decide(uint32_t i, Decision decision) {
  if (i >= verdicts_.size()) {
    violations_.push_back("index " + std::to_string(i) + " is out of range");
    return false;
  }
  Verdict& verdict = verdicts_[i];
  const bool amended_then_kept = decision == Decision::kKept && !verdict.amended.empty();
  const bool emitted_again = decision == Decision::kReplaced && verdict.decision == Decision::kReplaced;
  if (verdict.decision != Decision::kNone && !amended_then_kept && !emitted_again) {
    violations_.push_back("event " + std::to_string(i) + " was decided about twice");
    return false;
  }
  verdict.decision = decision;
  return true;
}

weir_status TransformOutput::amend(uint32_t i, const weir_amendment& amendment) {
  if (i < verdicts_.size() && verdicts_[i].decision == Decision::kNone) decide(i, Decision::kKept);
  if (i >= verdicts_.size() || verdicts_[i].decision != Decision::kKept) {
    violations_.push_back("amend of event " + std::to_string(i) + ", which is not kept");
    return WEIR_E_INVALID;
  }
  TestEvent& event = events_[i];
  const std::string text = string_of(amendment.text);
  switch (amendment.field) {
    case WEIR_FIELD_TIMESTAMP:
      event.timestamp_ns = amendment.value.i64;
      break;
    case WEIR_FIELD_DEVICE_ID:
    case WEIR_FIELD_SENSOR_TYPE:
      if (text.empty() || text.size() > WEIR_TEXT_MAX_BYTES) return WEIR_E_INVALID;
      (amendment.field == WEIR_FIELD_DEVICE_ID ? event.device_id : event.sensor_type) = text;
      break;
    case WEIR_FIELD_UNIT:
      if (text.size() > WEIR_TEXT_MAX_BYTES) return WEIR_E_INVALID;
      event.unit = text;
      break;
    case WEIR_FIELD_VALUE: {
      std::optional<TestValue> value = make_value(amendment.value_type, amendment.value, amendment.text);
      if (!value) return WEIR_E_INVALID;
      event.value = *std::move(value);
      break;
    }
    case WEIR_FIELD_METADATA:
      if (text.empty()) {
        event.metadata.erase(string_of(amendment.key));
      } else {
        event.metadata[string_of(amendment.key)] = text;
      }
      break;
    default:
      return WEIR_E_UNSUPPORTED;
  }
  verdicts_[i].amended.push_back(amendment.field);
  return WEIR_OK;
}

weir_status TransformOutput::emit(uint32_t cause, const weir_new_event& event) {
  if (stateful_) {
    if (cause >= events_.size() || event.device_id.size == 0 || event.sensor_type.size == 0 || event.value_type == 0) {
      violations_.push_back("an event that does not stand for itself, or has no cause");
      return WEIR_E_INVALID;
    }
  } else if (!decide(cause, Decision::kReplaced)) {
    return WEIR_E_INVALID;
  }
  TestEvent derived = stateful_ ? TestEvent() : events_[cause];
  if (event.timestamp_ns != 0) derived.timestamp_ns = event.timestamp_ns;
  if (event.device_id.size != 0) derived.device_id = string_of(event.device_id);
  if (event.sensor_type.size != 0) derived.sensor_type = string_of(event.sensor_type);
  if (event.unit.size != 0) derived.unit = string_of(event.unit);
  if (event.value_type != 0) {
    std::optional<TestValue> value = make_value(event.value_type, event.value, event.value_text);
    if (!value) return WEIR_E_INVALID;
    derived.value = *std::move(value);
  }
  if (event.metadata_count != 0) derived.metadata.clear();
  for (uint32_t pair = 0; pair < event.metadata_count; ++pair) {
    derived.metadata[string_of(event.metadata[2 * pair])] = string_of(event.metadata[2 * pair + 1]);
  }
  derived.part = static_cast<uint32_t>(derived_[cause].size());
  derived.flags |= WEIR_DERIVED;
  derived_[cause].push_back(std::move(derived));
  return WEIR_OK;
}

std::vector<TestEvent> TransformOutput::result() const {
  std::vector<TestEvent> result;
  for (size_t i = 0; i < events_.size(); ++i) {
    if (verdicts_[i].decision == Decision::kKept) result.push_back(events_[i]);
    result.insert(result.end(), derived_[i].begin(), derived_[i].end());
  }
  return result;
}

std::vector<std::string> TransformOutput::violations() const {
  std::vector<std::string> all = violations_;
  for (size_t i = 0; i < verdicts_.size(); ++i) {
    if (verdicts_[i].decision == Decision::kNone && !stateful_)
      all.push_back("event " + std::to_string(i) + " has no decision");
  }
  return all;
}

bool TransformOutput::untouched() const {
  return std::all_of(verdicts_.begin(), verdicts_.end(), [](const Verdict& verdict) {
    return verdict.decision == Decision::kKept && verdict.amended.empty();
  });
}

}  // namespace weir::test
