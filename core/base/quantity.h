// Quantities as people write them in manifests: "64MiB", "250ms", "24h".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace weir::base {

// Bytes with a unit B, kB, MB, GB (1000) or KiB, MiB, GiB (1024); a bare number is bytes.
Result<uint64_t> parse_bytes(std::string_view text);

// A time with a unit ns, us, ms, s, m, h or d; "0" alone needs none.
Result<Duration> parse_duration(std::string_view text);

// "1.5 MiB": for people.
std::string human_bytes(uint64_t bytes);
// "12,345,678": for people.
std::string human_count(uint64_t count);

}  // namespace weir::base
