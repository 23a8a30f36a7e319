// The batch validator against any bytes. What it lets through must be readable without leaving the block,
// survive being merged, and survive the graph: transforms that amend, drop and emit must make sound blocks of
// it.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "event/json.h"
#include "event/merge.h"
#include "event/validate.h"
#include "graph/pipeline.h"
#include "weir/plugin.hpp"

namespace {

using weir::event::Block;
using weir::event::Check;

// What reading may cost: spans may overlap, so a small block can name a lot of text.
constexpr size_t kMaxText = 1 << 20;

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

// Random bytes hardly ever are a batch. The first byte, which would be the magic's, says how much is set
// right: the head, and references that are small.
void make_likely(Block* block) {
  const uint8_t mode = block->data()[0];
  weir_batch& head = *block->batch();
  head.magic = WEIR_BATCH_MAGIC;
  head.total_size = block->size();
  if ((mode & 1) != 0) return;
  head.event_size = sizeof(weir_event_v1) + 8 * (mode >> 6);
  const size_t room = (block->size() - sizeof head) / head.event_size;
  head.count = static_cast<uint32_t>(std::min<size_t>(mode >> 2 & 7, room));
  const size_t last = (block->size() - size_t{head.count} * head.event_size) / 8 * 8;
  head.header_size = (mode & 32) != 0 ? sizeof head : static_cast<uint32_t>(last);
  if ((mode & 2) != 0) return;
  auto shrink = [](weir_ref* ref) { *ref = {ref->offset % 1024, ref->size % 16}; };
  for (uint32_t i = 0; i < head.count; ++i) {
    weir_event_v1& event = *block->event(i);
    for (weir_ref* ref : {&event.device_id, &event.sensor_type, &event.unit, &event.dedupe_key}) shrink(ref);
    if ((event.value_type & WEIR_VALUE_REF) != 0) shrink(&event.value.ref);
    event.metadata_count %= 8;
    event.metadata_offset = event.metadata_offset % 1024 / 4 * 4;
  }
}

bool sound(const Block& block) {
  return !weir::event::validate(block.data(), block.size(), Check::kMemorySafe);
}

weir_status amend_all(void*, const weir_transform_context*, const weir_batch* batch, weir_output* raw,
                      weir_error*) {
  weir::sdk::Output output(raw);
  for (uint32_t i = 0; i < batch->count; ++i) {
    output.amend_metadata(i, "fuzz", i % 2 != 0 ? "yes" : "");
    output.amend_text(i, WEIR_FIELD_UNIT, "Cel");
  }
  return WEIR_OK;
}

weir_status split(void*, const weir_transform_context*, const weir_batch* batch, weir_output* output,
                  weir_error*) {
  weir_new_event event{};
  for (uint32_t i = 0; i < batch->count; ++i) {
    if (i % 3 == 0) output->drop(output, i, {"third", 5});
    if (i % 3 != 1) output->emit(output, i, &event);
  }
  return WEIR_OK;
}

constexpr weir_transform_v1 kAmend = {amend_all, nullptr, nullptr, 0, 0};
constexpr weir_transform_v1 kSplit = {split, nullptr, nullptr, 0, 0};

void run_graph(const std::shared_ptr<Block>& block) {
  static weir::graph::Pipeline pipeline({{"amend", {&kAmend, nullptr}, {"source"}, false},
                                         {"split", {&kSplit, nullptr}, {"amend", "source"}, false}},
                                        {"split", "amend"});
  weir::graph::Pipeline::Output output;
  require(pipeline.run("source", block, &output), "nothing interrupts it");
  for (const auto& piece : output.pieces) require(sound(*piece.block), "the graph makes sound blocks");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto block = std::make_shared<Block>(size);
  if (size != 0) std::memcpy(block->data(), data, size);
  if (size >= sizeof(weir_batch)) make_likely(block.get());
  const bool strict = !weir::event::validate(block->data(), size, Check::kFromSource);
  if (!sound(*block)) {
    require(!strict, "what a source may send is safe to read");
    return 0;
  }
  weir::event::Merger merger;
  std::string text;
  uint32_t merged_events = 0;
  for (; merged_events < block->batch()->count && text.size() < kMaxText; ++merged_events) {
    text += weir::event::to_json(block->batch(), merged_events, "g") + '\n';
    merger.add(block->batch(), merged_events);
  }
  const Block merged = merger.take();
  require(merged.size() > WEIR_BATCH_MAX_BYTES || sound(merged), "merging makes a sound block");
  std::string again;
  for (uint32_t i = 0; i < merged_events; ++i) again += weir::event::to_json(merged.batch(), i, "g") + '\n';
  require(text == again, "merging changes nothing");
  if (text.size() < kMaxText) run_graph(block);
  return 0;
}
