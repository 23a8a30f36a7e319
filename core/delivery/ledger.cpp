#include "delivery/ledger.h"

#include <algorithm>
#include <utility>

#include "base/time.h"
#include "event/merge.h"

namespace weir::delivery {
namespace {

// A transform with ever new reasons must not fill the memory.
constexpr size_t kMaxReasons = 100;

std::string one_event(const event::Block& block, uint32_t index) {
  event::Merger merger;
  merger.add(block.batch(), index);
  event::Block copy = merger.take();
  return {reinterpret_cast<const char*>(copy.data()), copy.size()};
}

}  // namespace

std::vector<journal::DeadLetter> Ledger::take_letters() {
  changed_ = false;
  return std::exchange(letters_, {});
}

event::SharedBlock Ledger::unsettled_part(const journal::StoredBatch& batch) const {
  const journal::Cursor& cursor = state_.cursor;
  if (cursor.floor() <= batch.first && cursor.settled_above() == 0) return batch.block;
  if (cursor.next_unsettled(batch.first) == batch.first) {
    bool all = true;
    for (uint64_t s = batch.first; all && s <= batch.last(); ++s) all = !cursor.is_settled(s);
    if (all) return batch.block;
  }
  event::Merger merger;
  for (uint32_t i = 0; i < batch.count; ++i) {
    if (!cursor.is_settled(batch.first + i)) merger.add(batch.block->batch(), i);
  }
  if (merger.count() == 0) return nullptr;
  return std::make_shared<const event::Block>(merger.take());
}

void Ledger::settle(uint64_t first, uint64_t last, uint64_t journal::Counts::*count) {
  state_.counts.*count += state_.cursor.settle(first, last);
  changed_ = true;
}

void Ledger::filter(uint64_t first, uint64_t last, const std::string& reason) {
  uint64_t events = state_.cursor.settle(first, last);
  state_.counts.filtered += events;
  bool known = state_.filtered_by.contains(reason) || state_.filtered_by.size() < kMaxReasons;
  state_.filtered_by[known ? reason : "other reasons"] += events;
  changed_ = true;
}

void Ledger::bury(journal::DeadLetter letter, const event::Block& block, uint32_t index) {
  const weir_event_v1& event = *block.event(index);
  letter.consumer = state_.name;
  letter.epoch = block.batch()->epoch;
  letter.sequence = event.sequence;
  letter.part = event.part;
  std::copy(std::begin(event.id), std::end(event.id), letter.id.begin());
  letter.device_id = block.text(event.device_id);
  letter.at_ns = base::wall_ns();
  letter.body = one_event(block, index);
  letters_.push_back(std::move(letter));
  changed_ = true;
}

}  // namespace weir::delivery
