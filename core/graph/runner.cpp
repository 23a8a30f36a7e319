#include "graph/runner.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "base/interrupted.h"
#include "graph/rewrite.h"

namespace weir::graph {
namespace {

constexpr size_t kErrorBytes = 512;
constexpr char kTooMuch[] = "its output is larger than a batch can be";

void refuse(const Work& work, uint32_t cause, Fate fate, uint32_t code, std::string reason,
            std::vector<Verdict>* refused) {
  if (work.drop_rejected) fate = Fate::kFiltered;
  ++(fate == Fate::kFiltered ? work.counts->filtered : work.counts->rejected);
  refused->push_back({cause, fate, work.node, code, std::move(reason)});
}

// Calls the transform and settles what it said. False when it was interrupted.
bool decide(const TransformCall& transform, const event::Block& block, Decisions* decisions) {
  char text[kErrorBytes] = "";
  char pointer[64] = "";
  weir_error error{WEIR_OK, 0, text, sizeof text, sizeof pointer, pointer};
  weir_transform_context context{0, 0};  // a pure transform has no position and no time
  decisions->begin(block);
  base::CallClock::Running running(transform.clock, "process", base::kQuickCallLimit);
  weir_status status = transform.table->process(transform.self, &context, block.batch(), decisions, &error);
  if (transform.interruptible && status == base::kInterrupted) return false;
  if (status == WEIR_OK) {
    decisions->settle(status, "");
    return true;
  }
  std::string why(text, strnlen(text, sizeof text));
  if (why.empty()) why = "the transform failed with status " + std::to_string(status) + " and no text";
  decisions->settle(status, why);
  return true;
}

}  // namespace

bool Runner::run(const Work& work, Flow flow, std::vector<Flow>* out, std::vector<Verdict>* refused) {
  if (!decide(work.transform, *flow.block, &decisions_)) return false;
  if (!decisions_.all_kept() && decisions_.result_bytes() > WEIR_BATCH_MAX_BYTES) {
    return halve(work, flow, out, refused);
  }
  NodeCounts& counts = *work.counts;
  counts.in += flow.count();
  counts.emitted += decisions_.derived().size();
  counts.undecided += decisions_.undecided();
  counts.ignored_calls += decisions_.ignored_calls();
  if (!decisions_.all_kept()) {
    for (Refusal& refusal : decisions_.refusals()) {
      refuse(work, flow.cause(refusal.index), refusal.fate, refusal.code, std::move(refusal.reason), refused);
    }
    apply(decisions_, &flow);
    if (flow.count() == 0) return true;
  }
  out->push_back(std::move(flow));
  return true;
}

bool Runner::halve(const Work& work, const Flow& flow, std::vector<Flow>* out,
                   std::vector<Verdict>* refused) {
  const uint32_t n = flow.count();
  // The half is moved to where one cause ends and the next begins.
  uint32_t middle = n / 2;
  while (middle > 0 && flow.cause(middle - 1) == flow.cause(middle)) --middle;
  if (middle == 0) middle = n / 2;
  while (middle > 0 && middle < n && flow.cause(middle - 1) == flow.cause(middle)) ++middle;
  const bool one_cause = middle == 0 || middle == n;

  std::vector<Flow> parts;
  FlowWriter writer(&parts);
  bool whole = true;
  for (uint32_t i = 0; i < n; ++i) {
    if (i == middle) writer.cut();
    if (writer.add(flow, i)) continue;
    whole = false;
    if (!one_cause) refuse(work, flow.cause(i), Fate::kRejected, WEIR_E_INVALID, kTooMuch, refused);
  }
  writer.cut();
  // One cause can only be tried again when copying it has left something behind, text that nobody refers to.
  if (one_cause && !(whole && parts.size() == 1 && parts[0].block->size() < flow.block->size())) {
    work.counts->in += n;
    refuse(work, flow.cause(0), Fate::kRejected, WEIR_E_INVALID, kTooMuch, refused);
    return true;
  }
  for (Flow& part : parts) {
    if (!run(work, std::move(part), out, refused)) return false;
  }
  return true;
}

}  // namespace weir::graph
