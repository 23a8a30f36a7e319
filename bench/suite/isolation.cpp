#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "floors/floors.h"
#include "load/generator.h"
#include "suite/scenarios.h"

namespace weir::bench {
namespace {

constexpr uint32_t kConnections = 16, kEvents = 100;

// Private memory of the gateway's child processes, MiB each.
std::vector<double> children_memory(pid_t gateway) {
  std::vector<double> out;
  std::filesystem::path tasks = "/proc/" + std::to_string(gateway) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks)) {
    std::ifstream children(task.path() / "children");
    for (std::string pid; children >> pid;) {
      std::ifstream status("/proc/" + pid + "/status");
      for (std::string line; std::getline(status, line);) {
        if (line.starts_with("RssAnon:")) out.push_back(std::strtod(line.c_str() + 8, nullptr) / 1024);
      }
    }
  }
  return out;
}

// Events/s at the door, over rounds in turns with the others.
struct Contender {
  const char* name;
  std::set<std::string> isolated;
  std::vector<double> rates = {}, ratios = {};
};

}  // namespace

void measure_isolation(const SuiteOptions& options, Report& report) {
  const std::string section = "http.source, pass-through transform, null sink: in processes of their own";
  Contender contenders[] = {{"all in the gateway", {}},
                            {"source in a process", {"api"}},
                            {"transform in a process", {"pass"}},
                            {"sink in a process", {"out"}},
                            {"each in a process", {"api", "pass", "out"}}};
  for (int round = 0; round < options.rounds; ++round) {
    for (Contender& contender : contenders) {
      // One gateway at a time: what the others hold would be in its way.
      Gateway gateway(options.build, options.folder + "/isolation", contender.isolated);
      if (!gateway.start()) return report.note(section, gateway.problem());
      if (round == 0 && contender.isolated.size() == 3) {
        report.add({section, "private memory of an idle process", "MiB", children_memory(gateway.pid()), {}, 6});
      }
      LoadOptions load;
      load.port = gateway.events_port();
      load.gateway = gateway.pid();
      load.connections = kConnections;
      load.events_per_request = kEvents;
      load.warm_up = Seconds(options.seconds / 3);
      load.duration = Seconds(options.seconds);
      LoadResult result = run_load(load);
      if (!result.problem.empty()) return report.note(section, result.problem);
      contender.rates.push_back(result.events_per_second());
      contender.ratios.push_back(result.events_per_second() / contenders[0].rates.back());
    }
  }
  for (Contender& contender : contenders) {
    report.add({section, contender.name, "events/s", contender.rates, {}, {}});
    if (&contender != contenders) report.add({section, std::string(contender.name) + " / all in the gateway", "", contender.ratios, 0.5, {}});
  }
}

}  // namespace weir::bench
