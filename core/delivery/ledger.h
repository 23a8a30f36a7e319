// What one consumer owes the ledger: its cursor, its counts and its dead letters, which change together.
#pragma once

#include <string>
#include <vector>

#include "journal/state.h"
#include "journal/tail.h"

namespace weir::delivery {

// Settles each event with exactly one outcome. One thread.
class Ledger {
 public:
  explicit Ledger(journal::ConsumerState state) : state_(std::move(state)) {}

  const journal::ConsumerState& state() const { return state_; }
  // True when something was settled or buried since take_letters().
  bool changed() const { return changed_; }
  // Something else is to be posted with it.
  void touch() { changed_ = true; }
  size_t letters() const { return letters_.size(); }
  // What is new among the dead letters: to be posted with state().
  std::vector<journal::DeadLetter> take_letters();

  // The batch without what is settled already, null when nothing is left: after a restart the cursor may stand in its
  // middle.
  event::SharedBlock unsettled_part(const journal::StoredBatch& batch) const;

  // Settles first..last, both included, under this count. What is settled already stays what it is.
  void settle(uint64_t first, uint64_t last, uint64_t journal::Counts::*count);
  void filter(uint64_t first, uint64_t last, const std::string& reason);
  // Adds a dead letter; who refused what and why is filled in, the event is copied from the block. Settles nothing.
  void bury(journal::DeadLetter letter, const event::Block& block, uint32_t index);

 private:
  journal::ConsumerState state_;
  std::vector<journal::DeadLetter> letters_;
  bool changed_ = true;
};

}  // namespace weir::delivery
