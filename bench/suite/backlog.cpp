#include <algorithm>

#include "load/generator.h"
#include "suite/scenarios.h"

namespace weir::bench {
namespace {

constexpr double kMebibyte = 1024.0 * 1024.0;
constexpr uint32_t kConnections = 16;
constexpr uint32_t kEvents = 100;

LoadOptions load_on(const Gateway& gateway) {
  LoadOptions load;
  load.port = gateway.events_port();
  load.gateway = gateway.pid();
  load.connections = kConnections;
  load.events_per_request = kEvents;
  load.warm_up = std::chrono::duration<double>(0);
  return load;
}

// Sends until `events` more are acknowledged. An hour is for ever.
LoadResult fill(const Gateway& gateway, uint64_t events) {
  LoadOptions load = load_on(gateway);
  load.max_events = events;
  load.duration = std::chrono::hours(1);
  return run_load(load);
}

double peak_mebibytes(const LoadResult& result) {
  return static_cast<double>(result.gateway.peak_rss_bytes) / kMebibyte;
}

}  // namespace

void measure_backlog(const SuiteOptions& options, Report& report) {
  const std::string section = "Sink down, events pending";
  const std::string millions = std::to_string(options.backlog / 1'000'000) + " million";
  Gateway full(options.build, options.folder + "/full", Gateway::Sink::kDown);
  if (!full.start()) return report.note(section, full.problem());
  LoadResult first = fill(full, options.backlog * 2 / 5);
  if (!first.problem.empty()) return report.note(section, first.problem);
  double rss_at_two_fifths = static_cast<double>(first.gateway.rss_bytes) / kMebibyte;
  double peak_at_two_fifths = peak_mebibytes(first);
  LoadResult second = fill(full, options.backlog - first.total_acknowledged);
  if (!second.problem.empty()) return report.note(section, second.problem);

  // A fresh gateway and the full one in turns, so that a noisy minute hits both.
  std::vector<double> rate_empty, rate_full, ratio, peak_full;
  for (int round = 0; round < options.rounds; ++round) {
    double rates[2] = {0, 0};
    Gateway empty(options.build, options.folder + "/empty", Gateway::Sink::kDown);
    if (!empty.start()) return report.note(section, empty.problem());
    for (int i = 0; i < 2; ++i) {
      // Who goes first changes from round to round.
      bool full_turn = (i + round) % 2 == 1;
      LoadOptions load = load_on(full_turn ? full : empty);
      load.warm_up = std::chrono::duration<double>(std::min(1.0, options.seconds / 3));
      load.duration = std::chrono::duration<double>(options.seconds);
      LoadResult result = run_load(load);
      if (!result.problem.empty()) return report.note(section, result.problem);
      rates[full_turn] = result.events_per_second();
      if (full_turn) peak_full.push_back(peak_mebibytes(result));
    }
    rate_empty.push_back(rates[0]);
    rate_full.push_back(rates[1]);
    ratio.push_back(rates[0] > 0 ? rates[1] / rates[0] : 0);
  }

  std::vector<double> ready;
  for (int i = 0; i < options.rounds; ++i) {
    full.kill_now();
    auto took = full.start();
    if (!took) return report.note(section, full.problem());
    ready.push_back(took->count());
  }

  report.add({section, "RSS with two fifths of " + millions + " pending", "MiB", {rss_at_two_fifths}, {}, 64});
  report.add({section, "RSS while these came in, peak", "MiB", {peak_at_two_fifths}, {}, 64});
  report.add({section, "rate with none pending at the start", "events/s", rate_empty, {}, {}});
  report.add({section, "rate with " + millions + " pending", "events/s", rate_full, {}, {}});
  report.add({section, "with / without", "", ratio, 0.9, {}});
  report.add({section, "RSS with " + millions + " pending, under load, peak", "MiB", peak_full, {}, 64});
  report.add({section, "ready after kill -9 with " + millions + " pending", "s", ready, {}, 1});
}

}  // namespace weir::bench
