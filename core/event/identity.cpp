#include "event/identity.h"

#include <sys/random.h>

#include <cstdlib>
#include <cstring>
#include <span>

#include "base/digest.h"

namespace weir::event {
namespace {

void put_be64(uint8_t* to, uint64_t value) {
  for (int i = 7; i >= 0; --i, value >>= 8) to[i] = static_cast<uint8_t>(value);
}
uint64_t get_be64(const uint8_t* from) {
  uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | from[i];
  return value;
}
constexpr uint64_t kVariant = uint64_t{2} << 62;
constexpr uint64_t kRandomB = (uint64_t{1} << 62) - 1;

uint64_t rotate_left(uint64_t x, int k) { return x << k | x >> (64 - k); }
uint64_t mix(uint64_t x) {
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
  x = (x ^ x >> 27) * 0x94D049BB133111EBu;
  return x ^ x >> 31;
}

}  // namespace

uint64_t random_u64() {
  uint64_t value = 0;
  while (value == 0) {
    if (getrandom(&value, sizeof value, 0) != sizeof value) std::abort();  // cannot fail for 8 bytes on Linux
  }
  return value;
}

IdSource::IdSource() {
  for (uint64_t& word : state_) word = random_u64();
}

// xoshiro256** (Blackman and Vigna, 2018), seeded from the kernel: ids must be unique, not secret.
uint64_t IdSource::random() {
  uint64_t result = rotate_left(state_[1] * 5, 7) * 9;
  uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = rotate_left(state_[3], 45);
  return result;
}

Id IdSource::next(int64_t unix_ns, uint32_t count) {
  auto ms = static_cast<uint64_t>(unix_ns / 1'000'000);
  Id id;
  put_be64(id.data(), ms << 16 | uint64_t{7} << 12 | (random() & 0xFFF));
  // The run must not wrap: the start leaves room for `count`.
  uint64_t start = random() & kRandomB;
  if (start > kRandomB - count) start = kRandomB - count;
  put_be64(id.data() + 8, kVariant | start);
  return id;
}

Id advance(const Id& first, uint32_t n) {
  Id id = first;
  put_be64(id.data() + 8, get_be64(first.data() + 8) + n);
  return id;
}

Id derive(const Id& cause, uint32_t part) {
  uint64_t high = get_be64(cause.data()), low = get_be64(cause.data() + 8);
  uint64_t a = mix(high ^ mix(low + 0x9E3779B97F4A7C15u * (part + 1)));
  uint64_t b = mix(a ^ low);
  Id id;
  put_be64(id.data(), (a & ~uint64_t{0xF000}) | uint64_t{8} << 12);
  put_be64(id.data() + 8, kVariant | (b & kRandomB));
  return id;
}

Id derive(std::string_view instance, uint64_t epoch, uint64_t sequence, int64_t tick_ns, uint32_t ordinal) {
  uint8_t numbers[28];
  put_be64(numbers, epoch);
  put_be64(numbers + 8, sequence);
  put_be64(numbers + 16, static_cast<uint64_t>(tick_ns));
  for (int i = 0; i < 4; ++i) numbers[24 + i] = static_cast<uint8_t>(ordinal >> (24 - 8 * i));
  base::Sha256 hash;
  hash.update(std::span<const uint8_t>(numbers));
  hash.update(instance);
  base::Digest digest = hash.finish();
  Id id;
  std::memcpy(id.data(), digest.data(), id.size());
  id[6] = static_cast<uint8_t>((id[6] & 0x0F) | 0x80);
  id[8] = static_cast<uint8_t>((id[8] & 0x3F) | 0x80);
  return id;
}

int64_t unix_ms(const Id& id) { return static_cast<int64_t>(get_be64(id.data()) >> 16); }

std::string hex(const uint8_t* bytes, size_t size) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(size * 2);
  for (size_t i = 0; i < size; ++i) {
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

std::string to_text(const uint8_t* id) {
  std::string text = hex(id, 16);
  for (size_t at : {20, 16, 12, 8}) text.insert(at, 1, '-');
  return text;
}

std::optional<Id> parse_id(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Id id{};
  size_t nibble = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (c != '-') return std::nullopt;
      continue;
    }
    int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    if (digit < 0) return std::nullopt;
    id[nibble / 2] = static_cast<uint8_t>(id[nibble / 2] << 4 | digit);
    ++nibble;
  }
  return id;
}

std::string epoch_text(uint64_t epoch) {
  uint8_t bytes[8];
  put_be64(bytes, epoch);
  return hex(bytes, sizeof bytes);
}

}  // namespace weir::event
