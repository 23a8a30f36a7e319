#include "graph/join.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "event/identity.h"

namespace weir::graph {
namespace {

event::Id id_of(const weir_event_v1& event) {
  event::Id id;
  std::memcpy(id.data(), event.id, id.size());
  return id;
}

// Whether the flows follow one another without sharing a cause, as the halves of one batch do.
bool in_sequence(const std::vector<Flow>& flows) {
  for (size_t k = 1; k < flows.size(); ++k) {
    if (flows[k - 1].cause(flows[k - 1].count() - 1) >= flows[k].cause(0)) return false;
  }
  return true;
}

// Copies all records into new flows, sorted by cause, then by branch.
std::vector<Flow> merge(const std::vector<Flow>& flows, std::vector<Verdict>* refused) {
  struct Record {
    uint32_t cause, flow, index;
  };
  std::vector<Record> records;
  for (uint32_t k = 0; k < flows.size(); ++k) {
    for (uint32_t i = 0; i < flows[k].count(); ++i) records.push_back({flows[k].cause(i), k, i});
  }
  std::stable_sort(records.begin(), records.end(),
                   [](const Record& a, const Record& b) { return a.cause < b.cause; });
  std::vector<Flow> merged;
  FlowWriter writer(&merged);
  for (const Record& record : records) {
    if (writer.add(flows[record.flow], record.index)) continue;
    refused->push_back(
        {record.cause, Fate::kRejected, kAtSink, WEIR_E_INVALID, "it is larger than a batch can be"});
  }
  writer.cut();
  for (Flow& flow : merged) flow.derived = true;
  return merged;
}

// Numbers the records of each cause through all flows. A record keeps its id only when it is its cause itself
// and the first one.
void number(const event::Block& source, std::vector<Flow>* flows) {
  uint32_t cause = UINT32_MAX, part = 0;
  for (Flow& flow : *flows) {
    event::Block* block = flow.writable();
    for (uint32_t i = 0; i < flow.count(); ++i) {
      part = flow.cause(i) == cause ? part + 1 : 0;
      cause = flow.cause(i);
      const weir_event_v1& origin = *source.event(cause);
      weir_event_v1& event = *block->event(i);
      event.part = part;
      if (part == 0 && std::memcmp(event.id, origin.id, sizeof event.id) == 0) continue;
      event::Id id = event::derive(id_of(origin), part);
      std::memcpy(event.id, id.data(), id.size());
    }
  }
}

}  // namespace

void join(const event::Block& source, std::vector<Flow>* flows, std::vector<Piece>* pieces,
          std::vector<Verdict>* refused) {
  std::erase_if(*flows, [](const Flow& flow) { return flow.count() == 0; });
  if (!in_sequence(*flows)) *flows = merge(*flows, refused);
  if (std::any_of(flows->begin(), flows->end(), [](const Flow& flow) { return flow.derived; }))
    number(source, flows);
  for (Flow& flow : *flows) pieces->push_back(std::move(flow));
  flows->clear();
}

}  // namespace weir::graph
