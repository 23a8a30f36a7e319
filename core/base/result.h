// Errors that the outside world can cause are values: Result<T> carries a value or an Error.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace weir::base {

enum class Code {
  kInvalid,      // what was given is wrong; the same call fails again
  kNotFound,     // there is no such thing
  kUnavailable,  // not now; try again later
  kFull,         // no space: disk, quota or memory
  kTimeout,
  kDenied,
  kDamaged,  // stored data does not verify
  kInternal  // a defect, ours or a plugin's
};

// What a person gets to see: what is wrong, where, and what to do about it.
struct Error {
  Code code = Code::kInternal;
  std::string what;   // one line
  std::string where;  // a file, "file:line:column", an instance; may be empty
  std::string hint;   // what to do; may be empty

  // "where: what (hint)"
  std::string text() const {
    std::string line = where.empty() ? what : where + ": " + what;
    return hint.empty() ? line : line + " (" + hint + ")";
  }
};

inline Error error(Code code, std::string what, std::string where = "", std::string hint = "") {
  return {code, std::move(what), std::move(where), std::move(hint)};
}

// A defect of ours: says so and ends the process, in release builds too. Never for outside data.
[[noreturn]] inline void defect(const char* file, int line, const char* what) {
  std::fprintf(stderr, "weir: defect at %s:%d: %s\n", file, line, what);
  std::abort();
}
#define WEIR_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::weir::base::defect(__FILE__, __LINE__, #condition))

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() & {
    WEIR_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    WEIR_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    WEIR_CHECK(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  const Error& error() const {
    WEIR_CHECK(!ok());
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}
  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const {
    WEIR_CHECK(!ok());
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace weir::base
