// weir-bench: measures a gateway against the floors of the machine it runs on, and prints ratios.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "suite/scenarios.h"

int main(int argc, char** argv) {
  weir::bench::SuiteOptions options;
  options.build.folder = (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "..").lexically_normal();
  if (options.build.folder.ends_with('/')) options.build.folder.pop_back();
  std::string json;
  std::vector<std::string> only;
  bool quick = false;

  CLI::App app{"Measures a gateway and its floors in turns, and prints their ratios: see bench/README.md.\n"
               "Ends with 0 when every figure reached what it should, 1 when one did not or could not be measured."};
  app.add_option("--rounds", options.rounds)->capture_default_str()->check(CLI::Range(1, 1000));
  app.add_option("--seconds", options.seconds, "of each measurement in a round")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--backlog", options.backlog, "events pending in the backlog scenario")->capture_default_str();
  app.add_option("--only", only, "scenarios to measure: batches, single, backlog, journal, transform, isolation")
      ->check(CLI::IsMember({"batches", "single", "backlog", "journal", "transform", "isolation"}));
  app.add_option("--folder", options.folder, "scratch folder, on the disk to be measured; default: BUILD/bench-data");
  app.add_option("--json", json, "write the figures to this file, too");
  app.add_flag("--quick", quick, "one short round of everything: shows that the suite works, measures nothing");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (quick) {
    options.rounds = 1;
    options.seconds = 0.3;
    options.backlog = 20'000;
  }
  if (options.folder.empty()) options.folder = options.build.folder + "/bench-data";
  options.folder = std::filesystem::absolute(options.folder);
  std::filesystem::create_directories(options.folder);

  auto wanted = [&](const char* name) {
    return only.empty() || std::find(only.begin(), only.end(), name) != only.end();
  };
  weir::bench::Report report;
  std::printf("%d rounds of %.1f s a measurement; medians, and the spread of the rounds in brackets\n", options.rounds,
              options.seconds);
  std::fflush(stdout);
  if (wanted("batches")) measure_batches(options, report);
  if (wanted("single")) measure_single_events(options, report);
  if (wanted("backlog")) measure_backlog(options, report);
  if (wanted("journal")) measure_journal(options, report);
  if (wanted("transform")) measure_transform(options, report);
  if (wanted("isolation")) measure_isolation(options, report);
  report.print_text();
  if (!json.empty() && !report.write_json(json)) {
    std::fprintf(stderr, "weir-bench: cannot write %s\n", json.c_str());
    return 1;
  }
  int missed = report.missed();
  std::printf("\n%d figures missed what they should reach\n", missed);
  return report.complete() && (missed == 0 || quick) ? 0 : 1;
}
