// Which call of the plugin is running: memory that the child writes and its parent reads, so that the parent can say
// what hung or crashed when the child no longer can.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/time.h"

namespace weir::check {

// Shared between two processes: fixed layout, no pointers. A text may be read while it is written; it is for people.
struct Board {
  static constexpr size_t kSlots = 8;  // threads that call the plugin at one time
  static constexpr size_t kTextBytes = 160;
  struct Slot {
    std::atomic<int64_t> since_ns{0};  // CLOCK_MONOTONIC; 0: no call runs
    std::atomic<int64_t> limit_ns{0};
    std::atomic<uint32_t> taken{0};
    char text[kTextBytes] = "";
  };
  Slot slots[kSlots];
};
static_assert(std::atomic<int64_t>::is_always_lock_free);

// One call, from its beginning to its end. Any thread.
class Doing {
 public:
  Doing(Board& board, std::string_view call, base::Duration limit) : slot_(take(board)) {
    if (slot_ == nullptr) return;
    size_t size = std::min(call.size(), Board::kTextBytes - 1);
    std::memcpy(slot_->text, call.data(), size);
    slot_->text[size] = '\0';
    slot_->limit_ns = limit.count();
    slot_->since_ns = base::monotonic_ns();
  }
  ~Doing() {
    if (slot_ == nullptr) return;
    slot_->since_ns = 0;
    slot_->taken = 0;
  }
  Doing(const Doing&) = delete;
  Doing& operator=(const Doing&) = delete;

 private:
  static Board::Slot* take(Board& board) {
    for (Board::Slot& slot : board.slots) {
      uint32_t free = 0;
      if (slot.taken.compare_exchange_strong(free, 1)) return &slot;
    }
    return nullptr;
  }
  Board::Slot* slot_;
};

}  // namespace weir::check
