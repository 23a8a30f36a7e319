// A whole JSON document as a tree of views, for those who have to look around in it.
//
// The canonical parser (event_json.h) goes through its document once and keeps nothing. A mapping asks for
// values in its own order, for the time at the end before the readings at the front, so it needs the tree.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::mapping {

enum class JsonKind : uint8_t { kNull, kBoolean, kNumber, kText, kArray, kObject };

// "a number": fits after "is" and "not".
const char* name_of(JsonKind kind);

struct JsonNode {
  std::string_view text;  // a text unescaped; a number, true, false as they were written
  std::string_view key;   // of a member, unescaped
  uint32_t parent = 0;
  uint32_t next = 0;   // the next member or element, 0 behind the last
  uint32_t index = 0;  // among its siblings
  uint32_t size = 0;   // members or elements; the first one is the node behind this one
  JsonKind kind = JsonKind::kNull;
};

struct JsonFault {
  std::string pointer;  // what it is about, "" for the whole document
  std::string message;  // one line that makes sense without the pointer
};

// Keeps its memory: use one for many documents. One thread at a time.
class JsonTree {
 public:
  // Limits. A node takes 56 bytes, so a document of nothing but [0,0,0 ...] costs 29 MB and then is refused.
  static constexpr size_t kMaxBytes = 16u * 1024 * 1024;  // a batch is not longer either
  static constexpr uint32_t kMaxNodes = 524'288;          // 8 for each event of the largest batch
  static constexpr uint32_t kMaxMembers = 4'096;  // of one object; looking up goes through all of them
  static constexpr uint32_t kMaxDepth = 64;

  static constexpr uint32_t kNone = UINT32_MAX;

  // Reads one document; a number, text, true, false or null alone is one too. Every number and every key is
  // checked, a key given twice is a fault. `what` is what the document is called in messages. Copies `json`.
  bool read(std::string_view json, const char* what, JsonFault* fault);
  // The whole of `text`, blanks at both ends taken off, as one text.
  bool read_text(std::string_view text, const char* what, JsonFault* fault);

  const JsonNode& operator[](uint32_t node) const { return nodes_[node]; }
  uint32_t first(uint32_t node) const { return nodes_[node].size == 0 ? 0 : node + 1; }
  // The member `key`, or the element `index`; kNone when it is not there.
  uint32_t member(uint32_t object, std::string_view key) const;
  uint32_t element(uint32_t array, uint32_t index) const;
  // The JSON pointer of a node.
  std::string pointer(uint32_t node) const;

 private:
  using Value = simdjson::ondemand::value;

  bool document();
  bool value(Value& value, uint32_t node, uint32_t depth);
  bool object(Value& value, uint32_t node, uint32_t depth);
  bool array(Value& value, uint32_t node, uint32_t depth);
  bool scalar(Value& value, uint32_t node, JsonKind kind);
  bool add(uint32_t parent, uint32_t* last, uint32_t* node);
  bool unique_keys(uint32_t object);
  bool refuse(std::string pointer, std::string message);
  bool malformed(simdjson::error_code error);

  simdjson::ondemand::parser parser_;
  simdjson::ondemand::document document_;
  std::vector<JsonNode> nodes_;
  std::vector<char> bytes_;  // the document between brackets, and padding
  std::vector<std::pair<std::string_view, uint32_t>> keys_;
  size_t size_ = 0;            // of the document
  bool has_document_ = false;  // else document_ is an earlier one's
  const char* what_ = "";
  JsonFault* fault_ = nullptr;
};

}  // namespace weir::mapping
