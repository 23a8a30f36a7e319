// The same events give the same output, bytes and all, wherever the input is cut into batches.
#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <random>

#include "event/identity.h"
#include "event/merge.h"
#include "harness.h"

namespace weir::graph {
namespace {

using Random = std::mt19937_64;

uint32_t pick(Random& random, uint32_t n) { return static_cast<uint32_t>(random() % n); }

event::SharedBlock random_events(Random& random, uint32_t count) {
  std::vector<test::TestEvent> events(count);
  for (test::TestEvent& event : events) {
    event.device_id = "device-" + std::to_string(pick(random, 5));
    event.unit = pick(random, 2) ? "K" : "";
    event.value = static_cast<double>(pick(random, 1000));
    if (pick(random, 4) == 0) event.value = std::string(pick(random, 40), 't');
    for (uint32_t k = pick(random, 4); k > 0; --k)
      event.metadata["m" + std::to_string(pick(random, 6))] = "v";
    if (pick(random, 3) == 0) event.metadata["weir.auth.subject"] = "s" + std::to_string(pick(random, 3));
  }
  event::Block block = event::Block::copy(test::make_batch(events, 7, 1 + pick(random, 1000)));
  for (uint32_t i = 0; i < count; ++i) {
    for (uint8_t& byte : block.event(i)->id) byte = static_cast<uint8_t>(random());
    std::memcpy(block.event(i)->trace_id, block.event(i)->id, 16);
  }
  auto made = std::make_shared<event::Block>(std::move(block));
  return pick(random, 2) ? made : with_stride(made, 8 * (1 + pick(random, 3)));
}

event::SharedBlock slice(const event::SharedBlock& block, uint32_t first, uint32_t last) {
  event::Merger merger;
  for (uint32_t i = first; i < last; ++i) merger.add(block->batch(), i);
  return std::make_shared<event::Block>(merger.take());
}

// Does one thing or another to an event, as its id and the node's seed say: a pure function, if a wild one.
void act(uint64_t seed, const sdk::EventView& event, uint32_t i, sdk::Output& output) {
  uint64_t key;
  std::memcpy(&key, event.record().id + 8, sizeof key);
  Random random(key ^ seed);
  const char* const units[] = {"Cel", "K", "", "a unit that is longer than the others"};
  weir_new_event made{};
  switch (pick(random, 12)) {
    case 0:
      return output.drop(i, "dropped");
    case 1:
      return output.reject(i, pick(random, 3), "rejected");
    case 2:
      return;  // no decision
    case 3:
      output.amend_number(i, pick(random, 50));
      return;
    case 4:
      output.amend_text(i, WEIR_FIELD_UNIT, units[pick(random, 4)]);
      return;
    case 5:
      output.amend_metadata(i, "m" + std::to_string(pick(random, 6)), pick(random, 2) ? "new" : "");
      output.amend_metadata(i, "n", "value " + std::to_string(pick(random, 6)));
      if (pick(random, 8) == 0) output.drop(i, "dropped after all");
      return;
    case 6:
      output.amend_text(i, WEIR_FIELD_DEVICE_ID, "renamed-" + std::to_string(pick(random, 9)));
      return;
    case 7: {
      if (pick(random, 2)) output.keep(i);
      for (uint32_t k = pick(random, 3); k > 0; --k) {
        made.unit = sdk::text(units[pick(random, 4)]);
        made.value_type = WEIR_I64;
        made.value.i64 = pick(random, 99);
        const weir_text pairs[] = {sdk::text("made"), sdk::text("yes")};
        made.metadata = pairs;
        made.metadata_count = pick(random, 2);
        output.emit(i, made);
      }
      return;
    }
    default:
      return output.keep(i);
  }
}

struct RandomGraph {
  std::deque<TestTransform> transforms;
  std::vector<NodeSpec> nodes;
  std::vector<Edge> sink_from;
};

RandomGraph random_graph(Random& random) {
  RandomGraph graph;
  std::vector<std::string> names = {"source"};
  auto edge = [&](const std::string& name) -> Edge {
    static constexpr const char* kConditions[] = {"value > 0", "device_id like '*1' || unit == 'K'", "value != 3"};
    if (pick(random, 3) != 0) return name;
    return {name, std::get<condition::Condition>(condition::Condition::compile(kConditions[pick(random, 3)]))};
  };
  auto some = [&] {
    std::vector<Edge> from;
    for (const std::string& name : names) {
      if (pick(random, static_cast<uint32_t>(names.size())) == 0) from.push_back(edge(name));
    }
    if (from.empty()) from.push_back(edge(names.back()));
    return from;
  };
  for (uint32_t k = pick(random, 5); k > 0; --k) {
    const uint64_t seed = random();
    graph.transforms.push_back(TestTransform([seed](const weir_batch* batch, weir_output* raw, weir_error*) {
      sdk::Output output(raw);
      for (uint32_t n = 0; n < batch->count; ++n) {
        const uint32_t i = seed % 3 == 0 ? batch->count - 1 - n : n;  // some go through the batch backwards
        act(seed, sdk::EventView(batch, i), i, output);
      }
      return WEIR_OK;
    }));
    const std::string name = "node-" + std::to_string(k);
    graph.nodes.push_back(node(name, graph.transforms.back(), some(), pick(random, 4) == 0));
    names.push_back(name);
  }
  graph.sink_from = some();
  return graph;
}

TEST(Recut, GivesTheSameOutputWhereverBatchesAreCut) {
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const uint32_t count = 1 + pick(random, 60);
    auto block = random_events(random, count);
    RandomGraph graph = random_graph(random);
    Pipeline whole(graph.nodes, graph.sink_from);
    auto expected = run(whole, block);
    for (int round = 0; round < 4; ++round) {
      Pipeline cut(graph.nodes, graph.sink_from);
      std::vector<std::string> records, fates;
      for (uint32_t first = 0; first < count;) {
        const uint32_t last = round == 0 ? first + 1 : std::min(count, first + 1 + pick(random, 20));
        auto output = run(cut, slice(block, first, last));
        for (std::string& line : full(output, first)) records.push_back(std::move(line));
        for (std::string& line : verdicts(cut, output, first)) fates.push_back(std::move(line));
        first = last;
      }
      ASSERT_EQ(records, full(expected));
      ASSERT_EQ(fates, verdicts(whole, expected));
    }
    if (HasFailure()) return;
  }
}

// The same with so much output that the pipeline itself has to cut it.
TEST(Recut, GivesTheSameOutputWhenTheOutputDoesNotFitABatch) {
  TestTransform many = TestTransform::each([](const sdk::EventView& event, uint32_t i, sdk::Output& output) {
    output.keep(i);
    for (uint64_t k = event.record().sequence % 7 * 2000; k > 0; --k) {
      weir_new_event made{};
      made.value_type = WEIR_I64;
      made.value.i64 = static_cast<int64_t>(k);
      output.emit(i, made);
    }
  });
  TestTransform odd = TestTransform::each([](const sdk::EventView& event, uint32_t i, sdk::Output& output) {
    event.record().value.i64 % 2 ? output.keep(i) : output.drop(i, "even");
  });
  std::vector<NodeSpec> nodes = {node("many", many, {"source"}), node("odd", odd, {"many"})};
  const std::vector<Edge> sink_from = {"odd", "many"};
  constexpr uint32_t kEvents = 14;
  auto block = readings(kEvents);
  Pipeline whole(nodes, sink_from);
  auto expected = run(whole, block);
  EXPECT_GT(expected.pieces.size(), 1u);
  std::vector<std::string> records;
  for (uint32_t i = 0; i < kEvents; ++i) {
    for (std::string& line : brief(run(whole, slice(block, i, i + 1)))) records.push_back(std::move(line));
  }
  EXPECT_TRUE(records == brief(expected));
}

}  // namespace
}  // namespace weir::graph
