#include "journal/derived.h"

#include <algorithm>

namespace weir::journal {
namespace {

base::Status read_segment(ReaderSource& journal, const SegmentInfo& segment, std::string_view instance,
                          DerivedSoFar* derived) {
  auto database = open_for_reading(journal, segment);
  if (!database) return database.error();
  return read_stamps(*database, [&](const Stamp& stamp) {
    if (stamp.instance != instance) return;
    Derivation derivation{stamp.position, stamp.tick_ns};
    derived->newest = std::max(derived->newest, derivation);
    if (stamp.tick_ns != 0) derived->ticks.push_back(derivation);
  });
}

}  // namespace

base::Result<DerivedSoFar> read_derived(ReaderSource& journal, std::string_view instance, uint64_t from) {
  DerivedSoFar derived;
  for (uint64_t at = from; at <= journal.head();) {
    auto segment = journal.segments().at_or_after(at);
    if (!segment) break;
    if (auto done = read_segment(journal, *segment, instance, &derived); !done) {
      base::Error failure = done.error();
      if (failure.where.empty()) failure.where = segment_name(segment->number);
      return failure;
    }
    at = segment->facts.last + 1;
  }
  std::sort(derived.ticks.begin(), derived.ticks.end());
  return derived;
}

}  // namespace weir::journal
