#include "json_tree.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "json_number.h"
#include "json_text.h"

namespace weir::mapping {
namespace {

namespace ondemand = simdjson::ondemand;
using simdjson::error_code;

}  // namespace

const char* name_of(JsonKind kind) {
  switch (kind) {
    case JsonKind::kNull:
      return "null";
    case JsonKind::kBoolean:
      return "true or false";
    case JsonKind::kNumber:
      return "a number";
    case JsonKind::kText:
      return "text";
    case JsonKind::kArray:
      return "an array";
    default:
      return "an object";
  }
}

bool JsonTree::read(std::string_view json, const char* what, JsonFault* fault) {
  what_ = what;
  fault_ = fault;
  nodes_.clear();
  has_document_ = false;
  if (json.size() > kMaxBytes) return refuse("", std::string(what) + " is over 16 MiB");
  if (json.find_first_not_of(" \t\r\n") == std::string_view::npos) return malformed(simdjson::EMPTY);
  // Between brackets, because simdjson reads a document that is one number or text by other functions.
  size_ = json.size();
  bytes_.resize(size_ + 2 + simdjson::SIMDJSON_PADDING);
  bytes_[0] = '[';
  std::memcpy(bytes_.data() + 1, json.data(), size_);
  bytes_[size_ + 1] = ']';
  return document();
}

bool JsonTree::read_text(std::string_view text, const char* what, JsonFault* fault) {
  what_ = what;
  fault_ = fault;
  nodes_.clear();
  if (text.size() > kMaxBytes) return refuse("", std::string(what) + " is over 16 MiB");
  if (!simdjson::validate_utf8(text.data(), text.size()))
    return refuse("", std::string(what) + " is not valid UTF-8");
  text = trimmed(text);
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  bytes_.assign(text.begin(), text.end());
  JsonNode& node = nodes_.emplace_back();
  node.kind = JsonKind::kText;
  node.text = {bytes_.data(), bytes_.size()};
  return true;
}

uint32_t JsonTree::member(uint32_t object, std::string_view key) const {
  for (uint32_t node = first(object); node != 0; node = nodes_[node].next) {
    if (nodes_[node].key == key) return node;
  }
  return kNone;
}

uint32_t JsonTree::element(uint32_t array, uint32_t index) const {
  if (index >= nodes_[array].size) return kNone;
  uint32_t node = first(array);
  while (index-- > 0) node = nodes_[node].next;
  return node;
}

std::string JsonTree::pointer(uint32_t node) const {
  std::vector<uint32_t> way;
  for (; node != 0; node = nodes_[node].parent) way.push_back(node);
  std::string out;
  for (auto at = way.rbegin(); at != way.rend(); ++at) {
    const JsonNode& step = nodes_[*at];
    if (nodes_[step.parent].kind == JsonKind::kObject) {
      append_token(out, step.key);
    } else {
      (out += '/') += std::to_string(step.index);
    }
  }
  return out;
}

bool JsonTree::document() {
  const simdjson::padded_string_view json(bytes_.data(), size_ + 2, bytes_.size());
  error_code error = parser_.iterate(json).get(document_);
  has_document_ = error == simdjson::SUCCESS;
  if (!has_document_) return malformed(error);
  ondemand::array array;
  if (error = document_.get_array().get(array); error != simdjson::SUCCESS) return malformed(error);
  bool seen = false;
  for (auto element : array) {
    Value value;
    if (error = std::move(element).get(value); error != simdjson::SUCCESS) return malformed(error);
    if (seen) return refuse("", std::string(what_) + " goes on after its end");
    seen = true;
    nodes_.emplace_back();
    if (!this->value(value, 0, 0)) return false;
  }
  if (!seen) return malformed(simdjson::TAPE_ERROR);
  // A bracket of the document's own may have closed ours.
  if (document_.current_location().error() != simdjson::OUT_OF_BOUNDS) return malformed(simdjson::TAPE_ERROR);
  return true;
}

bool JsonTree::value(Value& value, uint32_t node, uint32_t depth) {
  ondemand::json_type type;
  if (error_code error = value.type().get(type)) return malformed(error);
  switch (type) {
    case ondemand::json_type::object:
      return object(value, node, depth + 1);
    case ondemand::json_type::array:
      return array(value, node, depth + 1);
    case ondemand::json_type::string: {
      nodes_[node].kind = JsonKind::kText;
      error_code error = value.get_string().get(nodes_[node].text);
      return error == simdjson::SUCCESS || malformed(error);
    }
    case ondemand::json_type::number:
      return scalar(value, node, JsonKind::kNumber);
    case ondemand::json_type::boolean:
      return scalar(value, node, JsonKind::kBoolean);
    default:
      return scalar(value, node, JsonKind::kNull);
  }
}

bool JsonTree::scalar(Value& value, uint32_t node, JsonKind kind) {
  const std::string_view token = trimmed(value.raw_json_token());
  nodes_[node].kind = kind;
  nodes_[node].text = token;
  if (kind == JsonKind::kNumber) {
    Number number;  // a number that nobody asks for need not fit
    return parse_number(token, &number) != NumberFault::kMalformed || malformed(simdjson::NUMBER_ERROR);
  }
  if (kind == JsonKind::kBoolean) {
    bool truth = false;
    if (error_code error = value.get_bool().get(truth)) return malformed(error);
    return token == (truth ? "true" : "false") || malformed(simdjson::TAPE_ERROR);
  }
  if (token != "null") return malformed(simdjson::TAPE_ERROR);
  bool null = false;
  if (error_code error = value.is_null().get(null)) return malformed(error);
  return null || malformed(simdjson::TAPE_ERROR);
}

bool JsonTree::object(Value& value, uint32_t node, uint32_t depth) {
  if (depth > kMaxDepth) return refuse(pointer(node), std::string(what_) + " is nested more than 64 deep");
  nodes_[node].kind = JsonKind::kObject;
  ondemand::object object;
  if (error_code error = value.get_object().get(object)) return malformed(error);
  uint32_t last = 0;
  for (auto&& item : object) {
    ondemand::field field;
    if (error_code error = std::move(item).get(field)) return malformed(error);
    uint32_t child = 0;
    if (!add(node, &last, &child)) return false;
    if (error_code error = field.unescaped_key().get(nodes_[child].key)) return malformed(error);
    if (nodes_[node].size > kMaxMembers)
      return refuse(pointer(node), (node == 0 ? std::string(what_) : shown(pointer(node))) + " has more than 4096 members");
    if (!this->value(field.value(), child, depth)) return false;
  }
  return unique_keys(node);
}

bool JsonTree::array(Value& value, uint32_t node, uint32_t depth) {
  if (depth > kMaxDepth) return refuse(pointer(node), std::string(what_) + " is nested more than 64 deep");
  nodes_[node].kind = JsonKind::kArray;
  ondemand::array array;
  if (error_code error = value.get_array().get(array)) return malformed(error);
  uint32_t last = 0;
  for (auto element : array) {
    Value item;
    if (error_code error = std::move(element).get(item)) return malformed(error);
    uint32_t child = 0;
    if (!add(node, &last, &child) || !this->value(item, child, depth)) return false;
  }
  return true;
}

// A new node behind `*last`, the sibling before it (0: there is none).
bool JsonTree::add(uint32_t parent, uint32_t* last, uint32_t* node) {
  if (nodes_.size() == kMaxNodes) return refuse("", std::string(what_) + " holds more than 524288 values");
  *node = static_cast<uint32_t>(nodes_.size());
  nodes_.emplace_back().parent = parent;
  nodes_[*node].index = nodes_[parent].size++;
  if (*last != 0) nodes_[*last].next = *node;
  *last = *node;
  return true;
}

bool JsonTree::unique_keys(uint32_t object) {
  constexpr uint32_t kFew = 8;  // comparing each with each costs less than sorting
  uint32_t twice = 0;
  if (nodes_[object].size <= kFew) {
    for (uint32_t a = first(object); a != 0; a = nodes_[a].next) {
      for (uint32_t b = nodes_[a].next; b != 0; b = nodes_[b].next) {
        if (nodes_[a].key == nodes_[b].key) twice = b;
      }
    }
  } else {
    keys_.clear();
    for (uint32_t node = first(object); node != 0; node = nodes_[node].next)
      keys_.emplace_back(nodes_[node].key, node);
    std::sort(keys_.begin(), keys_.end());
    const auto found = std::adjacent_find(keys_.begin(), keys_.end(),
                                          [](const auto& a, const auto& b) { return a.first == b.first; });
    if (found != keys_.end()) twice = std::next(found)->second;
  }
  if (twice == 0) return true;
  return refuse(pointer(twice), shown(pointer(twice)) + " appears twice");
}

bool JsonTree::refuse(std::string pointer, std::string message) {
  fault_->pointer = std::move(pointer);
  fault_->message = std::move(message);
  return false;
}

bool JsonTree::malformed(error_code error) {
  refuse("", std::string(what_) + " is not well-formed JSON: " + why_malformed(error));
  const char* location = nullptr;
  if (has_document_ && document_.current_location().get(location) == simdjson::SUCCESS &&
      location > bytes_.data() && location <= bytes_.data() + size_) {
    fault_->message += ", near byte " + std::to_string(location - bytes_.data() - 1);
  }
  return false;
}

}  // namespace weir::mapping
