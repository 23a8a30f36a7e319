#include "delivery/window.h"

#include <algorithm>
#include <utility>

#include "base/result.h"
#include "event/merge.h"

namespace weir::delivery {
namespace {

constexpr size_t kMaxSpare = 1024;         // pieces kept for reuse, about 200 KiB
constexpr uint32_t kShrinkAt = 8;          // smaller pieces are not worth a copy
constexpr uint32_t kShrinkBelowShare = 4;  // of a piece's events, one in four pending

}  // namespace

Piece& Window::add(event::SharedBlock block, base::Monotonic now, std::span<const uint64_t> dead_before) {
  std::unique_ptr<Piece> piece;
  if (spare_.empty()) {
    piece = std::make_unique<Piece>();
  } else {
    piece = std::move(spare_.back());
    spare_.pop_back();
  }
  piece->count = piece->unsettled = block->batch()->count;
  piece->next = 0;
  piece->added = now;
  piece->block = std::move(block);
  piece->dead_before.assign(dead_before.begin(), dead_before.end());
  piece->slot = pieces_.size();

  bool several_parts = false;
  bool gapless = true;
  for (uint32_t i = 1; i < piece->count; ++i) {
    uint64_t before = piece->event(i - 1).sequence;
    uint64_t sequence = piece->event(i).sequence;
    WEIR_CHECK(before <= sequence);
    several_parts |= before == sequence;
    gapless &= before + 1 == sequence;
  }
  piece->gapless = gapless;
  piece->grouped = several_parts || !dead_before.empty();
  if (piece->grouped) piece->states.assign(piece->count, Piece::State::kPending);

  events_ += piece->count;
  bytes_ += piece->block->size();
  pieces_.push_back(std::move(piece));
  return *pieces_.back();
}

void Window::deliver(Piece& piece, uint32_t first, uint32_t count) {
  mark(piece, first, count, Piece::State::kDelivered);
  if (piece.grouped) {
    report_groups(piece, first, count);
  } else {
    report_events(piece, first, count);
  }
  release(piece, count);
}

void Window::kill(Piece& piece, uint32_t index, DeadPart dead) {
  mark(piece, index, 1, Piece::State::kDead);
  const weir_event_v1& event = piece.event(index);
  dead.part = event.part;
  dead.block = piece.block;
  dead.index = piece.place(index);
  if (piece.grouped) {
    piece.dead.emplace_back(event.sequence, std::move(dead));
    report_groups(piece, index, 1);
  } else {
    Settled& settled = settled_.emplace_back();
    settled.epoch = piece.block->batch()->epoch;
    settled.first = settled.last = event.sequence;
    settled.dead = true;
    settled.dead_parts.push_back(std::move(dead));
  }
  release(piece, 1);
}

// Keeps what each event became, where it matters: not for a piece that settles in one go.
void Window::mark(Piece& piece, uint32_t first, uint32_t count, Piece::State state) {
  WEIR_CHECK(count <= piece.unsettled && first + count <= piece.count);
  if (piece.states.empty()) {
    if (count == piece.count) return;
    piece.states.assign(piece.count, Piece::State::kPending);
  }
  for (uint32_t i = first; i < first + count; ++i) {
    WEIR_CHECK(piece.states[i] == Piece::State::kPending);
    piece.states[i] = state;
  }
}

void Window::report_events(const Piece& piece, uint32_t first, uint32_t count) {
  uint64_t epoch = piece.block->batch()->epoch;
  if (piece.gapless) {
    uint64_t sequence = piece.event(first).sequence;
    report(epoch, sequence, sequence + count - 1);
    return;
  }
  for (uint32_t i = first; i < first + count; ++i)
    report(epoch, piece.event(i).sequence, piece.event(i).sequence);
}

// Reports the events of which a part among first.. was settled just now, and no part is pending.
void Window::report_groups(Piece& piece, uint32_t first, uint32_t count) {
  for (uint32_t i = first; i < first + count;) {
    uint64_t sequence = piece.event(i).sequence;
    uint32_t begin = i;
    while (begin > 0 && piece.event(begin - 1).sequence == sequence) --begin;
    uint32_t end = i + 1;
    while (end < piece.count && piece.event(end).sequence == sequence) ++end;
    report_group(piece, begin, end);
    i = end;
  }
}

void Window::report_group(Piece& piece, uint32_t first, uint32_t end) {
  bool dead = false;
  for (uint32_t i = first; i < end; ++i) {
    if (piece.states[i] == Piece::State::kPending) return;
    dead |= piece.states[i] == Piece::State::kDead;
  }
  uint64_t sequence = piece.event(first).sequence;
  uint64_t epoch = piece.block->batch()->epoch;
  dead |= std::binary_search(piece.dead_before.begin(), piece.dead_before.end(), sequence);
  if (!dead) return report(epoch, sequence, sequence);

  Settled& settled = settled_.emplace_back();
  settled.epoch = epoch;
  settled.first = settled.last = sequence;
  settled.dead = true;
  auto other = [&](const auto& entry) { return entry.first != sequence; };
  auto mine = std::stable_partition(piece.dead.begin(), piece.dead.end(), other);
  for (auto entry = mine; entry != piece.dead.end(); ++entry) {
    settled.dead_parts.push_back(std::move(entry->second));
  }
  piece.dead.erase(mine, piece.dead.end());
}

void Window::report(uint64_t epoch, uint64_t first, uint64_t last) {
  if (!settled_.empty()) {
    Settled& before = settled_.back();
    if (!before.dead && before.epoch == epoch && before.last + 1 == first) {
      before.last = last;
      return;
    }
  }
  Settled& settled = settled_.emplace_back();
  settled.epoch = epoch;
  settled.first = first;
  settled.last = last;
}

void Window::release(Piece& piece, uint32_t settled) {
  events_ -= settled;
  piece.unsettled -= settled;
  if (piece.unsettled != 0) {
    bool few = piece.unsettled <= piece.count / kShrinkBelowShare;
    if (few && piece.count >= kShrinkAt && piece.next == piece.count && piece.places.empty() &&
        !piece.grouped)
      shrink(piece);
    return;
  }
  bytes_ -= piece.block->size();
  std::unique_ptr<Piece> gone = std::move(pieces_[piece.slot]);
  if (gone->slot + 1 != pieces_.size()) {
    pieces_[gone->slot] = std::move(pieces_.back());
    pieces_[gone->slot]->slot = gone->slot;
  }
  pieces_.pop_back();
  if (spare_.size() >= kMaxSpare) return;
  gone->block.reset();
  gone->states.clear();
  gone->places.clear();
  gone->dead_before.clear();
  gone->dead.clear();
  spare_.push_back(std::move(gone));
}

// Copies the few events that are left into a block of their own, so that one parked device does not hold the
// memory of everything that was read together with it.
void Window::shrink(Piece& piece) {
  event::Merger merger;
  std::vector<uint32_t> places(piece.count, 0);
  for (uint32_t i = 0; i < piece.count; ++i) {
    if (piece.states[i] != Piece::State::kPending) continue;
    places[i] = merger.count();
    merger.add(piece.block->batch(), i);
  }
  bytes_ -= piece.block->size();
  piece.block = std::make_shared<event::Block>(merger.take());
  piece.places = std::move(places);
  bytes_ += piece.block->size();
}

std::vector<Settled> Window::drain() { return std::exchange(settled_, {}); }

}  // namespace weir::delivery
