#include "check/recorder.h"

#include <cinttypes>
#include <cmath>
#include <cstdio>

#include "event/validate.h"

namespace weir::check {
namespace {

constexpr size_t kMaxShownBytes = 200;

Recorder& of(weir_output* output) { return *static_cast<Recorder*>(output); }

bool readable(weir_text text) { return text.size == 0 || text.data != nullptr; }
bool valid(weir_text text) { return readable(text) && event::valid_text(text.data, text.size); }
std::string string_of(weir_text text) { return std::string(text.size != 0 ? text.data : "", text.size); }
// Long text by its size and a hash: equal text gives equal words.
std::string shown(const std::string& text) {
  if (text.size() <= kMaxShownBytes) return text;
  return text.substr(0, 32) + "...#" + std::to_string(std::hash<std::string>{}(text)) + "/" + std::to_string(text.size());
}

std::string value_words(uint32_t type, weir_value value, weir_text text) {
  if ((type & WEIR_VALUE_REF) != 0) return std::to_string(type) + ":" + shown(string_of(text));
  char number[64];
  if (type == WEIR_F64) {
    std::snprintf(number, sizeof number, "%.17g", value.f64);
  } else {
    std::snprintf(number, sizeof number, "%" PRId64, value.i64);
  }
  return std::to_string(type) + ":" + number;
}

// Why the gateway would refuse this value; empty when it would not.
std::string value_fault(uint32_t type, weir_value value, weir_text text) {
  if (type == 0) return "a value without a type";
  if (type == WEIR_F64 && !std::isfinite(value.f64)) return "a value that is NaN or infinite";
  if (type == WEIR_BOOL && value.boolean > 1) return "a boolean that is neither 0 nor 1";
  if ((type & WEIR_VALUE_REF) != 0 && !readable(text)) return "a value with a size and no data";
  if (type == WEIR_STRING && !valid(text)) return "a string value that is not UTF-8";
  return "";
}

std::string text_fault(const char* what, weir_text text) {
  if (!readable(text)) return std::string(what) + " with a size and no data";
  if (text.size > WEIR_TEXT_MAX_BYTES) return std::string(what) + " of more than 4,096 bytes";
  return valid(text) ? "" : std::string(what) + " that is not UTF-8, or holds a NUL";
}

std::string key_fault(weir_text key) {
  if (key.size == 0) return "metadata without a key";
  if (std::string fault = text_fault("a metadata key", key); !fault.empty()) return fault;
  return string_of(key).starts_with("weir.") ? "a metadata key that begins with \"weir.\", which is the host's" : "";
}

const char* field_name(uint32_t field) {
  switch (field) {
    case WEIR_FIELD_TIMESTAMP:
      return "timestamp";
    case WEIR_FIELD_DEVICE_ID:
      return "device_id";
    case WEIR_FIELD_SENSOR_TYPE:
      return "sensor_type";
    case WEIR_FIELD_UNIT:
      return "unit";
    case WEIR_FIELD_VALUE:
      return "value";
    case WEIR_FIELD_METADATA:
      return "metadata";
    default:
      return nullptr;
  }
}

}  // namespace

Recorder::Recorder(Trial& trial, bool stateful) : weir_output{}, trial_(trial), stateful_(stateful) {
  keep = [](weir_output* output, uint32_t i) { of(output).decide("keep", i, Fate::kKept, "keep"); };
  drop = [](weir_output* output, uint32_t i, weir_text reason) {
    std::string fault = reason.size == 0 ? "no reason" : text_fault("a reason", reason);
    if (!fault.empty()) of(output).refuse("drop() was given " + fault);
    of(output).decide("drop", i, Fate::kDropped, "drop(" + (fault.empty() ? shown(string_of(reason)) : "?") + ")");
  };
  reject = [](weir_output* output, uint32_t i, uint32_t code, weir_text message) {
    std::string fault = message.size == 0 ? "no message" : text_fault("a message", message);
    if (!fault.empty()) of(output).refuse("reject() was given " + fault);
    of(output).decide("reject", i, Fate::kRejected,
                      "reject(" + std::to_string(code) + " " + (fault.empty() ? shown(string_of(message)) : "?") + ")");
  };
  amend = [](weir_output* output, uint32_t i, const weir_amendment* amendment) {
    if (!of(output).usable("amend", i)) return weir_status{WEIR_E_INVALID};
    return amendment == nullptr ? of(output).refuse("amend() was given a null amendment")
                                : of(output).amend_one(i, *amendment);
  };
  emit = [](weir_output* output, uint32_t cause, const weir_new_event* event) {
    if (!of(output).usable("emit", cause)) return weir_status{WEIR_E_INVALID};
    return event == nullptr ? of(output).refuse("emit() was given a null event") : of(output).emit_one(cause, *event);
  };
  put = [](weir_output* output, weir_text key, const void* value, uint64_t size) {
    return of(output).inside("put") ? of(output).put_one(key, value, size) : weir_status{WEIR_E_INVALID};
  };
}

void Recorder::begin(uint32_t count) {
  fates_.assign(count, Fate::kNone);
  decisions_.assign(count, "");
  thread_ = std::this_thread::get_id();
  open_ = true;
  ticking_ = false;
}

void Recorder::begin_tick() {
  begin(1);  // emit() names the cause 0
  ticking_ = true;
}

void Recorder::end(weir_status status) {
  open_ = false;
  if (status != WEIR_OK) return;  // what has no decision is rejected with the call's text
  if (stateful_) return;
  for (size_t i = 0; i < fates_.size(); ++i) {
    if (fates_[i] == Fate::kNone) {
      trial_.find("decisions", "event " + std::to_string(i) + " of " + std::to_string(fates_.size()) +
                                   " got no decision: it would be dropped and counted as the plugin's fault");
      return;
    }
  }
}

bool Recorder::inside(const char* call) {
  if (!open_) {
    trial_.find("thread-tags", std::string(call) + "() was called on the output of a process() that had returned");
    return false;
  }
  if (std::this_thread::get_id() != thread_) {
    trial_.find("thread-tags", std::string(call) + "() was called from another thread than process()");
    return false;
  }
  return true;
}

bool Recorder::usable(const char* call, uint32_t i) {
  if (!inside(call)) return false;
  if (i < fates_.size()) return true;
  trial_.find("decisions", std::string(call) + "() names event " + std::to_string(i) + " of a batch of " +
                               std::to_string(fates_.size()));
  return false;
}

void Recorder::decide(const char* call, uint32_t i, Fate fate, const std::string& words) {
  if (!usable(call, i)) return;
  if (ticking_ && fate != Fate::kEmitted) {
    trial_.find("decisions", "tick() decides about an event, " + words + ", and there is none");
    return;
  }
  if (stateful_ && fate == Fate::kEmitted) {
    // It stands for itself, and decides nothing about what set it off.
    decisions_[i] += (decisions_[i].empty() ? "" : " ") + words;
    return;
  }
  Fate& before = fates_[i];
  const bool more = before == Fate::kNone || (before == Fate::kAmended && fate == Fate::kKept) ||
                    (before == Fate::kAmended && fate == Fate::kAmended) ||
                    (before == Fate::kEmitted && fate == Fate::kEmitted);
  if (!more) {
    trial_.find("decisions", "event " + std::to_string(i) + " got a second decision, " + words + " after " + decisions_[i]);
    return;
  }
  before = fate;
  decisions_[i] += (decisions_[i].empty() ? "" : " ") + words;
}

weir_status Recorder::refuse(const std::string& what) {
  trial_.find("amendments", what);
  return WEIR_E_INVALID;
}

weir_status Recorder::amend_one(uint32_t i, const weir_amendment& amendment) {
  const char* name = field_name(amendment.field);
  if (name == nullptr) return refuse("amend() was given the unknown field " + std::to_string(amendment.field));
  std::string fault, words;
  switch (amendment.field) {
    case WEIR_FIELD_TIMESTAMP:
      words = std::to_string(amendment.value.i64);
      break;
    case WEIR_FIELD_VALUE:
      fault = value_fault(amendment.value_type, amendment.value, amendment.text);
      if (fault.empty()) words = value_words(amendment.value_type, amendment.value, amendment.text);
      break;
    case WEIR_FIELD_METADATA:
      fault = key_fault(amendment.key);
      if (fault.empty() && !valid(amendment.text)) fault = "a metadata value that is not UTF-8";
      if (fault.empty()) words = string_of(amendment.key) + ":" + shown(string_of(amendment.text));
      break;
    default:
      fault = text_fault(name, amendment.text);
      if (fault.empty() && amendment.text.size == 0 && amendment.field != WEIR_FIELD_UNIT) {
        fault = std::string("an empty ") + name;
      }
      if (fault.empty()) words = shown(string_of(amendment.text));
  }
  if (!fault.empty()) return refuse("amend() was given " + fault);
  decide("amend", i, Fate::kAmended, std::string("amend(") + name + "=" + words + ")");
  return WEIR_OK;
}

weir_status Recorder::emit_one(uint32_t cause, const weir_new_event& event) {
  for (auto [name, text] : {std::pair("a device_id", event.device_id), {"a sensor_type", event.sensor_type}, {"a unit", event.unit}}) {
    if (std::string fault = text_fault(name, text); !fault.empty()) return refuse("emit() was given " + fault);
  }
  std::string words = "emit(" + std::to_string(event.timestamp_ns) + " " + shown(string_of(event.device_id)) + " " +
                      shown(string_of(event.sensor_type)) + " " + shown(string_of(event.unit));
  if (event.value_type != 0) {
    std::string fault = value_fault(event.value_type, event.value, event.value_text);
    if (!fault.empty()) return refuse("emit() was given " + fault);
    words += " " + value_words(event.value_type, event.value, event.value_text);
  }
  if (event.metadata_count != 0 && event.metadata == nullptr) return refuse("emit() was given a count of metadata and no metadata");
  std::map<std::string, std::string> pairs;
  for (uint32_t k = 0; k < event.metadata_count; ++k) {
    const weir_text key = event.metadata[2 * size_t{k}], value = event.metadata[2 * size_t{k} + 1];
    std::string fault = key_fault(key);
    if (fault.empty() && !valid(value)) fault = "a metadata value that is not UTF-8";
    if (fault.empty() && !pairs.emplace(string_of(key), string_of(value)).second) fault = "a metadata key twice";
    if (!fault.empty()) return refuse("emit() was given " + fault);
  }
  for (const auto& [key, value] : pairs) words += " " + shown(key) + ":" + shown(value);
  decide("emit", cause, Fate::kEmitted, words + ")");
  return WEIR_OK;
}

weir_status Recorder::put_one(weir_text key, const void* value, uint64_t size) {
  if (!stateful_) {
    trial_.find("amendments", "it calls put(), but its descriptor says that it is a pure transform");
    return WEIR_E_UNSUPPORTED;
  }
  std::string fault = key.size == 0 ? "a state key without text" : text_fault("a state key", key);
  if (fault.empty() && size != 0 && value == nullptr) fault = "a state value with a size and no data";
  if (!fault.empty()) return refuse("put() was given " + fault);
  if (size == 0) {
    state_.erase(string_of(key));
  } else {
    state_[string_of(key)] = std::string(static_cast<const char*>(value), size);
  }
  return WEIR_OK;
}

}  // namespace weir::check
