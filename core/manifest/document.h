// One manifest as it was written: its values, and where each of them stands.
//
// JSON with comments (// and /* */). What JSON readers like to let pass is an error here, because a person
// wrote the file and would not notice: a duplicate key, a trailing comma, a number that does not fit, bytes
// that are no UTF-8. Every later finding, of the schemas, of the graph or of a plugin, gets its line and
// column from here.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/problem.h"

namespace weir::manifest {

// Constant once parsed; any thread.
class Document {
 public:
  // Limits: a manifest is written by hand, and what reads it must be bounded whatever it is given.
  static constexpr size_t kMaxBytes = 1024 * 1024;
  static constexpr size_t kMaxDepth = 64;
  static constexpr size_t kMaxValues = 100'000;
  static constexpr size_t kMaxKeyBytes = 256;

  // Parses `text`; `file` is the name in messages. Null when there are problems, which are added to
  // `problems`.
  static std::shared_ptr<const Document> parse(std::string file, std::string_view text, Problems& problems);

  ~Document();
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  const std::string& file() const { return file_; }
  const nlohmann::json& root() const;

  // Where the value at `pointer` begins, or the nearest value around it when it is not there.
  Position value_position(std::string_view pointer) const;
  // Where the key of the value at `pointer` begins; the value itself when it has none (an array's element).
  Position key_position(std::string_view pointer) const;

  Problem value_problem(std::string pointer, std::string what, std::string expected = "") const;
  Problem key_problem(std::string pointer, std::string what, std::string expected = "") const;

 private:
  struct Tree;
  Document(std::string file, std::unique_ptr<Tree> tree);

  std::string file_;
  std::unique_ptr<Tree> tree_;
};

// `pointer` with `key` as one more reference token (RFC 6901 section 3: ~ and / are escaped).
std::string child_pointer(std::string_view pointer, std::string_view key);
std::string child_pointer(std::string_view pointer, size_t index);

// The reference tokens of a pointer, unescaped.
std::vector<std::string> pointer_tokens(std::string_view pointer);

}  // namespace weir::manifest
