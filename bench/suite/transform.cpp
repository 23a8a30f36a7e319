#include <chrono>

#include "load/process_usage.h"
#include "micro/pass_through.h"
#include "suite/scenarios.h"

namespace weir::bench {

void measure_transform(const SuiteOptions& options, Report& report) {
  constexpr uint32_t kEvents = 100;
  const std::string section = "Pass-through transform, batches of 100";
  PassThrough pipeline(options.build.folder + "/lib/weir/examples", kEvents);
  if (!pipeline.problem().empty()) return report.note(section, pipeline.problem());
  std::vector<double> cost;
  for (int round = 0; round < options.rounds; ++round) {
    constexpr int kRuns = 20'000;
    double before = thread_cpu_seconds();
    for (int i = 0; i < kRuns; ++i) {
      if (pipeline.run() != kEvents) return report.note(section, "events got lost on the way");
    }
    cost.push_back((thread_cpu_seconds() - before) * 1e9 / (kRuns * double{kEvents}));
  }
  report.add({section, "CPU time of an event", "ns", cost, {}, 20});
}

}  // namespace weir::bench
