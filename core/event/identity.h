// Who an event is: UUIDv7 (RFC 9562 section 5.7), and the text forms of ids.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::event {

using Id = std::array<uint8_t, 16>;

// Makes ids that grow: within one call of next() of `count` ids the last 62 bits count up from a random start
// (RFC 9562 section 6.2, method 2), so a run of ids is known from its first one. One thread.
class IdSource {
 public:
  IdSource();
  // The first of `count` ids for events received at unix_ns.
  Id next(int64_t unix_ns, uint32_t count);

 private:
  uint64_t random();
  uint64_t state_[4];
};

// The id `n` places after `first` in its run.
Id advance(const Id& first, uint32_t n);

// An id made from other facts, of UUID version 8 (RFC 9562 section 5.8): equal facts, equal id.
Id derive(const Id& cause, uint32_t part);

// The same for what a stateful transform derives: `instance` looked at `sequence` of `epoch`, or at the tick of `tick_ns`
// behind it (0: at the event), and this is its ordinal-th answer.
Id derive(std::string_view instance, uint64_t epoch, uint64_t sequence, int64_t tick_ns, uint32_t ordinal);

// The milliseconds since the Unix epoch that a UUIDv7 carries.
int64_t unix_ms(const Id& id);

std::string to_text(const uint8_t* id);  // 8-4-4-4-12 lower-case hex
std::optional<Id> parse_id(std::string_view text);
std::string hex(const uint8_t* bytes, size_t size);
std::string epoch_text(uint64_t epoch);  // 16 hex digits

// A random 64-bit number from the kernel, never 0.
uint64_t random_u64();

}  // namespace weir::event
