#include "weir/mapping/event_json.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "json_number.h"
#include "json_text.h"
#include "weir/mapping/rfc3339.h"

namespace weir::mapping {
namespace {

namespace ondemand = simdjson::ondemand;
using simdjson::error_code;

static_assert(kJsonPadding >= simdjson::SIMDJSON_PADDING);

enum Key : uint32_t {
  kDeviceId = 1u << 0,
  kSensorType = 1u << 1,
  kValue = 1u << 2,
  kTimestamp = 1u << 3,
  kUnit = 1u << 4,
  kMetadata = 1u << 5,
  kUnknown = 1u << 6
};

struct Name {
  std::string_view text;
  Key key;
};
constexpr Name kNames[] = {{"device_id", kDeviceId}, {"sensor_type", kSensorType},
                           {"value", kValue},        {"timestamp", kTimestamp},
                           {"unit", kUnit},          {"metadata", kMetadata}};

// What a fault is about: a key of the event, "" for all of it, or a key of its metadata.
struct Where {
  Where(std::string_view event_key) : key(event_key) {}
  Where(const char* event_key) : key(event_key) {}
  Where(std::string_view k, bool of_metadata) : key(k), in_metadata(of_metadata) {}

  std::string text() const {
    std::string out;
    if (!in_metadata) return out = key;
    out = "/metadata";
    append_token(out, key);
    return out;
  }

  std::string_view key;
  bool in_metadata = false;
};

std::string_view name_of(Key key) {
  for (const Name& name : kNames) {
    if (name.key == key) return name.text;
  }
  return "";
}

Key find_key(std::string_view text) {
  for (const Name& name : kNames) {
    if (name.text == text) return name.key;
  }
  return kUnknown;
}

// The key whose text, as it stands in the document without escapes, begins at `raw`; kUnknown sends it to
// find_key(). Reads at most 12 bytes, which the padding allows.
Key find_plain_key(const char* raw) {
  for (const Name& name : kNames) {
    if (raw[0] == name.text[0] && std::memcmp(raw, name.text.data(), name.text.size()) == 0 &&
        raw[name.text.size()] == '"') {
      return name.key;
    }
  }
  return kUnknown;
}

}  // namespace

// Walks one document front to back. Every function that returns bool returns false when fault_ has been
// filled.
class EventParser::Reader {
 public:
  bool read(simdjson::padded_string_view json, sdk::BatchBuilder& out, ParseFault* fault) {
    out_ = &out;
    fault_ = fault;
    json_ = json;
    index_ = 0;
    out.clear();
    if (document()) return true;
    out.clear();
    return false;
  }

  // A copy of `json` with padding, valid until the next call.
  simdjson::padded_string_view pad(std::string_view json) {
    padded_.resize(json.size() + kJsonPadding);
    std::memcpy(padded_.data(), json.data(), json.size());
    return simdjson::padded_string_view(padded_.data(), json.size(), padded_.size());
  }

 private:
  bool document() {
    if (json_.size() > kMaxJsonBytes) return refuse("", "the document is over 64 MiB");
    error_code error = parser_.iterate(json_).get(document_);
    has_document_ = error == simdjson::SUCCESS;
    if (!has_document_) return malformed(error);
    ondemand::json_type type;
    if (error = document_.type().get(type); error != simdjson::SUCCESS) return malformed(error);
    if (type == ondemand::json_type::object) {
      ondemand::object object;
      if (error = document_.get_object().get(object); error != simdjson::SUCCESS) return malformed(error);
      if (!event(object)) return false;
    } else if (type == ondemand::json_type::array) {
      if (!array()) return false;
    } else {
      return refuse("", "the document must be an event object or an array of event objects");
    }
    index_ = 0;
    return at_end() || refuse("", "the document goes on after its event or array");
  }

  bool at_end() { return document_.current_location().error() == simdjson::OUT_OF_BOUNDS; }

  bool array() {
    ondemand::array array;
    if (error_code error = document_.get_array().get(array)) return malformed(error);
    for (auto element : array) {
      ondemand::object object;
      if (index_ == WEIR_BATCH_MAX_EVENTS) return refuse("", "the array holds more than 65536 events");
      error_code error = element.get_object().get(object);
      if (error == simdjson::INCORRECT_TYPE)
        return refuse("", "each element of the array must be an event object");
      if (error != simdjson::SUCCESS) return malformed(error);
      if (!event(object)) return false;
      ++index_;
    }
    return index_ > 0 || refuse("", "the array holds no event");
  }

