#include "graph/join.h"

#include <algorithm>
#include <cstring>
#include <span>
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

struct Record {
  uint32_t cause, flow, index;
};

// Adds the records of one cause, which stay together. False when they do not fit one batch.
bool add_cause(const std::vector<Flow>& flows, std::span<const Record> records, FlowWriter* writer,
               std::vector<Flow>* merged) {
  uint64_t bytes = 0;
  for (const Record& record : records) {
    bytes += copied_bytes(flows[record.flow].block->batch(), record.index);
  }
  if (!writer->room(bytes, records.size())) writer->cut();
  if (writer->room(bytes, records.size())) {
    for (const Record& record : records) writer->add(flows[record.flow], record.index);
    return true;
  }
  // That counted shared text once a record: whether they fit is only known when they are written.
  std::vector<Flow> alone;
  FlowWriter trial(&alone);
  for (const Record& record : records) {
    if (!trial.add(flows[record.flow], record.index) || !alone.empty()) return false;
  }
  trial.cut();
  merged->push_back(std::move(alone.front()));
  return true;
}

// Copies all records into new flows, sorted by cause, then by branch.
std::vector<Flow> merge(const std::vector<Flow>& flows, std::vector<Verdict>* refused) {
  std::vector<Record> records;
  for (uint32_t k = 0; k < flows.size(); ++k) {
    for (uint32_t i = 0; i < flows[k].count(); ++i) records.push_back({flows[k].cause(i), k, i});
  }
  std::stable_sort(records.begin(), records.end(),
                   [](const Record& a, const Record& b) { return a.cause < b.cause; });
  std::vector<Flow> merged;
  FlowWriter writer(&merged);
  for (auto first = records.begin(); first != records.end();) {
    auto last = std::find_if(first, records.end(), [&](const Record& r) { return r.cause != first->cause; });
    if (!add_cause(flows, {first, last}, &writer, &merged)) {
      refused->push_back({first->cause, Fate::kRejected, kAtSink, WEIR_E_INVALID,
                          "what became of it on all branches is larger than a batch can be"});
    }
    first = last;
  }
  writer.cut();
  for (Flow& flow : merged) flow.derived = true;
  return merged;
}

// Numbers the records of each cause. A record keeps its id only when it is its cause itself and the first
// one.
void number(const event::Block& source, std::vector<Flow>* flows) {
  for (Flow& flow : *flows) {
    uint32_t cause = UINT32_MAX, part = 0;
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
  if (!in_sequence(*flows)) *flows = merge(*flows, refused);
  if (std::any_of(flows->begin(), flows->end(), [](const Flow& flow) { return flow.derived; }))
    number(source, flows);
  for (Flow& flow : *flows) pieces->push_back(std::move(flow));
  flows->clear();
}

}  // namespace weir::graph
