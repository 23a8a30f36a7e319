#include "graph/stateful.h"

#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "base/interrupted.h"
#include "graph/rewrite.h"

namespace weir::graph {
namespace {

constexpr size_t kErrorBytes = 512;
constexpr char kTooMuch[] = "its output is larger than a batch can be";

// Runs `call` with room for what it says, and settles the decisions. False when it was interrupted.
template <class Call>
bool decide(const TransformCall& transform, Call&& call, Decisions* decisions) {
  char text[kErrorBytes] = "";
  char pointer[64] = "";
  weir_error error{WEIR_OK, 0, text, sizeof text, sizeof pointer, pointer};
  weir_status status = call(&error);
  if (transform.interruptible && status == base::kInterrupted) return false;
  std::string why(text, strnlen(text, sizeof text));
  if (status != WEIR_OK && why.empty()) {
    why = "the transform failed with status " + std::to_string(status) + " and no text";
  }
  decisions->settle(status, why);
  return true;
}

// A block of one event that holds nothing: what a tick's outputs are derived from.
event::SharedBlock nothing_at(const weir_transform_context& context) {
  auto block = std::make_shared<event::Block>(sizeof(weir_batch) + sizeof(weir_event_v1));
  std::memset(block->data(), 0, block->size());
  *block->batch() = {WEIR_BATCH_MAGIC, sizeof(weir_batch), sizeof(weir_event_v1), 1, block->size(), 0};
  weir_event_v1& event = *block->event(0);
  event.sequence = context.position;
  event.received_ns = event.timestamp_ns = context.now_ns;
  return block;
}

// An emitted record was written as a copy of its cause; here it becomes an event of its own.
void stand_alone(const Derived& derived, int64_t now_ns, weir_event_v1* event) {
  event->timestamp_ns = derived.timestamp_ns != 0 ? derived.timestamp_ns : now_ns;
  event->unit = derived.unit;
  event->metadata_count = derived.metadata_count;
  event->metadata_offset = derived.metadata_offset;
  event->flags = WEIR_DERIVED;
  std::memset(event->parent_span, 0, sizeof event->parent_span);
}

}  // namespace

bool StatefulNode::process(const weir_transform_context& context, const event::SharedBlock& block, Answer* answer) {
  decisions_.begin(*block, changes_);
  bool answered = decide(transform_, [&](weir_error* error) {
    base::CallClock::Running running(transform_.clock, "process", base::kQuickCallLimit);
    return transform_.table->process(transform_.self, &context, block->batch(), &decisions_, error);
  }, &decisions_);
  if (!answered) return false;
  counts_.in += block->batch()->count;
  conclude(context, block, answer);
  return true;
}

bool StatefulNode::tick(const weir_transform_context& context, Answer* answer) {
  event::SharedBlock nothing = nothing_at(context);
  decisions_.begin_tick(*nothing, changes_);
  bool answered = decide(transform_, [&](weir_error* error) {
    base::CallClock::Running running(transform_.clock, "tick", base::kQuickCallLimit);
    return transform_.table->tick(transform_.self, &context, &decisions_, error);
  }, &decisions_);
  if (!answered) return false;
  conclude(context, nothing, answer);
  answer->refusals.clear();  // there is no event to refuse
  return true;
}

void StatefulNode::conclude(const weir_transform_context& context, const event::SharedBlock& block, Answer* answer) {
  counts_.emitted += decisions_.derived().size();
  counts_.undecided += decisions_.undecided();
  counts_.ignored_calls += decisions_.ignored_calls();
  answer->outputs = Flow();
  answer->input = block;
  answer->refusals = std::move(decisions_.refusals());
  const uint32_t count = block->batch()->count;
  if (decisions_.kept_count() + decisions_.derived().size() != 0) {
    if (decisions_.result_bytes() > WEIR_BATCH_MAX_BYTES) {
      answer->refusals.clear();
      for (uint32_t i = 0; i < count; ++i) answer->refusals.push_back({i, Fate::kRejected, WEIR_E_INVALID, kTooMuch});
    } else {
      answer->outputs.block = block;
      apply(decisions_, &answer->outputs);
      // As apply() wrote them: of each event first itself, when it is kept, then what it made.
      auto derived = decisions_.derived().begin();
      uint32_t at = 0;
      for (uint32_t i = 0; i < count; ++i) {
        if (decisions_.kept(i)) ++at;
        for (; derived != decisions_.derived().end() && derived->cause == i; ++derived, ++at) {
          stand_alone(*derived, context.now_ns, answer->outputs.writable()->event(at));
        }
      }
    }
  }
  for (const Refusal& refusal : answer->refusals) {
    ++(refusal.fate == Fate::kFiltered ? counts_.filtered : counts_.rejected);
  }
}

}  // namespace weir::graph