  bool event(ondemand::object object) {
    event_ = &out_->add();
    uint32_t seen = 0;
    for (auto&& item : object) {
      ondemand::field field;
      if (error_code error = std::move(item).get(field)) return malformed(error);
      Key key = find_plain_key(field.key().raw());
      if (key == kUnknown && !find_escaped_key(field, &key)) return false;
      if ((seen & key) != 0) return refuse(name_of(key), "appears twice");
      seen |= key;
      if (!member(key, field.value())) return false;
    }
    for (Key required : {kDeviceId, kSensorType, kValue}) {
      if ((seen & required) == 0) return refuse(name_of(required), "is missing");
    }
    if ((seen & kTimestamp) == 0) event_->flags |= WEIR_NO_DEVICE_TIME;
    if (out_->bytes() > WEIR_BATCH_MAX_BYTES)
      return refuse("", "the events of the document take more than 16 MiB");
    return true;
  }

  bool find_escaped_key(ondemand::field& field, Key* key) {
    std::string_view text;
    if (error_code error = field.unescaped_key().get(text)) return malformed(error);
    *key = find_key(text);
    if (*key != kUnknown) return true;
    return refuse(
        text,
        "is not a key of an event, which has device_id, sensor_type, value, timestamp, unit and metadata");
  }

  bool member(Key key, ondemand::value& value) {
    switch (key) {
      case kDeviceId:
        return text(key, value, &event_->device_id);
      case kSensorType:
        return text(key, value, &event_->sensor_type);
      case kUnit:
        return text(key, value, &event_->unit);
      case kValue:
        return reading(value);
      case kTimestamp:
        return timestamp(value);
      default:
        return metadata(value);
    }
  }

  // Unescapes a text and checks what holds for every text.
  bool string(Where where, ondemand::value& value, std::string_view* out) {
    error_code error = value.get_string().get(*out);
    if (error == simdjson::INCORRECT_TYPE) return refuse(where, "must be text");
    if (error != simdjson::SUCCESS) return malformed(error);
    if (out->find('\0') != std::string_view::npos) return refuse(where, "holds a NUL character (\\u0000)");
    return true;
  }

  bool text(Key key, ondemand::value& value, weir_ref* out) {
    std::string_view view;
    if (!string(name_of(key), value, &view)) return false;
    if (view.empty() && key != kUnit) return refuse(name_of(key), "must not be empty");
    if (view.size() > WEIR_TEXT_MAX_BYTES) return refuse(name_of(key), "is longer than 4096 bytes");
    *out = out_->text(view);
    return true;
  }

  bool reading(ondemand::value& value) {
    ondemand::json_type type;
    if (error_code error = value.type().get(type)) return malformed(error);
    switch (type) {
      case ondemand::json_type::number: {
        Number number;
        if (!this->number("value", value, &number)) return false;
        event_->value_type = number.integer ? WEIR_I64 : WEIR_F64;
        if (number.integer) {
          event_->value.i64 = number.i64;
        } else {
          event_->value.f64 = number.f64;
        }
        return true;
      }
      case ondemand::json_type::boolean: {
        bool truth = false;
        if (error_code error = value.get_bool().get(truth)) return malformed(error);
        event_->value_type = WEIR_BOOL;
        event_->value.boolean = truth ? 1 : 0;
        return true;
      }
      case ondemand::json_type::string: {
        std::string_view view;
        if (!string("value", value, &view)) return false;
        event_->value_type = WEIR_STRING;
        event_->value.ref = out_->text(view);
        return true;
      }
      case ondemand::json_type::null:
        return refuse("value", "must not be null: leave the event out when there is no reading");
      default:
        return refuse("value", "must be a number, true, false or text");
    }
  }

  bool number(Where where, ondemand::value& value, Number* out) {
    switch (parse_number(trimmed(value.raw_json_token()), out)) {
      case NumberFault::kNone:
        return true;
      case NumberFault::kIntegerRange:
        return refuse(where,
                      "is a number that does not fit a signed 64-bit integer; write it with a fraction (1.0) "
                      "to send it as a floating-point number");
      case NumberFault::kFloatRange:
        return refuse(where, "is a number that is beyond the range of a 64-bit floating-point number");
      case NumberFault::kMalformed:
        break;
    }
    return malformed(simdjson::NUMBER_ERROR);
  }

  bool timestamp(ondemand::value& value) {
    ondemand::json_type type;
    if (error_code error = value.type().get(type)) return malformed(error);
    if (type == ondemand::json_type::number) {
      Number number;
      if (!this->number("timestamp", value, &number)) return false;
      if (!number.integer)
        return refuse("timestamp", "is not a whole number of nanoseconds since 1970-01-01T00:00:00Z");
      event_->timestamp_ns = number.i64;
      return true;
    }
    if (type != ondemand::json_type::string) {
      return refuse("timestamp",
                    "must be RFC 3339 text or a whole number of nanoseconds since 1970-01-01T00:00:00Z");
    }
    std::string_view view;
    if (!string("timestamp", value, &view)) return false;
    if (const char* why = parse_rfc3339(view, &event_->timestamp_ns)) return refuse("timestamp", why);
    return true;
  }

