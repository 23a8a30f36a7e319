// What a delivery queue holds in memory: pieces of the journal that are not settled yet, and how they settle.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "event/block.h"

namespace weir::delivery {

// One part of an event that was given up for good: one dead letter.
struct DeadPart {
  uint32_t part = 0;
  uint32_t code = 0;
  uint32_t attempts = 0;  // while the breaker was closed, the last one included
  std::string reason;
  event::SharedBlock block;  // holds the event at `index`
  uint32_t index = 0;
};

// Sequences that are finished. Delivered ones come as ranges. An event is settled when all of its parts are;
// it is dead when one of them is, and then comes alone (first == last).
struct Settled {
  uint64_t epoch = 0;
  uint64_t first = 0, last = 0;
  bool dead = false;
  std::vector<DeadPart> dead_parts;  // empty for an event that was dead before it came here
};

// One block of the journal's way to the sink. Events are known by their place in the block as it was added.
struct Piece {
  event::SharedBlock block;
  uint32_t count = 0;      // events, as added
  uint32_t unsettled = 0;  // of them
  uint32_t next = 0;  // the first one that was not looked at for a submission; those from here on are fresh
  base::Monotonic added;

  const weir_event_v1& event(uint32_t i) const { return *block->event(place(i)); }
  // Where the i-th event is in `block`.
  uint32_t place(uint32_t i) const { return places.empty() ? i : places[i]; }
  // Its device: a hash of the device_id. Two devices with one hash only wait for each other.
  uint64_t device(uint32_t i) const { return std::hash<std::string_view>()(block->text(event(i).device_id)); }

  // For Window alone.
  enum class State : uint8_t { kPending, kDelivered, kDead };
  bool gapless = false;          // one part a sequence, each one more than the one before
  bool grouped = false;          // some sequence has several parts, or was dead before
  size_t slot = 0;               // in Window::pieces_
  std::vector<State> states;     // one an event; empty while none or all are settled and it is not grouped
  std::vector<uint32_t> places;  // after shrink()
  std::vector<uint64_t> dead_before;                // ascending
  std::vector<std::pair<uint64_t, DeadPart>> dead;  // by sequence; parts of events that are not settled yet
};

// Owns the pieces; a piece goes when its last event is settled, and references to it with it. One thread.
class Window {
 public:
  Piece& add(event::SharedBlock block, base::Monotonic now, std::span<const uint64_t> dead_before);

  // Settles `count` pending events from `first` on as delivered. The piece may be gone afterwards.
  void deliver(Piece& piece, uint32_t first, uint32_t count);
  // Settles one pending event as dead; part, block and index are filled in. The piece may be gone afterwards.
  void kill(Piece& piece, uint32_t index, DeadPart dead);

  std::vector<Settled> drain();
  uint64_t events() const { return events_; }  // not settled
  uint64_t bytes() const { return bytes_; }    // of the blocks that hold them

 private:
  void mark(Piece& piece, uint32_t first, uint32_t count, Piece::State state);
  void report_events(const Piece& piece, uint32_t first, uint32_t count);
  void report_groups(Piece& piece, uint32_t first, uint32_t count);
  void report_group(Piece& piece, uint32_t first, uint32_t end);
  void report(uint64_t epoch, uint64_t first, uint64_t last);
  void release(Piece& piece, uint32_t settled);
  void shrink(Piece& piece);

  std::vector<std::unique_ptr<Piece>> pieces_;
  std::vector<std::unique_ptr<Piece>> spare_;  // for reuse
  std::vector<Settled> settled_;
  uint64_t events_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace weir::delivery
