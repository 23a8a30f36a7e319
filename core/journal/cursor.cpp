#include "journal/cursor.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace weir::journal {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kHeadSize = 1 + sizeof(uint64_t) + sizeof(uint32_t);
constexpr uint64_t kEnd = std::numeric_limits<uint64_t>::max();  // never a sequence, so that last + 1 exists

// LEB128: seven bits a byte, the lowest first.
void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

// False when there is none, it is longer than needed, or it does not fit 64 bits.
bool take_varint(std::string_view& bytes, uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    auto byte = static_cast<uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    if (shift == 63 && byte > 1) return false;
    value |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return shift == 0 || byte != 0;
  }
  return false;
}

base::Error damaged(const char* what) {
  return base::error(base::Code::kDamaged, std::string("the stored cursor cannot be read: ") + what, "",
                     "the consumer's position has to be recovered from the journal");
}

}  // namespace

Cursor::Cursor(uint64_t next, size_t max_intervals) : floor_(next), max_intervals_(max_intervals) {}

size_t Cursor::touching(uint64_t sequence) const {
  auto ends_before = [](const Interval& interval, uint64_t s) { return interval.last + 1 < s; };
  auto at = std::lower_bound(intervals_.begin(), intervals_.end(), sequence, ends_before);
  return static_cast<size_t>(at - intervals_.begin());
}

uint64_t Cursor::settle(uint64_t first, uint64_t last) {
  WEIR_CHECK(first <= last && last < kEnd);
  if (last < floor_) return 0;
  first = std::max(first, floor_);
  if (first == floor_ && (intervals_.empty() || last + 1 < intervals_.front().first)) {
    floor_ = last + 1;
    return last - first + 1;
  }
  // Everything from `at` to `end` touches first..last and becomes one interval with it.
  size_t at = touching(first);
  size_t end = at;
  Interval merged{first, last};
  uint64_t had = 0;
  for (; end < intervals_.size() && intervals_[end].first <= last + 1; ++end) {
    merged = {std::min(merged.first, intervals_[end].first), std::max(merged.last, intervals_[end].last)};
    had += intervals_[end].last - intervals_[end].first + 1;
  }
  auto begin = intervals_.begin();
  if (at == end) {
    intervals_.insert(begin + static_cast<ptrdiff_t>(at), merged);
  } else {
    intervals_[at] = merged;
    intervals_.erase(begin + static_cast<ptrdiff_t>(at) + 1, begin + static_cast<ptrdiff_t>(end));
  }
  uint64_t added = merged.last - merged.first + 1 - had;
  settled_above_ += added;
  absorb();
  return added;
}

// Moves the floor over the first interval when it has reached it.
void Cursor::absorb() {
  if (intervals_.empty() || intervals_.front().first > floor_) return;
  settled_above_ -= intervals_.front().last - intervals_.front().first + 1;
  floor_ = intervals_.front().last + 1;
  intervals_.erase(intervals_.begin());
}

bool Cursor::would_overflow(uint64_t first, uint64_t last) const {
  if (first <= floor_) return false;  // joins the floor
  size_t at = touching(first);
  bool separate = at == intervals_.size() || intervals_[at].first > last + 1;
  return separate && full();
}

bool Cursor::is_settled(uint64_t sequence) const { return next_unsettled(sequence) != sequence; }

uint64_t Cursor::next_unsettled(uint64_t from) const {
  if (from < floor_) return floor_;
  size_t at = touching(from);
  if (at < intervals_.size() && intervals_[at].last + 1 == from) ++at;  // only ends before it
  if (at == intervals_.size() || intervals_[at].first > from) return from;
  return intervals_[at].last + 1;
}

std::string Cursor::encode() const {
  std::string out(kHeadSize, '\0');
  auto count = static_cast<uint32_t>(intervals_.size());
  out[0] = static_cast<char>(kVersion);
  std::memcpy(&out[1], &floor_, sizeof floor_);
  std::memcpy(&out[1 + sizeof floor_], &count, sizeof count);
  uint64_t end = floor_;
  for (const Interval& interval : intervals_) {
    put_varint(out, interval.first - end);
    put_varint(out, interval.last - interval.first);
    end = interval.last + 1;
  }
  return out;
}

base::Result<Cursor> Cursor::decode(std::string_view bytes, size_t max_intervals) {
  if (bytes.size() < kHeadSize) return damaged("it is cut off");
  if (static_cast<uint8_t>(bytes[0]) != kVersion) return damaged("its version is unknown");
  uint64_t floor;
  uint32_t count;
  std::memcpy(&floor, bytes.data() + 1, sizeof floor);
  std::memcpy(&count, bytes.data() + 1 + sizeof floor, sizeof count);
  bytes.remove_prefix(kHeadSize);
  if (count > bytes.size() / 2) return damaged("it holds fewer intervals than it says");

  Cursor cursor(floor, max_intervals);
  cursor.intervals_.reserve(count);
  uint64_t end = floor;  // the next interval begins above it; never kEnd
  for (uint32_t i = 0; i < count; ++i) {
    uint64_t distance, more;
    if (!take_varint(bytes, distance) || !take_varint(bytes, more)) return damaged("an interval is cut off");
    if (distance == 0) return damaged("two intervals touch");
    if (distance >= kEnd - end || more >= kEnd - end - distance)
      return damaged("an interval is out of range");
    uint64_t first = end + distance;
    cursor.intervals_.push_back({first, first + more});
    cursor.settled_above_ += more + 1;
    end = first + more + 1;
    if (end == kEnd && i + 1 < count) return damaged("an interval is out of range");
  }
  if (!bytes.empty()) return damaged("it is longer than its intervals");
  return cursor;
}

}  // namespace weir::journal
