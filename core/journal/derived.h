// How far the outputs of a stateful transform have got into the journal.
//
// A stateful transform's outputs and its state lie in different files, so no transaction holds both. Outputs come first:
// each row of them carries a stamp that says up to which input the outputs are complete, in the row's own transaction.
// After a crash the transform works its last inputs again, and what the stamps say is there is not appended again.
#pragma once

#include <compare>
#include <string_view>
#include <vector>

#include "journal/reader.h"

namespace weir::journal {

// What a stateful transform has looked at when it derived: the events up to `position`, and behind them the tick of
// `tick_ns`, 0 when there was none. They come in this order.
struct Derivation {
  uint64_t position = 0;
  int64_t tick_ns = 0;
  auto operator<=>(const Derivation&) const = default;
};

// What the stamps of one instance say.
struct DerivedSoFar {
  Derivation newest;              // everything derived up to here is in the journal; {0, 0}: nothing is
  std::vector<Derivation> ticks;  // those with outputs, in order
};

// Reads the stamps of `instance` in the segments that hold events from `from` on; those of earlier inputs may be among
// them. kUnavailable while files change hands: ask again. Nothing of the instance may be on its way to the journal, and
// the journal must be able to append: what became of a commit that failed is not known before.
base::Result<DerivedSoFar> read_derived(ReaderSource& journal, std::string_view instance, uint64_t from);

}  // namespace weir::journal
