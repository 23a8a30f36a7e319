// What must hold when instances follow each other: upgrades, and crashes.
#include <unistd.h>

#include <algorithm>

#include "check/checks.h"
#include "check/work.h"

namespace weir::check {
namespace {

constexpr uint32_t kEventsEach = 10;

// Brings up the successor of a running instance, as the gateway does it, and ends the predecessor.
bool take_over(Trial& trial, Subject& old, Subject& fresh, const std::map<std::string, std::string>& state) {
  if (!fresh.must("create", fresh.create())) return false;
  const bool pauses = trial.is(plugin::Kind::kSource), exclusive = trial.component().exclusive;
  if (exclusive && ((pauses && !old.must("pause", old.pause())) || !old.down())) return false;
  if (!fresh.must("prepare", fresh.prepare())) return false;
  if (trial.component().stateful &&
      !fresh.must("restore", TransformWork(trial, fresh).restore(state, trial.transform()->state_format))) {
    return false;
  }
  if (trial.is(plugin::Kind::kSource)) {
    fresh.host().settler().open(trial.source(), fresh.self(), Door::kAccept);
  }
  if (exclusive) return fresh.must("start", fresh.start());
  if (pauses && !old.must("pause", old.pause())) return false;
  return fresh.must("start", fresh.start()) && old.down();
}

}  // namespace

void check_swap(Trial& trial) {
  const uint32_t swaps = std::max(trial.job().cycles / 10, 2u);
  const bool transforms = trial.is(plugin::Kind::kTransform);
  const auto samples = ordinary(kEventsEach * (swaps + 1));
  std::vector<std::string> swapped, straight;
  Estate estate;
  auto current = std::make_unique<Subject>(trial, estate);
  if (!current->up()) return;
  std::map<std::string, std::string> state;
  for (uint32_t n = 0; n <= swaps && trial.clean(); ++n) {
    const std::span<const Sample> part(samples.data() + n * kEventsEach, kEventsEach);
    if (transforms) {
      TransformWork work(trial, *current);
      const auto decisions = work.process(part, uint64_t{n} * kEventsEach);
      swapped.insert(swapped.end(), decisions.begin(), decisions.end());
      state = work.state();
    } else if (trial.is(plugin::Kind::kSink)) {
      SinkWork(trial, *current).deliver(part);
    }
    if (n == swaps) break;
    auto fresh = std::make_unique<Subject>(trial, estate);
    if (!take_over(trial, *current, *fresh, state)) return;
    if (trial.is(plugin::Kind::kSink)) fresh->ask_limits();
    current = std::move(fresh);
  }
  current->down();
  trial.note(std::to_string(swaps) + " swaps");
  if (!transforms) return;
  Subject reference(trial, estate);
  if (!reference.up()) return;
  for (uint32_t n = 0; n <= swaps; ++n) {
    const std::span<const Sample> part(samples.data() + n * kEventsEach, kEventsEach);
    const auto decisions = TransformWork(trial, reference).process(part, uint64_t{n} * kEventsEach);
    straight.insert(straight.end(), decisions.begin(), decisions.end());
  }
  auto [at, other] = std::mismatch(straight.begin(), straight.end(), swapped.begin(), swapped.end());
  if (at != straight.end() && other != swapped.end()) {
    trial.find("with a swap after each batch event " + std::to_string(at - straight.begin()) + " comes to \"" + *other +
               "\", without to \"" + *at + "\"");
  }
  reference.down();
}

void check_kill(Trial& trial) {
  Estate estate;
  Subject subject(trial, estate);
  if (trial.job().round == 0) {
    if (!subject.up()) return;
    ordinary_work(trial, subject, estate);
    // The parent kills this process at its next word's arrival, in the middle of whatever it does.
    trial.tell("kill", "now");
    const base::Monotonic until = base::now() + trial.job().call_limit;
    while (base::now() < until && trial.clean()) ordinary_work(trial, subject, estate, 1);
    return;
  }
  // The next process finds what the dead one left: the same events come again.
  if (!subject.up()) return;
  ordinary_work(trial, subject, estate);
  subject.down();
}

}  // namespace weir::check
