#include "manifest/secrets.h"

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/result.h"
#include "manifest/file_text.h"
#include "manifest/text_cursor.h"

namespace weir::manifest {
namespace {

using nlohmann::json;

constexpr const char* kForms = "\"${file:PATH}\" or \"${env:NAME}\"; \"$${\" for the characters \"${\"";

base::Result<std::string> usable(std::string text, const std::string& source) {
  if (text.find('\0') != std::string::npos || find_bad_utf8(text)) {
    return base::error(base::Code::kInvalid, source + " holds bytes that are no text", "",
                       "UTF-8 without NUL");
  }
  return text;
}

base::Result<std::string> read_secret_file(const std::string& name, const std::filesystem::path& base) {
  const std::filesystem::path path = base / name;
  auto text = read_file_text(path, kMaxSecretBytes);
  const std::string source = "the secret file " + in_quotes(path.lexically_normal().string());
  if (!text.ok()) {
    return base::error(text.error().code, source + " " + text.error().what, "", "a readable file");
  }
  if (text->ends_with('\n')) text->pop_back();
  if (text->ends_with('\r')) text->pop_back();
  return usable(std::move(*text), source);
}

base::Result<std::string> read_variable(const std::string& name) {
  const std::string source = "the environment variable " + in_quotes(name);
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) {
    return base::error(base::Code::kNotFound, source + " is not set", "",
                       "a variable of the gateway's process");
  }
  return usable(value, source);
}

// `reference` is what stands between "${" and "}".
base::Result<std::string> look_up(const std::string& reference, const std::filesystem::path& base) {
  if (reference.starts_with("file:") && reference.size() > 5)
    return read_secret_file(reference.substr(5), base);
  if (reference.starts_with("env:") && reference.size() > 4) return read_variable(reference.substr(4));
  return base::error(base::Code::kInvalid,
                     in_quotes("${" + reference + "}") + " is not a reference to a secret", "", kForms);
}

base::Result<std::string> expand(const std::string& text, const std::filesystem::path& base) {
  std::string out;
  size_t at = 0;
  while (at < text.size()) {
    if (text.compare(at, 3, "$${") == 0) {
      out += "${";
      at += 3;
    } else if (text.compare(at, 2, "${") == 0) {
      const size_t end = text.find('}', at);
      if (end == std::string::npos) {
        return base::error(base::Code::kInvalid, "a reference to a secret does not end", "", kForms);
      }
      auto secret = look_up(text.substr(at + 2, end - at - 2), base);
      if (!secret.ok()) return secret;
      out += *secret;
      at = end + 1;
    } else {
      out += text[at++];
    }
  }
  return out;
}

}  // namespace

void resolve_secrets(json& value, const std::filesystem::path& base, const Document& document,
                     const std::string& at, Problems& problems) {
  if (value.is_object()) {
    for (auto& [key, inner] : value.items()) {
      resolve_secrets(inner, base, document, child_pointer(at, key), problems);
    }
  } else if (value.is_array()) {
    for (size_t i = 0; i < value.size(); ++i) {
      resolve_secrets(value[i], base, document, child_pointer(at, i), problems);
    }
  } else if (value.is_string() && problems.size() < kMaxProblems) {
    const std::string& text = value.get_ref<const std::string&>();
    if (text.find("${") == std::string::npos) return;
    auto expanded = expand(text, base);
    if (expanded.ok()) {
      value = std::move(*expanded);
    } else {
      problems.push_back(document.value_problem(at, expanded.error().what, expanded.error().hint));
    }
  }
}

}  // namespace weir::manifest
