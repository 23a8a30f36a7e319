// The text forms in which a row holds what a batch holds in binary.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "weir/batch.hpp"

namespace weir::sqlite {

// "0190f3c2-7d1e-7abc-8def-0123456789ab" (RFC 9562, section 4)
std::array<char, 36> uuid_text(const uint8_t (&id)[16]);
// 32 lower-case hex digits, as W3C trace-context writes it.
std::array<char, 32> trace_id_text(const uint8_t (&id)[16]);
// 16 lower-case hex digits: SQLite's INTEGER is signed, and text sorts and compares the same everywhere.
std::array<char, 16> epoch_text(uint64_t epoch);

// The event's metadata as one JSON object, keys sorted, "{}" when there is none. Replaces what `json` held.
void write_metadata(const sdk::EventView& event, std::string& json);

template <size_t n>
std::string_view view(const std::array<char, n>& text) {
  return {text.data(), n};
}

}  // namespace weir::sqlite
