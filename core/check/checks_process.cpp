// What an instance leaves behind in the process that it shares with the gateway.
#include <algorithm>
#include <thread>

#include "check/checks.h"
#include "check/process_facts.h"
#include "check/work.h"

namespace weir::check {
namespace {

// The kernel shows a joined thread a moment longer.
constexpr base::Duration kThreadPatience = std::chrono::milliseconds(500);
constexpr base::Duration kPollPause = std::chrono::milliseconds(2);
// Growth below this is an allocator's own bookkeeping.
constexpr double kHeapBytesEach = 16;
constexpr double kResidentBytesEach = 1024;
// A leak check ends early on a component whose life or work is slow.
constexpr base::Duration kLeakLimit = std::chrono::seconds(6);
constexpr uint32_t kLeastRounds = 100;
constexpr uint32_t kDataBatches = 1500;
constexpr uint32_t kDataEvents = 20;
// A sink gets these again and again, as after crashes: its table, and the cache of it, are not to grow.
constexpr uint32_t kDistinctBatches = 25;

bool threads_down_to(size_t most) {
  const base::Monotonic until = base::now() + kThreadPatience;
  while (count_threads() > most) {
    if (base::now() > until) return false;
    std::this_thread::sleep_for(kPollPause);
  }
  return true;
}

// One whole life with a little work. False, with a finding, when it does not go well.
bool one_life(Trial& trial, Estate& estate) {
  Subject subject(trial, estate);
  if (!subject.up()) return false;
  ordinary_work(trial, subject, estate, 1);
  return subject.down();
}

struct Memory {
  double heap = 0;
  double resident = 0;
  static Memory now() { return {static_cast<double>(heap_bytes()), static_cast<double>(resident_bytes())}; }
};

// Runs `round` so often and looks at three thirds: a leak grows in both of the last two, a cache that fills does not.
template <class Round>
void watch_memory(Trial& trial, const char* each, uint32_t rounds, Round&& round) {
  Memory at[4];
  const base::Monotonic begin = base::now();
  uint32_t done = 0, third = std::max(rounds / 3, 1u);
  for (uint32_t i = 0; i < 3; ++i) {
    for (uint32_t k = 0; k < third; ++k, ++done) {
      if (!round(done)) return;
      // Slow ones are counted by what fits into the time.
      if (i == 0 && k + 1 >= kLeastRounds && base::now() - begin > kLeakLimit / 3) third = k + 1;
    }
    at[i + 1] = Memory::now();
  }
  auto growth = [&](double Memory::*what) {
    return std::min(at[2].*what - at[1].*what, at[3].*what - at[2].*what) / third;
  };
  const double heap = growth(&Memory::heap), resident = growth(&Memory::resident);
  trial.note(std::to_string(done) + " times a " + each + ", " + std::to_string(static_cast<int64_t>(std::max(heap, 0.0))) + " bytes of heap each");
  if (heap > kHeapBytesEach) {
    trial.find("each " + std::string(each) + " leaves " + std::to_string(static_cast<int64_t>(heap)) + " bytes of heap behind (over " +
               std::to_string(done) + ")");
  } else if (resident > kResidentBytesEach && !is_sanitized()) {
    trial.find("each " + std::string(each) + " leaves " + std::to_string(static_cast<int64_t>(resident)) +
               " bytes of resident memory behind (over " + std::to_string(done) + ")");
  }
}

}  // namespace

void check_threads_left(Trial& trial) {
  Estate estate;
  const size_t before = count_threads();
  for (int lives = 0; lives < 2; ++lives) {
    Subject subject(trial, estate);
    if (!subject.up()) return;
    ordinary_work(trial, subject, estate);
    if (!subject.must("drain", subject.drain()) || !subject.must("stop", subject.stop())) return;
    if (!threads_down_to(before)) {
      return trial.find(std::to_string(count_threads() - before) + " thread(s) of the plugin still run after stop() has returned");
    }
  }
}

void check_descriptors_left(Trial& trial) {
  Estate estate;
  // The first life may open what belongs to the library as a whole.
  if (!one_life(trial, estate)) return;
  const auto before = open_descriptors();
  Subject subject(trial, estate);
  if (!subject.up()) return;
  ordinary_work(trial, subject, estate);
  if (!subject.must("drain", subject.drain()) || !subject.must("stop", subject.stop())) return;
  for (const auto& [fd, what] : open_descriptors()) {
    if (!before.contains(fd)) trial.find("stop() leaves a descriptor open: " + what);
  }
}

void check_process_state(Trial& trial) {
  const auto before = shared_state();
  Estate estate;
  if (!one_life(trial, estate)) return;
  const auto after = shared_state();
  for (const auto& [what, value] : after) {
    auto old = before.find(what);
    if (old == before.end()) trial.find("it sets " + what);
    if (old != before.end() && old->second != value) trial.find("it changes " + what + " from '" + old->second + "' to '" + value + "'");
  }
  for (const auto& [what, value] : before) {
    if (!after.contains(what)) trial.find("it removes " + what);
  }
}

void check_leak(Trial& trial) {
  watch_memory(trial, "life cycle", trial.job().cycles, [&](uint32_t) {
    // An estate of its own: the sockets of a name are the host's and stay.
    Estate estate;
    Subject subject(trial, estate);
    return subject.up() && subject.down();
  });
}

void check_leak_data(Trial& trial) {
  Estate estate;
  Subject subject(trial, estate);
  if (!subject.up()) return;
  TransformWork transform(trial, subject);
  SinkWork sink(trial, subject);
  watch_memory(trial, "batch", kDataBatches, [&](uint32_t n) {
    const bool sinks = trial.is(plugin::Kind::kSink);
    // What remembers may remember all of these.
    const uint64_t which = sinks || trial.component().stateful ? n % kDistinctBatches : n;
    const auto samples = ordinary(kDataEvents, 1 + which * kDataEvents);
    if (sinks) return !sink.deliver(samples).empty();
    transform.process(samples, uint64_t{n} * kDataEvents);
    return trial.clean();
  });
  subject.down();
}

}  // namespace weir::check
