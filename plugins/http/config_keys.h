// Reading a configuration key by key, with errors that name the key.
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/plugin.hpp"

namespace weir::http {

[[noreturn]] inline void fail_config(const std::string& pointer, const std::string& what) {
  throw sdk::Failure(WEIR_E_INVALID, what, pointer);
}

// The keys of one object, taken one by one; what is left over is unknown. Throws sdk::Failure.
class ConfigKeys {
 public:
  explicit ConfigKeys(std::string_view text) {
    object_ = text.empty() ? nlohmann::json::object()
                           : nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!object_.is_object()) fail_config("", "the configuration must be a JSON object");
  }

  // An object inside; nothing when it is not there.
  std::optional<ConfigKeys> inside(const char* key) {
    nlohmann::json value = take_object(key);
    if (value.is_null()) return std::nullopt;
    return ConfigKeys(std::move(value), pointer(key));
  }

  // An object as it is, for who reads it; "" when it is not there.
  std::string document(const char* key) {
    const nlohmann::json value = take_object(key);
    return value.is_null() ? "" : value.dump();
  }

  std::string text(const char* key, std::string fallback) {
    const auto value = take(key);
    if (value.is_null()) return fallback;
    if (!value.is_string() || value.get_ref<const std::string&>().empty())
      fail_config(pointer(key), "must be text, not empty");
    return value.get<std::string>();
  }

  uint64_t number(const char* key, uint64_t fallback, uint64_t low, uint64_t high) {
    const auto value = take(key);
    if (value.is_null()) return fallback;
    if (!value.is_number_unsigned() || value.get<uint64_t>() < low || value.get<uint64_t>() > high) {
      fail_config(pointer(key),
                  "must be a whole number from " + std::to_string(low) + " to " + std::to_string(high));
    }
    return value.get<uint64_t>();
  }

  // The place of the text among `words`; `fallback` without it.
  size_t word(const char* key, const std::vector<std::string>& words, size_t fallback) {
    const auto value = take(key);
    if (value.is_null()) return fallback;
    const auto found = std::find(words.begin(), words.end(), value.is_string() ? value.get<std::string>() : "");
    if (found == words.end()) {
      std::string choice;
      for (const std::string& one : words) choice += (choice.empty() ? "\"" : ", \"") + one + "\"";
      fail_config(pointer(key), "must be one of " + choice);
    }
    return static_cast<size_t>(found - words.begin());
  }

  // An object of texts, in the order of its keys.
  std::vector<std::pair<std::string, std::string>> texts(const char* key) {
    std::vector<std::pair<std::string, std::string>> texts;
    const auto value = take(key);
    if (value.is_null()) return texts;
    if (!value.is_object()) fail_config(pointer(key), "must be an object of texts");
    for (const auto& [name, text] : value.items()) {
      if (!text.is_string()) fail_config(pointer(key), "\"" + name + "\" must be text");
      texts.emplace_back(name, text.get<std::string>());
    }
    return texts;
  }

  void expect_end() const {
    if (object_.empty()) return;
    const std::string key = object_.begin().key();
    fail_config(pointer(key), "unknown key \"" + key + "\"");
  }

  // RFC 6901.
  static std::string token(std::string_view key) {
    std::string out = "/";
    for (const char c : key) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return out;
  }
  std::string pointer(std::string_view key) const { return above_ + token(key); }

 private:
  ConfigKeys(nlohmann::json object, std::string above) : object_(std::move(object)), above_(std::move(above)) {}

  nlohmann::json take_object(const char* key) {
    nlohmann::json value = take(key);
    if (!value.is_null() && !value.is_object()) fail_config(pointer(key), "must be an object");
    return value;
  }

  nlohmann::json take(const char* key) {
    const auto found = object_.find(key);
    if (found == object_.end()) return nullptr;
    if (found->is_null()) fail_config(pointer(key), "must not be null; leave the key out for its default");
    nlohmann::json value = std::move(*found);
    object_.erase(found);
    return value;
  }

  nlohmann::json object_;
  std::string above_;  // the pointer of the object itself
};

}  // namespace weir::http
