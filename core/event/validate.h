// Checks a batch from outside (a plugin, another process, a journal's row) once; after that it is trusted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "weir/batch.h"

namespace weir::event {

// What is wrong with a batch: the event's index (0 for the head), the field, and why in one line.
struct Fault {
  uint32_t index = 0;
  const char* field = "";
  std::string message;
};

// How strict to be. A source's batch must also be meaningful: required fields, limits, no reserved metadata keys.
// A stored one may have been written by a newer version: only memory safety is checked.
enum class Check { kMemorySafe, kFromSource };

// Nothing when the `size` bytes at `data` (8-aligned) are one well-formed batch. Reads nothing outside of them.
std::optional<Fault> validate(const void* data, size_t size, Check check);

// True for UTF-8 (RFC 3629) without NUL.
bool valid_text(const char* data, size_t size);

}  // namespace weir::event
