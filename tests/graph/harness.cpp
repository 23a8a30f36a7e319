#include "harness.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>

#include "event/json.h"
#include "event/validate.h"

namespace weir::graph {

const weir_transform_v1 TestTransform::kTable = {
    [](void* self, const weir_transform_context*, const weir_batch* batch, weir_output* output,
       weir_error* error) {
      auto& transform = *static_cast<TestTransform*>(self);
      ++transform.calls_;
      return transform.process_(batch, output, error);
    },
    nullptr, nullptr, 0, 0};

TestTransform TestTransform::each(EachEvent each) {
  return TestTransform([each = std::move(each)](const weir_batch* batch, weir_output* output, weir_error*) {
    sdk::Output wrapped(output);
    for (uint32_t i = 0; i < batch->count; ++i) each(sdk::EventView(batch, i), i, wrapped);
    return WEIR_OK;
  });
}

TestTransform TestTransform::keep_all() {
  return each([](const sdk::EventView&, uint32_t i, sdk::Output& output) { output.keep(i); });
}

event::SharedBlock shared(const weir_batch* batch) {
  return std::make_shared<event::Block>(event::Block::copy(batch));
}

event::SharedBlock readings(uint32_t count, uint64_t first_sequence) {
  std::vector<test::TestEvent> events;
  for (uint32_t i = 0; i < count; ++i) {
    test::TestEvent& event = events.emplace_back();
    event.value = static_cast<double>(i);
    event.unit = "K";
    event.id_byte = static_cast<uint8_t>(i + 1);
  }
  return shared(test::make_batch(events, 7, first_sequence));
}

Pipeline::Output run(Pipeline& pipeline, const event::SharedBlock& block, const std::string& source) {
  Pipeline::Output output;
  EXPECT_TRUE(pipeline.run(source, block, &output));
  uint32_t last_cause = 0, next_part = 0;
  std::vector<int> outputs(block->batch()->count, 0), judged = outputs;
  for (const Piece& piece : output.pieces) {
    auto fault = event::validate(piece.block->data(), piece.block->size(), event::Check::kMemorySafe);
    EXPECT_FALSE(fault) << fault->index << " " << fault->field << " " << fault->message;
    EXPECT_GT(piece.count(), 0u);
    EXPECT_EQ(piece.block->batch()->epoch, block->batch()->epoch);
    EXPECT_TRUE(&piece == &output.pieces.front() || piece.cause(0) > last_cause)
        << "a cause is in two pieces";
    for (uint32_t i = 0; i < piece.count(); ++i) {
      const uint32_t cause = piece.cause(i);
      const weir_event_v1& event = *piece.block->event(i);
      EXPECT_GE(cause, last_cause);
      if (cause != last_cause) next_part = 0;
      last_cause = cause;
      EXPECT_EQ(event.part, next_part++);
      EXPECT_EQ(event.sequence, block->event(cause)->sequence);
      EXPECT_EQ(std::memcmp(event.trace_id, block->event(cause)->trace_id, 16), 0);
      ++outputs[cause];
    }
  }
  for (const Verdict& verdict : output.verdicts) {
    ++judged[verdict.cause];
    EXPECT_EQ(verdict.delivered, outputs[verdict.cause] != 0);
    EXPECT_TRUE(event::valid_text(verdict.reason.data(), verdict.reason.size()));
  }
  if (!pipeline.takes(source)) return output;
  for (size_t i = 0; i < outputs.size(); ++i) {
    EXPECT_LE(judged[i], 1);
    EXPECT_TRUE(outputs[i] != 0 || judged[i] == 1) << "event " << i << " is not accounted for";
  }
  return output;
}

std::vector<std::string> brief(const Pipeline::Output& output) {
  std::vector<std::string> lines;
  for (const Piece& piece : output.pieces) {
    for (uint32_t i = 0; i < piece.count(); ++i) {
      sdk::EventView event(piece.block->batch(), i);
      std::string line = std::to_string(event.record().sequence) + "." + std::to_string(event.record().part);
      double number = 0;
      if (event.number(&number)) {
        char text[32];
        std::snprintf(text, sizeof text, " %g", number);
        line += text;
      } else if ((event.record().value_type & WEIR_VALUE_REF) != 0) {
        line += " '" + std::string(event.text(event.record().value.ref)) + "'";
      }
      if (!event.unit().empty()) line += " " + std::string(event.unit());
      for (uint32_t k = 0; k < event.metadata_count(); ++k) {
        line += " " + std::string(event.metadata(k).first) + "=" + std::string(event.metadata(k).second);
      }
      lines.push_back(line);
    }
  }
  return lines;
}

std::vector<std::string> full(const Pipeline::Output& output, uint32_t first_cause) {
  std::vector<std::string> lines;
  for (const Piece& piece : output.pieces) {
    for (uint32_t i = 0; i < piece.count(); ++i) {
      const weir_batch* batch = piece.block->batch();
      std::string line = std::to_string(first_cause + piece.cause(i)) + " " + event::to_json(batch, i, "g") +
                         " " + std::to_string(piece.block->event(i)->flags);
      const auto* extra = reinterpret_cast<const char*>(piece.block->event(i)) + sizeof(weir_event_v1);
      lines.push_back(line + std::string(extra, batch->event_size - sizeof(weir_event_v1)));
    }
  }
  return lines;
}

std::vector<std::string> verdicts(const Pipeline& pipeline, const Pipeline::Output& output,
                                  uint32_t first_cause) {
  std::vector<std::string> lines;
  for (const Verdict& verdict : output.verdicts) {
    lines.push_back(std::to_string(first_cause + verdict.cause) +
                    (verdict.fate == Fate::kFiltered    ? " filtered "
                     : verdict.fate == Fate::kUnmatched ? " unmatched "
                                                        : " rejected ") +
                    pipeline.node_name(verdict.node) + " " + std::to_string(verdict.code) + " " +
                    verdict.reason + (verdict.delivered ? " +" : ""));
  }
  return lines;
}

event::SharedBlock with_stride(const event::SharedBlock& block, uint32_t extra) {
  const weir_batch* old = block->batch();
  const uint32_t stride = old->event_size + extra;
  const auto records = static_cast<uint32_t>((old->total_size + 7) / 8 * 8);
  event::Block wider(records + size_t{old->count} * stride);
  std::memset(wider.data(), 0, wider.size());
  std::memcpy(wider.data(), old, old->total_size);
  *wider.batch() = {WEIR_BATCH_MAGIC, records, stride, old->count, wider.size(), old->epoch};
  for (uint32_t i = 0; i < old->count; ++i) {
    auto* record = reinterpret_cast<uint8_t*>(wider.event(i));
    std::memcpy(record, block->event(i), old->event_size);
    std::memset(record + old->event_size, 'a' + static_cast<int>(block->event(i)->sequence % 26), extra);
  }
  return std::make_shared<event::Block>(std::move(wider));
}

}  // namespace weir::graph
