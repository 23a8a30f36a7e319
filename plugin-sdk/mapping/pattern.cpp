#include "pattern.h"

#include <algorithm>
#include <charconv>

#include "json_text.h"
#include "name.h"

namespace weir::mapping {
namespace {

struct Builtin {
  std::string_view text;
  Name name;
  bool Scope::*there;
};
constexpr Builtin kBuiltins[] = {
    {"item", Name::kItem, &Scope::item},           {"key", Name::kKey, &Scope::key},
    {"path", Name::kPath, &Scope::path},           {"name", Name::kFullName, &Scope::senml},
    {"base_name", Name::kBaseName, &Scope::senml}, {"local_name", Name::kLocalName, &Scope::senml},
    {"unit", Name::kUnit, &Scope::senml}};

std::string unknown_name(std::string_view name, const Scope& scope) {
  const std::string names = scope.names();
  return "has {" + std::string(name) + "}, " +
         (names.empty() ? "but no name is known here" : "but the names known here are " + names);
}

bool unescape(std::string_view token, std::string* out) {
  for (size_t i = 0; i < token.size(); ++i) {
    if (token[i] != '~') {
      *out += token[i];
    } else if (++i < token.size() && (token[i] == '0' || token[i] == '1')) {
      *out += token[i] == '0' ? '~' : '/';
    } else {
      return false;
    }
  }
  return true;
}

bool parse_step(std::string_view token, const Scope& scope, Step* out, std::string* why) {
  if (token.size() > 2 && token.front() == '{' && token.back() == '}') {
    const std::string_view name = token.substr(1, token.size() - 2);
    out->filled = true;
    return scope.find(name, &out->slot) || (*why = unknown_name(name, scope), false);
  }
  if (!unescape(token, &out->key)) {
    *why = "has a ~ without 0 or 1 behind it (~0 is ~, ~1 is /)";
    return false;
  }
  out->index = array_index(out->key);
  return true;
}

// {/pointer}, {/pointer?} or {name}, without the braces.
bool parse_place(std::string_view place, const Scope& scope, TextPart* out, std::string* why) {
  if (place.starts_with('/') || place.starts_with('#') || place.starts_with('?') || place.empty()) {
    out->kind = TextPart::Kind::kPointer;
    out->optional = place.ends_with('?');
    if (out->optional) place.remove_suffix(1);
    return parse_pointer(place, scope, &out->pointer, why);
  }
  out->kind = TextPart::Kind::kSlot;
  return scope.find(place, &out->slot) || (*why = unknown_name(place, scope), false);
}

// The } that ends a place; the braces of a pointer's {name} are passed over.
size_t end_of_place(std::string_view text, size_t at) {
  for (int depth = 0; at < text.size(); ++at) {
    if (text[at] == '{') ++depth;
    if (text[at] == '}' && depth-- == 0) return at;
  }
  return std::string_view::npos;
}

}  // namespace

uint32_t array_index(std::string_view token) {
  uint32_t index = Step::kNoIndex;
  if (token.size() > 1 && token[0] == '0') return Step::kNoIndex;
  const auto read = std::from_chars(token.data(), token.data() + token.size(), index);
  return read.ec == std::errc() && read.ptr == token.data() + token.size() ? index : Step::kNoIndex;
}

bool Scope::find(std::string_view name, Slot* out) const {
  for (const Builtin& builtin : kBuiltins) {
    if (builtin.text == name && this->*builtin.there) return out->name = builtin.name, true;
  }
  const auto found = std::find(variables->begin(), variables->end(), name);
  if (found == variables->end()) return false;
  out->variable = static_cast<uint32_t>(found - variables->begin());
  return true;
}

std::string Scope::names() const {
  std::vector<std::string> all = *variables;
  for (const Builtin& builtin : kBuiltins) {
    if (this->*builtin.there) all.emplace_back(builtin.text);
  }
  std::string out;
  for (size_t i = 0; i < all.size(); ++i)
    out += (i == 0 ? "" : i + 1 == all.size() ? " and " : ", ") + all[i];
  return out;
}

bool parse_pointer(std::string_view written, const Scope& scope, Pointer* out, std::string* why) {
  out->from_root = written.starts_with('#');
  if (out->from_root) written.remove_prefix(1);
  if (!written.empty() && written[0] != '/') {
    *why = "is not a pointer: \"\" is the item itself, \"/a/b\" is below it, \"#/a/b\" is below the payload";
    return false;
  }
  while (!written.empty()) {
    const size_t end = std::min(written.find('/', 1), written.size());
    if (!parse_step(written.substr(1, end - 1), scope, &out->steps.emplace_back(), why)) return false;
    written.remove_prefix(end);
  }
  return true;
}

bool parse_text(std::string_view written, const Scope& scope, Text* out, std::string* why) {
  const auto literal = [&](char c) {
    if (out->empty() || out->back().kind != TextPart::Kind::kLiteral) out->emplace_back();
    out->back().literal += c;
  };
  for (size_t at = 0; at < written.size(); ++at) {
    const char c = written[at];
    if ((c == '{' || c == '}') && at + 1 < written.size() && written[at + 1] == c) {
      literal(c);
      ++at;
    } else if (c == '}') {
      *why = "has a } without { at column " + std::to_string(at + 1) + " (}} is a single brace)";
      return false;
    } else if (c == '{') {
      const size_t end = end_of_place(written, at + 1);
      if (end == std::string_view::npos) {
        *why = "has a { without } at column " + std::to_string(at + 1) + " ({{ is a single brace)";
        return false;
      }
      if (!parse_place(written.substr(at + 1, end - at - 1), scope, &out->emplace_back(), why)) return false;
      at = end;
    } else {
      literal(c);
    }
  }
  return true;
}

}  // namespace weir::mapping