  bool metadata(ondemand::value& value) {
    ondemand::object object;
    error_code error = value.get_object().get(object);
    if (error == simdjson::INCORRECT_TYPE)
      return refuse("metadata", "must be an object of text, numbers, true and false");
    if (error != simdjson::SUCCESS) return malformed(error);
    pairs_.clear();
    for (auto&& item : object) {
      ondemand::field field;
      if (error = std::move(item).get(field); error != simdjson::SUCCESS) return malformed(error);
      std::pair<std::string_view, std::string_view> pair;
      if (error = field.unescaped_key().get(pair.first); error != simdjson::SUCCESS) return malformed(error);
      if (!check_metadata_key(pair.first)) return false;
      if (!metadata_value(pair.first, field.value(), &pair.second)) return false;
      pairs_.push_back(pair);
    }
    std::sort(pairs_.begin(), pairs_.end());
    const auto twice = std::adjacent_find(pairs_.begin(), pairs_.end(),
                                          [](const auto& a, const auto& b) { return a.first == b.first; });
    if (twice != pairs_.end()) return refuse({twice->first, true}, "appears twice");
    out_->metadata(out_->count() - 1, pairs_);
    return true;
  }

  bool check_metadata_key(std::string_view key) {
    if (key.empty()) return refuse("metadata", "holds an empty key");
    if (key.size() > WEIR_TEXT_MAX_BYTES)
      return refuse("metadata", "holds a key that is longer than 4096 bytes");
    if (key.find('\0') != std::string_view::npos)
      return refuse("metadata", "holds a key with a NUL character (\\u0000)");
    if (key.starts_with("weir."))
      return refuse({key, true}, "is reserved: keys that begin with \"weir.\" are the gateway's");
    return true;
  }

  bool metadata_value(std::string_view key, ondemand::value& value, std::string_view* out) {
    ondemand::json_type type;
    if (error_code error = value.type().get(type)) return malformed(error);
    if (type == ondemand::json_type::string) return string({key, true}, value, out);
    if (type == ondemand::json_type::number) {
      const std::string_view token = trimmed(value.raw_json_token());
      Number number;
      if (!this->number({key, true}, value, &number)) return false;
      *out = token;
      return true;
    }
    if (type != ondemand::json_type::boolean)
      return refuse({key, true}, "must be text, a number, true or false");
    bool truth = false;
    if (error_code error = value.get_bool().get(truth)) return malformed(error);
    *out = truth ? "true" : "false";
    return true;
  }

  bool refuse(Where where, std::string_view why) {
    constexpr size_t kFieldBytes = 31;  // what fits weir_emit_result.field
    const std::string field = where.text();
    fault_->index = index_;
    fault_->field = cut(field, kFieldBytes);
    fault_->message = field.empty() ? std::string(why) : shown(field) + ' ' + std::string(why);
    return false;
  }

  bool malformed(error_code error) {
    refuse("", std::string("the document is not well-formed JSON: ") + why_malformed(error));
    const char* location = nullptr;
    if (has_document_ && document_.current_location().get(location) == simdjson::SUCCESS &&
        location >= json_.data() && location <= json_.data() + json_.size()) {
      fault_->message += ", near byte " + std::to_string(location - json_.data());
    }
    return false;
  }

  ondemand::parser parser_;
  ondemand::document document_;
  bool has_document_ = false;  // else document_ is an earlier one's
  simdjson::padded_string_view json_;
  sdk::BatchBuilder* out_ = nullptr;
  ParseFault* fault_ = nullptr;
  weir_event_v1* event_ = nullptr;
  uint32_t index_ = 0;
  std::vector<std::pair<std::string_view, std::string_view>> pairs_;
  std::vector<char> padded_;
};

EventParser::EventParser() : reader_(std::make_unique<Reader>()) {}
EventParser::EventParser(EventParser&&) noexcept = default;
EventParser& EventParser::operator=(EventParser&&) noexcept = default;
EventParser::~EventParser() = default;

bool EventParser::parse(std::string_view json, sdk::BatchBuilder& out, ParseFault* fault) {
  // What is too long is refused by read(); it need not be copied for that.
  if (json.size() > kMaxJsonBytes)
    return reader_->read(simdjson::padded_string_view(json, json.size()), out, fault);
  return reader_->read(reader_->pad(json), out, fault);
}

bool EventParser::parse_padded(std::string_view json, sdk::BatchBuilder& out, ParseFault* fault) {
  return reader_->read(simdjson::padded_string_view(json, json.size() + kJsonPadding), out, fault);
}

}  // namespace weir::mapping
