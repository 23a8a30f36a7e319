// weir-microbench: the pieces that every event passes, one by one (Google Benchmark).
#include <benchmark/benchmark.h>

#include "journal/cursor.h"
#include "load/bodies.h"
#include "micro/pass_through.h"
#include "weir/mapping/event_json.h"

namespace {

// items/s is events/s; its inverse must stay below 20 ns for batches of 100.
void pass_through_transform(benchmark::State& state) {
  auto events = static_cast<uint32_t>(state.range(0));
  weir::bench::PassThrough pipeline(weir::bench::examples_folder(), events);
  if (!pipeline.problem().empty()) return state.SkipWithError(pipeline.problem().c_str());
  for (auto _ : state) {
    if (pipeline.run() != events) return state.SkipWithError("events got lost");
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * events);
}
BENCHMARK(pass_through_transform)->Arg(1)->Arg(100)->Arg(1000);

// A sink that completes batches in order: the usual case.
void cursor_settles_in_order(benchmark::State& state) {
  weir::journal::Cursor cursor;
  uint64_t next = 1;
  for (auto _ : state) {
    cursor.settle(next, next + 99);
    next += 100;
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK(cursor_settles_in_order);

// Every other batch stays open, up to the bound, then the holes are filled: a sink with parked devices.
void cursor_settles_around_holes(benchmark::State& state) {
  const auto holes = static_cast<uint64_t>(state.range(0));
  for (auto _ : state) {
    weir::journal::Cursor cursor;
    for (uint64_t i = 1; i <= holes; ++i) cursor.settle(i * 200, i * 200 + 99);
    for (uint64_t i = 0; i <= holes; ++i) cursor.settle(i == 0 ? 1 : i * 200 + 100, i * 200 + 199);
    benchmark::DoNotOptimize(cursor.floor());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * holes * 2));
}
BENCHMARK(cursor_settles_around_holes)->Arg(64)->Arg(4096);

void parse_json(benchmark::State& state) {
  auto events = static_cast<uint32_t>(state.range(0));
  std::string body = weir::bench::make_bodies(1, events)[0];
  const size_t size = body.size();
  body.append(weir::mapping::kJsonPadding, ' ');
  weir::mapping::EventParser parser;
  weir::sdk::BatchBuilder builder;
  weir::mapping::ParseFault fault;
  for (auto _ : state) {
    if (!parser.parse_padded(std::string_view(body).substr(0, size), builder, &fault)) {
      return state.SkipWithError(fault.message.c_str());
    }
    benchmark::DoNotOptimize(builder.finish());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * events);
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * size));
}
BENCHMARK(parse_json)->Arg(1)->Arg(100);

}  // namespace

BENCHMARK_MAIN();
