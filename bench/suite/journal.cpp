#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <semaphore>
#include <thread>

#include "floors/blocks.h"
#include "floors/floors.h"
#include "journal/journal.h"
#include "load/bodies.h"
#include "suite/scenarios.h"

namespace weir::bench {
namespace {

using Clock = std::chrono::steady_clock;

// Wakes the producer whose batch was settled: the token is its number.
class Producers : public journal::SettlementListener {
 public:
  explicit Producers(uint32_t count) : settled_(count) {
    for (auto& slot : settled_) slot = std::make_unique<Slot>();
  }
  void settled(std::vector<journal::Settlement> settlements) override {
    for (const journal::Settlement& settlement : settlements) {
      Slot& slot = *settled_[settlement.token];
      slot.durable = settlement.durable;
      slot.done.release();
    }
  }
  // Waits for the settlement of a producer's batch; true when it is durable.
  bool wait(uint64_t token) {
    settled_[token]->done.acquire();
    return settled_[token]->durable;
  }

 private:
  struct Slot {
    std::binary_semaphore done{0};
    bool durable = false;
  };
  std::vector<std::unique_ptr<Slot>> settled_;
};

event::Block to_block(const std::string& bytes) {
  event::Block block(bytes.size());
  std::copy(bytes.begin(), bytes.end(), block.data());
  return block;
}

// The journal in the place of the bare SQLite loop: as many producers, each with one batch outstanding.
struct JournalRun {
  double events_per_second = 0;
  double stored_share = 0;  // bytes stored / bytes of the blocks: what compression leaves
  std::string problem;
};

JournalRun run_journal_loop(const std::string& folder, const std::vector<std::string>& blocks, uint32_t events,
                            uint32_t producers, Seconds duration) {
  JournalRun run;
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  journal::Options options;
  options.data_dir = folder;
  options.max_bytes = uint64_t{16} << 30;
  auto opened = journal::Journal::open(options);
  if (!opened.ok()) {
    run.problem = opened.error().text();
    return run;
  }
  journal::Journal& journal = **opened;
  Producers settled(producers);
  std::atomic<uint64_t> durable{0};
  std::atomic<bool> failed{false};
  Clock::time_point start = Clock::now();
  Clock::time_point end = start + std::chrono::duration_cast<Clock::duration>(duration);
  std::vector<std::jthread> threads;
  for (uint32_t i = 0; i < producers; ++i) {
    threads.emplace_back([&, i] {
      for (size_t next = i * 7; Clock::now() < end; ++next) {
        journal::Offer offer;
        offer.listener = &settled;
        offer.source = "bench";
        offer.block = to_block(blocks[next % blocks.size()]);
        offer.token = i;
        journal.offer(std::move(offer));
        if (settled.wait(i)) {
          durable += events;
        } else {
          failed = true;
        }
      }
    });
  }
  threads.clear();
  double seconds = Seconds(Clock::now() - start).count();
  auto statistics = journal.statistics();
  run.events_per_second = static_cast<double>(durable) / seconds;
  if (statistics.writer.plain_bytes > 0) {
    run.stored_share =
        static_cast<double>(statistics.writer.stored_bytes) / static_cast<double>(statistics.writer.plain_bytes);
  }
  if (failed) run.problem = "the journal did not make every batch durable: " + statistics.trouble;
  journal.stop();
  opened->reset();
  std::filesystem::remove_all(folder);
  return run;
}

}  // namespace

void measure_journal(const SuiteOptions& options, Report& report) {
  constexpr uint32_t kInFlight = 16;
  constexpr uint32_t kEvents = 100;
  const std::string section = "Journal append, 100 events a batch, 16 in flight";
  const auto blocks = make_blocks(make_bodies(kBodyPool, kEvents));
  std::vector<double> rate, sqlite_rate, ratio, stored;
  for (int round = 0; round < options.rounds; ++round) {
    Floor sqlite = run_sqlite_loop(options.folder, blocks, kEvents, kInFlight, Seconds(options.seconds));
    JournalRun run = run_journal_loop(options.folder + "/journal", blocks, kEvents, kInFlight, Seconds(options.seconds));
    if (!sqlite.problem.empty()) return report.note(section, sqlite.problem);
    if (!run.problem.empty()) return report.note(section, run.problem);
    rate.push_back(run.events_per_second);
    sqlite_rate.push_back(sqlite.events_per_second);
    ratio.push_back(run.events_per_second / sqlite.events_per_second);
    stored.push_back(run.stored_share);
  }
  report.add({section, "journal", "events/s", rate, {}, {}});
  report.add({section, "bare SQLite loop", "events/s", sqlite_rate, {}, {}});
  report.add({section, "journal / bare SQLite loop", "", ratio, 0.8, {}});
  report.add({section, "bytes stored / bytes of the blocks", "", stored, {}, {}});
}

}  // namespace weir::bench
