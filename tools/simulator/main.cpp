// weir-simulator: a dozen believable devices that post their readings to a gateway over HTTP.
#include <CLI/CLI.hpp>
#include <cinttypes>
#include <cstdio>

#include "simulator/sender.h"

namespace {

using weir::simulator::Totals;

void say(const std::string& line) {
  std::printf("simulator: %s\n", line.c_str());
  std::fflush(stdout);
}

void print_totals(const char* word, const Totals& totals) {
  std::printf("simulator: %s %" PRIu64 " events in %" PRIu64 " messages, accepted %" PRIu64 ", refused %" PRIu64
              ", retried %" PRIu64 ", unsent %" PRIu64 "; %" PRIu64 " messages held an impossible value\n",
              word, totals.events, totals.messages, totals.accepted, totals.refused, totals.retries,
              totals.unsent, totals.implausible);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  weir::simulator::Plan plan;
  std::string url_text = "http://127.0.0.1:8080/v1/events";
  double duration_seconds = 0;
  uint64_t report_every = 1000;
  bool quiet = false;

  CLI::App app{"Simulated devices: temperature, humidity, pressure, wind, energy, doors, batteries and more.\n"
               "Ends with 0 when every event was accepted, 1 when the gateway refused one, 2 on wrong usage."};
  app.add_option("--url", url_text, "where the devices post")->capture_default_str();
  app.add_option("--devices", plan.devices, "how many devices")->capture_default_str()->check(CLI::Range(1, 100000));
  app.add_option("--seed", plan.seed, "the same seed gives the same devices")->capture_default_str();
  app.add_option("--rate", plan.messages_per_second, "messages a second of all devices together; 0: unpaced")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  app.add_option("--count", plan.count, "stop after this many messages; 0: go on")->capture_default_str();
  app.add_option("--duration", duration_seconds, "stop after this many seconds; 0: go on")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  app.add_option("--faults", plan.fault_rate, "share of readings that a broken sensor would send")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--report-every", report_every, "print a line every so many events")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_flag("--quiet", quiet, "print the closing line only");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  auto url = weir::simulator::parse_url(url_text);
  if (!url) {
    std::fprintf(stderr, "weir-simulator: --url %s is not http://HOST[:PORT]/PATH\n", url_text.c_str());
    return 2;
  }
  if (duration_seconds > 0) plan.duration = std::chrono::duration<double>(duration_seconds);

  weir::simulator::Interrupt interrupt;
  weir::simulator::Sender sender(plan, *url, interrupt, [&](const std::string& line) {
    if (!quiet) say(line);
  });
  if (!quiet) say(std::to_string(plan.devices) + " devices post to " + url_text);
  uint64_t next_report = report_every;
  Totals totals = sender.run([&](const Totals& so_far) {
    if (quiet || so_far.accepted < next_report) return;
    next_report = so_far.accepted - so_far.accepted % report_every + report_every;
    print_totals("so far", so_far);
  });
  print_totals("sent", totals);
  return totals.refused == 0 ? 0 : 1;
}
