// weir-load: puts a load on a gateway's HTTP source and says what came of it.
#include <CLI/CLI.hpp>
#include <cinttypes>
#include <cstdio>

#include "load/generator.h"

namespace {

using weir::bench::LoadOptions;
using weir::bench::LoadResult;

constexpr double kMebibyte = 1024.0 * 1024.0;

void print_text(const LoadOptions& options, const LoadResult& result) {
  if (options.requests_per_second > 0) {
    std::printf("open loop, %.0f requests/s", options.requests_per_second);
  } else {
    std::printf("closed loop");
  }
  std::printf(", %u events a request, %u connections, %.1f s\n", options.events_per_request, options.connections,
              result.seconds);
  std::printf("  acknowledged  %.0f events/s (%" PRIu64 " events, %" PRIu64 " requests)\n",
              result.events_per_second(), result.acknowledged_events, result.requests);
  std::printf("  latency       p50 %.3f ms, p99 %.3f ms, p99.9 %.3f ms, max %.3f ms\n", result.latency.p50_ms,
              result.latency.p99_ms, result.latency.p999_ms, result.latency.max_ms);
  std::printf("  not taken     busy %" PRIu64 ", refused %" PRIu64 ", broken connections %" PRIu64
              ", never sent %" PRIu64 "\n",
              result.busy, result.refused, result.broken, result.behind);
  std::printf("  generator     %.2f CPU seconds (%.3f us an event)\n", result.generator_cpu_seconds,
              result.generator_us_per_event());
  if (options.gateway != 0) {
    std::printf("  gateway       %.2f CPU seconds (%.3f us an event), RSS %.1f MiB, peak %.1f MiB\n",
                result.gateway_cpu_seconds, result.gateway_us_per_event(),
                static_cast<double>(result.gateway.rss_bytes) / kMebibyte,
                static_cast<double>(result.gateway.peak_rss_bytes) / kMebibyte);
  }
}

void print_json(const LoadOptions& options, const LoadResult& result) {
  std::printf(
      "{\"connections\":%u,\"events_per_request\":%u,\"requests_per_second\":%.3f,\"seconds\":%.6f,"
      "\"acknowledged_events\":%" PRIu64 ",\"events_per_second\":%.1f,\"requests\":%" PRIu64 ",\"busy\":%" PRIu64
      ",\"refused\":%" PRIu64 ",\"broken\":%" PRIu64 ",\"behind\":%" PRIu64
      ",\"latency_ms\":{\"p50\":%.4f,\"p99\":%.4f,\"p99_9\":%.4f,\"max\":%.4f},"
      "\"generator_cpu_seconds\":%.4f,\"gateway_cpu_seconds\":%.4f,\"gateway_rss_bytes\":%" PRIu64
      ",\"gateway_peak_rss_bytes\":%" PRIu64 "}\n",
      options.connections, options.events_per_request, options.requests_per_second, result.seconds,
      result.acknowledged_events, result.events_per_second(), result.requests, result.busy, result.refused,
      result.broken, result.behind, result.latency.p50_ms, result.latency.p99_ms, result.latency.p999_ms,
      result.latency.max_ms, result.generator_cpu_seconds, result.gateway_cpu_seconds, result.gateway.rss_bytes,
      result.gateway.peak_rss_bytes);
}

}  // namespace

int main(int argc, char** argv) {
  LoadOptions options;
  double warm_up = options.warm_up.count();
  double duration = options.duration.count();
  bool json = false;
  CLI::App app{"Loads a gateway on this machine over HTTP. Exit code 1 when a request was refused or a connection "
               "broke, 2 on wrong usage."};
  app.add_option("--port", options.port, "the HTTP source's port on 127.0.0.1")->capture_default_str();
  app.add_option("--path", options.path)->capture_default_str();
  app.add_option("--connections", options.connections)->capture_default_str()->check(CLI::Range(1, 20000));
  app.add_option("--events", options.events_per_request, "events in a request")
      ->capture_default_str()
      ->check(CLI::Range(1, 10000));
  app.add_option("--rate", options.requests_per_second, "requests a second, an open loop; 0: closed loop")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  app.add_option("--warm-up", warm_up, "seconds before measuring")->capture_default_str()->check(CLI::NonNegativeNumber);
  app.add_option("--duration", duration, "seconds of measuring")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--max-events", options.max_events, "stop when so many were acknowledged")->capture_default_str();
  app.add_option("--pid", options.gateway, "the gateway's process: print its CPU time and memory");
  app.add_flag("--json", json);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  options.warm_up = std::chrono::duration<double>(warm_up);
  options.duration = std::chrono::duration<double>(duration);

  LoadResult result = weir::bench::run_load(options);
  if (!result.problem.empty()) {
    std::fprintf(stderr, "weir-load: %s\n", result.problem.c_str());
    if (result.seconds == 0) return 1;
  }
  json ? print_json(options, result) : print_text(options, result);
  return result.refused == 0 && result.broken == 0 && result.problem.empty() ? 0 : 1;
}
