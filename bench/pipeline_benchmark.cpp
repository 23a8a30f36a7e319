// What a pipeline costs an event, in batches of 100: passed through, amended, filtered, multiplied.
// The number to hold: Keep/1 at most 20 ns an event.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "graph/pipeline.h"
#include "weir/plugin.hpp"

namespace weir::graph {
namespace {

constexpr uint32_t kEvents = 100;

event::SharedBlock readings() {
  sdk::BatchBuilder builder;
  for (uint32_t i = 0; i < kEvents; ++i) {
    weir_event_v1& event = builder.add();
    event.sequence = i + 1;
    event.device_id = builder.text("device-" + std::to_string(i % 12));
    event.sensor_type = builder.text("temperature");
    event.unit = builder.text("[degF]");
    event.value_type = WEIR_F64;
    event.value.f64 = 60 + i % 20;
  }
  return std::make_shared<event::Block>(event::Block::copy(builder.finish()));
}

// A stage as a plugin has it: a C function that the pipeline finds in a table.
template <void (*kEach)(const weir_batch*, uint32_t, weir_output*)>
weir_status each(void*, const weir_transform_context*, const weir_batch* batch, weir_output* output,
                 weir_error*) {
  for (uint32_t i = 0; i < batch->count; ++i) kEach(batch, i, output);
  return WEIR_OK;
}

void keep(const weir_batch*, uint32_t i, weir_output* output) { output->keep(output, i); }

void to_celsius(const weir_batch* batch, uint32_t i, weir_output* output) {
  sdk::Output wrapped(output);
  wrapped.amend_number(i, (weir_event_at(batch, i)->value.f64 - 32) / 1.8);
  wrapped.amend_text(i, WEIR_FIELD_UNIT, "Cel");
}

void drop_half(const weir_batch* batch, uint32_t i, weir_output* output) {
  i % 2 == batch->count % 2 ? output->keep(output, i) : output->drop(output, i, {"half", 4});
}

void split_in_two(const weir_batch*, uint32_t i, weir_output* output) {
  weir_new_event event{};
  output->keep(output, i);
  output->emit(output, i, &event);
}

// range(0) such stages in a row.
template <void (*kEach)(const weir_batch*, uint32_t, weir_output*)>
void chain(benchmark::State& state) {
  static constexpr weir_transform_v1 kTable = {each<kEach>, nullptr, nullptr, 0, 0};
  std::vector<NodeSpec> nodes;
  std::string last = "source";
  for (int64_t k = 0; k < state.range(0); ++k) {
    nodes.push_back({"node-" + std::to_string(k), {&kTable, nullptr}, {last}, false});
    last = nodes.back().name;
  }
  Pipeline pipeline(std::move(nodes), {last});
  Pipeline::Output output;
  auto block = readings();
  for (auto iteration : state) {
    if (!pipeline.run("source", block, &output)) return state.SkipWithError("interrupted");
    benchmark::DoNotOptimize(output.pieces.data());
  }
  state.counters["per_event"] = benchmark::Counter(static_cast<double>(state.iterations()) * kEvents,
                                                   benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

BENCHMARK(chain<keep>)->Name("Keep")->Arg(1)->Arg(2)->Arg(4);
BENCHMARK(chain<to_celsius>)->Name("AmendNumberAndUnit")->Arg(1)->Arg(2);
BENCHMARK(chain<drop_half>)->Name("DropHalf")->Arg(1);
BENCHMARK(chain<split_in_two>)->Name("KeepAndEmit")->Arg(1);

}  // namespace
}  // namespace weir::graph

BENCHMARK_MAIN();
