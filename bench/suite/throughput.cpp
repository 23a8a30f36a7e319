#include <algorithm>
#include <thread>

#include "floors/blocks.h"
#include "floors/floors.h"
#include "load/bodies.h"
#include "load/generator.h"
#include "suite/scenarios.h"

namespace weir::bench {
namespace {

constexpr double kMebibyte = 1024.0 * 1024.0;

// One figure's samples, filled round by round.
struct Series {
  std::vector<double> samples;
  void add(double sample) { samples.push_back(sample); }
};

LoadOptions load_options(uint16_t port, pid_t pid, uint32_t connections, uint32_t events, double seconds) {
  LoadOptions load;
  load.port = port;
  load.gateway = pid;
  load.connections = connections;
  load.events_per_request = events;
  load.warm_up = Seconds(std::min(1.0, seconds / 3));
  load.duration = Seconds(seconds);
  return load;
}

// The connection code alone, in a process of its own, as the gateway is.
LoadResult run_bare_handler(const SuiteOptions& options, const LoadOptions& gateway_load, uint64_t answer_bytes) {
  LoadResult result;
  ChildProcess handler;
  uint16_t port = free_port();
  result.problem = handler.start({options.build.bare_handler(), "--port", std::to_string(port), "--answer-bytes",
                                  std::to_string(answer_bytes)},
                                 options.folder + "/bare-handler.log");
  if (!result.problem.empty()) return result;
  while (handler.running() && !listens(port)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  LoadOptions load = gateway_load;
  load.port = port;
  load.gateway = handler.pid();
  return run_load(load);
}

// Events/s that the cores allow when an event costs so much CPU time, the generator's share included.
double cpu_bound(double us_per_event, const LoadResult& gateway) {
  double cores = std::max(1u, std::thread::hardware_concurrency());
  double all = us_per_event + gateway.generator_us_per_event();
  return all > 0 ? cores * 1e6 / all : 0;
}

// What an event costs when nothing is done but accepting its request in a bare handler, parsing its JSON and
// committing its bytes in a bare SQLite loop.
double floors_us_per_event(const LoadResult& handler, const Floor& parse, const Floor& sqlite) {
  return handler.gateway_us_per_event() + parse.cpu_us_per_event + sqlite.cpu_us_per_event;
}

// True when everything has a result; else a note says what has not.
bool usable(Report& report, const std::string& section, std::initializer_list<const std::string*> problems) {
  for (const std::string* problem : problems) {
    if (problem->empty()) continue;
    report.note(section, *problem);
    return false;
  }
  return true;
}

// Loads a new gateway until its journal is past its first segments, which it writes to files that grow: the state of a
// gateway that has run for some minutes. Its rate until then, for the report.
void run_in(const SuiteOptions& options, const Gateway& gateway, uint32_t connections, uint32_t events,
            const std::string& section, Report& report) {
  constexpr int kMostLoads = 10;
  std::vector<double> rates;
  for (int load = 0; load < kMostLoads && !gateway.run_in(); ++load) {
    LoadResult loaded = run_load(load_options(gateway.events_port(), gateway.pid(), connections, events, options.seconds));
    if (!loaded.problem.empty()) return report.note(section, loaded.problem);
    rates.push_back(loaded.events_per_second());
  }
  report.add({section, "gateway in a new data folder", "events/s", rates, {}, {}});
}

void add_latencies(Report& report, const std::string& section, const SuiteOptions& options, const Gateway& gateway,
                   uint32_t connections, uint32_t events, double closed_rate) {
  LoadOptions load = load_options(gateway.events_port(), gateway.pid(), connections, events, options.seconds * 2);
  load.requests_per_second = closed_rate / events / 2;
  LoadResult open = run_load(load);
  std::string what = "open loop at half that rate: ";
  report.add({section, what + "p50", "ms", {open.latency.p50_ms}, {}, {}});
  report.add({section, what + "p99", "ms", {open.latency.p99_ms}, {}, {}});
  report.add({section, what + "p99.9", "ms", {open.latency.p999_ms}, {}, {}});
}

}  // namespace

void measure_batches(const SuiteOptions& options, Report& report) {
  constexpr uint32_t kConnections = 16;
  constexpr uint32_t kEvents = 100;
  const std::string section = "100 events a request, 16 connections, strict, null sink";
  const auto bodies = make_bodies(kBodyPool, kEvents);
  const auto blocks = make_blocks(bodies);

  Gateway gateway(options.build, options.folder + "/batches", Gateway::Sink::kNull);
  if (!gateway.start()) return report.note(section, gateway.problem());
  double idle_rss = static_cast<double>(process_usage(gateway.pid()).rss_bytes) / kMebibyte;
  run_in(options, gateway, kConnections, kEvents, section, report);

  Series rate, sqlite_rate, sqlite_ratio, bound, rate_ratio, sqlite_bound_ratio, bound_ratio, handler_rate, append_rate, peak;
  Series gateway_cpu, handler_cpu, parse_cpu, sqlite_cpu, generator_cpu;
  for (int round = 0; round < options.rounds; ++round) {
    Floor sqlite = run_sqlite_loop(options.folder, blocks, kEvents, kConnections, Seconds(options.seconds));
    LoadOptions load = load_options(gateway.events_port(), gateway.pid(), kConnections, kEvents, options.seconds);
    LoadResult loaded = run_load(load);
    LoadResult handler = run_bare_handler(options, load, loaded.answer_bytes);
    Floor parse = run_parse_loop(bodies, kEvents, Seconds(options.seconds / 4));
    Floor append = run_append_loop(options.folder, blocks, kEvents, kConnections, Seconds(options.seconds / 4));
    if (!usable(report, section,
                {&sqlite.problem, &loaded.problem, &handler.problem, &parse.problem, &append.problem})) {
      return;
    }
    rate.add(loaded.events_per_second());
    sqlite_rate.add(sqlite.events_per_second);
    sqlite_ratio.add(loaded.events_per_second() / sqlite.events_per_second);
    double allowed = cpu_bound(floors_us_per_event(handler, parse, sqlite), loaded);
    bound.add(allowed);
    rate_ratio.add(loaded.events_per_second() / allowed);
    sqlite_bound_ratio.add(sqlite.events_per_second / allowed);
    bound_ratio.add(cpu_bound(loaded.gateway_us_per_event(), loaded) / allowed);
    handler_rate.add(handler.events_per_second());
    append_rate.add(append.events_per_second);
    peak.add(static_cast<double>(loaded.gateway.peak_rss_bytes) / kMebibyte);
    gateway_cpu.add(loaded.gateway_us_per_event());
    handler_cpu.add(handler.gateway_us_per_event());
    parse_cpu.add(parse.cpu_us_per_event);
    sqlite_cpu.add(sqlite.cpu_us_per_event);
    generator_cpu.add(loaded.generator_us_per_event());
  }
  report.add({section, "gateway", "events/s", rate.samples, {}, {}});
  report.add({section, "bare SQLite loop, 16 batches in flight", "events/s", sqlite_rate.samples, {}, {}});
  report.add({section, "gateway / bare SQLite loop", "", sqlite_ratio.samples, 0.6, {}});
  report.add({section, "what the floors' CPU cost allows", "events/s", bound.samples, {}, {}});
  report.add({section, "gateway / that", "", rate_ratio.samples, 0.7, {}});
  report.add({section, "bare SQLite loop / that", "", sqlite_bound_ratio.samples, {}, {}});
  report.add({section, "what the gateway's CPU cost allows / that", "", bound_ratio.samples, 0.7, {}});
  report.add({section, "bare handler", "events/s", handler_rate.samples, {}, {}});
  report.add({section, "bare append + fdatasync, 16 batches each", "events/s", append_rate.samples, {}, {}});
  report.add({section, "CPU: gateway", "us/event", gateway_cpu.samples, {}, {}});
  report.add({section, "CPU: bare handler", "us/event", handler_cpu.samples, {}, {}});
  report.add({section, "CPU: JSON parse", "us/event", parse_cpu.samples, {}, {}});
  report.add({section, "CPU: bare SQLite loop", "us/event", sqlite_cpu.samples, {}, {}});
  report.add({section, "CPU: generator", "us/event", generator_cpu.samples, {}, {}});
  add_latencies(report, section, options, gateway, kConnections, kEvents, median(rate.samples));
  report.add({section, "RSS idle, after the start", "MiB", {idle_rss}, {}, 24});
  report.add({section, "RSS at this load, peak", "MiB", peak.samples, {}, 64});
}

void measure_single_events(const SuiteOptions& options, Report& report) {
  constexpr uint32_t kConnections = 32;
  const std::string section = "1 event a request, 32 connections, strict, null sink";
  const auto blocks = make_blocks(make_bodies(kBodyPool, 1));

  Gateway gateway(options.build, options.folder + "/single", Gateway::Sink::kNull);
  if (!gateway.start()) return report.note(section, gateway.problem());
  run_in(options, gateway, kConnections, 1, section, report);

  Series rate, handler_rate, fsync_p50, bound, ratio, gateway_cpu, handler_cpu, peak;
  for (int round = 0; round < options.rounds; ++round) {
    LoadOptions load = load_options(gateway.events_port(), gateway.pid(), kConnections, 1, options.seconds);
    LoadResult loaded = run_load(load);
    LoadResult handler = run_bare_handler(options, load, loaded.answer_bytes);
    // All that are in flight at once, as a group commit would write them.
    Floor append = run_append_loop(options.folder, blocks, 1, kConnections, Seconds(options.seconds / 2));
    if (!usable(report, section, {&loaded.problem, &handler.problem, &append.problem})) return;
    // A request that comes while a commit runs waits for half of it on average, then for its own.
    double fsync_bound = kConnections / (1.5 * append.latency.p50_ms * 1e-3);
    rate.add(loaded.events_per_second());
    handler_rate.add(handler.events_per_second());
    fsync_p50.add(append.latency.p50_ms);
    bound.add(fsync_bound);
    ratio.add(loaded.events_per_second() / std::min(handler.events_per_second(), fsync_bound));
    gateway_cpu.add(loaded.gateway_us_per_event());
    handler_cpu.add(handler.gateway_us_per_event());
    peak.add(static_cast<double>(loaded.gateway.peak_rss_bytes) / kMebibyte);
  }
  report.add({section, "gateway", "events/s", rate.samples, {}, {}});
  report.add({section, "bare handler", "events/s", handler_rate.samples, {}, {}});
  report.add({section, "append + fdatasync of 32 events, p50", "ms", fsync_p50.samples, {}, {}});
  report.add({section, "fsync bound: connections / (1.5 x that)", "events/s", bound.samples, {}, {}});
  report.add({section, "gateway / the lower of the two", "", ratio.samples, 0.6, {}});
  report.add({section, "CPU: gateway", "us/event", gateway_cpu.samples, {}, {}});
  report.add({section, "CPU: bare handler", "us/event", handler_cpu.samples, {}, {}});
  add_latencies(report, section, options, gateway, kConnections, 1, median(rate.samples));
  report.add({section, "RSS at this load, peak", "MiB", peak.samples, {}, 64});
}

}  // namespace weir::bench
