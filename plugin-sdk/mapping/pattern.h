// Pointers and text with places to fill in, as a mapping has them, and their compiled forms.
//
// A pointer is one of RFC 6901, from the item at hand: "/a/b"; "" is the item itself. "#/a/b" is from the
// root of the payload. A step that is {name} is filled in: "#/metadata/reported/{path}/timestamp".
//
// A text is literal but for braces: {name} is a name's value, {/a/b} what the payload has at a pointer,
// {/a/b?} the same or nothing; {{ and }} are single braces.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::mapping {

// What a {name} may stand for.
enum class Name : uint8_t { kVariable, kItem, kKey, kPath, kFullName, kBaseName, kLocalName, kUnit };

struct Slot {
  Name name = Name::kVariable;
  uint32_t variable = 0;  // its index
};

// Which names are there at one place of a mapping.
struct Scope {
  const std::vector<std::string>* variables = nullptr;
  bool item = false;   // {item}
  bool key = false;    // {key}
  bool path = false;   // {path}
  bool senml = false;  // {name}, {base_name}, {local_name}, {unit}

  bool find(std::string_view name, Slot* out) const;
  // "device_id, key and path", for messages.
  std::string names() const;
};

struct Step {
  static constexpr uint32_t kNoIndex = UINT32_MAX;
  std::string key;
  uint32_t index = kNoIndex;  // the key as an array's index
  bool filled = false;        // by `slot`, else it is `key`
  Slot slot;
};

struct Pointer {
  bool from_root = false;
  std::vector<Step> steps;
};

struct TextPart {
  enum class Kind : uint8_t { kLiteral, kSlot, kPointer };
  Kind kind = Kind::kLiteral;
  std::string literal;
  Slot slot;
  Pointer pointer;
  bool optional = false;  // of a pointer: what is missing is no text
};

using Text = std::vector<TextPart>;

// The index of an array's element that a reference token means (RFC 6901 section 4), or Step::kNoIndex.
uint32_t array_index(std::string_view token);

// False with a reason, which fits after the place in the mapping: "has ~ without 0 or 1 behind it".
bool parse_pointer(std::string_view written, const Scope& scope, Pointer* out, std::string* why);
bool parse_text(std::string_view written, const Scope& scope, Text* out, std::string* why);

}  // namespace weir::mapping
