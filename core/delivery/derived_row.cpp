#include "delivery/derived_row.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "event/identity.h"

namespace weir::delivery {
namespace {

constexpr std::string_view kCause = "weir.cause";
// Enough for a large commit, little enough to be worked again after a crash.
constexpr size_t kFullBytes = 2 << 20;
constexpr uint32_t kFullEvents = 8192;
// What naming the cause adds to a record at most, beside its pairs: the number and alignment.
constexpr size_t kCauseBytes = 20 + 8;

weir_metadata pair_at(const event::Block& block, uint32_t offset, uint32_t k) {
  weir_metadata pair;
  std::memcpy(&pair, block.data() + offset + size_t{k} * sizeof pair, sizeof pair);
  return pair;
}

// Text that records share may be copied once for each of them.
uint64_t copied_bytes(const graph::Flow& outputs) {
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < outputs.count(); ++i) bytes += graph::copied_bytes(outputs.block->batch(), i);
  return bytes;
}

// Appends to the block; the records stay where they are.
class End {
 public:
  explicit End(event::Block* block) : block_(*block), base_(block->size()) {}

  weir_ref text(std::string_view text) {
    weir_ref ref{static_cast<uint32_t>(base_ + bytes_.size()), static_cast<uint32_t>(text.size())};
    bytes_ += text;
    return ref;
  }
  uint32_t pairs(const std::vector<weir_metadata>& pairs) {
    bytes_.append((8 - bytes_.size() % 8) % 8, '\0');
    auto offset = static_cast<uint32_t>(base_ + bytes_.size());
    bytes_.append(reinterpret_cast<const char*>(pairs.data()), pairs.size() * sizeof(weir_metadata));
    return offset;
  }
  void write() {
    bytes_.append((8 - bytes_.size() % 8) % 8, '\0');
    block_.grow(base_ + bytes_.size());
    std::memcpy(block_.data() + base_, bytes_.data(), bytes_.size());
    block_.batch()->total_size = block_.size();
  }
  size_t bytes() const { return base_ + bytes_.size(); }

 private:
  event::Block& block_;
  const size_t base_;  // 8-aligned, as every block's size
  std::string bytes_;
};

// Gives every record the pair "weir.cause". A record for which a batch has no room left goes without.
void name_causes(const std::vector<uint64_t>& causes, event::Block* block) {
  End end(block);
  weir_ref key = end.text(kCause), number{};
  std::vector<weir_metadata> pairs;
  for (uint32_t i = 0; i < causes.size(); ++i) {
    weir_event_v1& event = *block->event(i);
    if (end.bytes() + (event.metadata_count + 1) * sizeof(weir_metadata) + kCauseBytes > WEIR_BATCH_MAX_BYTES) break;
    pairs.clear();
    for (uint32_t k = 0; k < event.metadata_count; ++k) {
      weir_metadata pair = pair_at(*block, event.metadata_offset, k);
      if (block->text(pair.key) != kCause) pairs.push_back(pair);
    }
    if (i == 0 || causes[i] != causes[i - 1]) number = end.text(std::to_string(causes[i]));
    auto after = std::find_if(pairs.begin(), pairs.end(),
                              [&](const weir_metadata& pair) { return block->text(pair.key) > kCause; });
    pairs.insert(after, {key, number});
    event.metadata_count = static_cast<uint32_t>(pairs.size());
    event.metadata_offset = end.pairs(pairs);
  }
  end.write();
}

}  // namespace

bool DerivedRow::fits(const graph::Flow& outputs) const {
  return empty() || (!alone_ && merger_.bytes() + copied_bytes(outputs) <= kFullBytes &&
                     merger_.count() + outputs.count() <= kFullEvents);
}

void DerivedRow::add(graph::Flow outputs, const event::Block& input, int64_t now_ns, int64_t tick_ns,
                     uint64_t from) {
  auto cause_of = [&](uint32_t i) { return input.event(outputs.cause(i))->sequence; };
  if (cause_of(outputs.count() - 1) < from) return;
  const bool merges = copied_bytes(outputs) <= kFullBytes || cause_of(0) < from;
  event::Block& block = *outputs.writable();
  const uint64_t epoch = input.batch()->epoch;
  constexpr uint8_t kNoTrace[16] = {};
  uint64_t sequence = 0;
  uint32_t ordinal = 0;
  for (uint32_t i = 0; i < outputs.count(); ++i) {
    weir_event_v1& event = *block.event(i);
    uint64_t cause = cause_of(i);
    ordinal = i != 0 && cause == sequence ? ordinal + 1 : 0;
    sequence = cause;
    event::Id id = event::derive(instance_, epoch, sequence, tick_ns, ordinal);
    std::memcpy(event.id, id.data(), id.size());
    if (std::memcmp(event.trace_id, kNoTrace, sizeof kNoTrace) == 0) std::memcpy(event.trace_id, id.data(), id.size());
    event.flags |= WEIR_DERIVED;
    event.part = 0;
    event.received_ns = now_ns;
    // It belongs to the message that the source took, and was looked up then.
    event.dedupe_key = {0, 0};
    if (sequence < from) continue;
    if (merges) merger_.add(block.batch(), i);
    causes_.push_back(sequence);
  }
  if (!merges) alone_ = std::move(block);
}

event::Block DerivedRow::take() {
  event::Block block = alone_ ? std::move(*alone_) : merger_.take();
  alone_.reset();
  name_causes(causes_, &block);
  causes_.clear();
  return block;
}

void DerivedRow::clear() {
  (void)merger_.take();
  alone_.reset();
  causes_.clear();
}

}  // namespace weir::delivery
