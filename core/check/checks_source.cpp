// What a source does with the host's answers. Most of it needs a stimulus: without a device nothing comes.
#include <algorithm>
#include <array>
#include <thread>

#include "check/checks.h"
#include "check/work.h"

namespace weir::check {
namespace {

// Long enough for a device's message to pass through a source that should have stopped reading.
constexpr base::Duration kQuiet = std::chrono::milliseconds(300);
// How long nothing may come until what was under way counts as having come.
constexpr base::Duration kInFlight = std::chrono::milliseconds(50);
constexpr base::Duration kShortDrain = std::chrono::milliseconds(200);
// Within the second that BUSY asks for. A source that waits, or passes it on to its devices, offers about as often as
// when it is accepted; one that spins offers without end.
constexpr base::Duration kBusyWatch = std::chrono::milliseconds(800);
constexpr uint64_t kBusyLeast = 50;
constexpr uint64_t kUnknownSettlements = 1000;

void settle_unknown(Trial& trial, Subject& subject) {
  std::vector<std::array<uint8_t, 16>> ids(3);
  std::vector<weir_settlement> settlements;
  for (uint64_t i = 0; i < kUnknownSettlements; ++i) {
    weir_settlement one{};
    one.token = i % 2 == 0 ? i : UINT64_MAX - i;
    one.state = i % 3 == 0 ? WEIR_FAILED : WEIR_DURABLE;
    one.count = one.state == WEIR_DURABLE ? 3 : 0;
    one.ids = one.state == WEIR_DURABLE ? reinterpret_cast<const uint8_t(*)[16]>(ids.data()) : nullptr;
    one.epoch = one.first_sequence = 1;
    settlements.push_back(one);
  }
  Doing doing(trial.board(), "settled with unknown tokens", trial.job().call_limit);
  std::thread host([&] {
    MustNotBlock here;
    trial.source()->settled(subject.self(), nullptr, 0);
    trial.source()->settled(subject.self(), settlements.data(), static_cast<uint32_t>(settlements.size()));
  });
  host.join();
}

void give_credit(Trial& trial, Subject& subject, uint64_t events, uint64_t bytes) {
  Doing doing(trial.board(), "credit", trial.job().call_limit);
  MustNotBlock here;
  trial.source()->credit(subject.self(), events, bytes);
}

}  // namespace

void check_settled_unknown(Trial& trial) {
  Estate estate;
  Subject subject(trial, estate);
  if (!subject.up()) return;
  settle_unknown(trial, subject);
  give_credit(trial, subject, 0, 0);
  give_credit(trial, subject, UINT64_MAX, UINT64_MAX);
  subject.health();
  subject.down();
}

void check_settled_in_emit(Trial& trial) {
  Estate estate;
  Subject subject(trial, estate);
  if (subject.up(Door::kEager) && stimulate(trial, subject, estate)) subject.down();
}

void check_settled_failed(Trial& trial) {
  Estate estate;
  Subject subject(trial, estate);
  if (subject.up(Door::kFail) && stimulate(trial, subject, estate)) subject.down();
}

void check_credit(Trial& trial) {
  Estate estate;
  Subject subject(trial, estate);
  if (!subject.up() || !stimulate(trial, subject, estate)) return;
  give_credit(trial, subject, 0, 0);
  Settler& settler = subject.host().settler();
  // What it had read when the credit went may still come.
  uint64_t before = settler.offered();
  for (const base::Monotonic until = base::now() + trial.job().call_limit;
       base::now() < until && settler.wait_offered(before, base::now() + kInFlight);) {
    before = settler.offered();
  }
  {
    Stimulus stimulus(trial, estate);
    if (settler.wait_offered(before, base::now() + kQuiet)) {
      return trial.find("it goes on reading and emitting while its credit is 0");
    }
  }
  give_credit(trial, subject, 10'000, 1 << 24);
  Stimulus stimulus(trial, estate);
  if (!settler.wait_offered(before, base::now() + trial.job().call_limit)) {
    return trial.find("it does not go on reading when it gets credit again");
  }
  (void)stimulus.wait(base::now() + trial.job().call_limit);
  subject.down();
}

void check_busy(Trial& trial) {
  Estate estate;
  Subject subject(trial, estate);
  if (!subject.up() || !stimulate(trial, subject, estate)) return;
  Settler& settler = subject.host().settler();
  const uint64_t usual = settler.offered(), most = std::max(2 * usual, kBusyLeast);
  settler.set_door(Door::kBusy);
  {
    Stimulus stimulus(trial, estate);
    if (settler.wait_offered(usual, base::now() + trial.job().call_limit)) {
      // Whatever it does now, it was asked to wait for a second.
      (void)settler.wait_offered(usual + most, base::now() + kBusyWatch);
    }
  }
  const uint64_t offered = settler.offered() - usual;
  settler.set_door(Door::kAccept);
  if (offered > most) {
    trial.find("it emits more than " + std::to_string(most) + " times within 0.8 s although the answer is BUSY with a retry after 1 s");
  }
  subject.down();
}

void check_pause(Trial& trial) {
  Estate estate;
  Subject subject(trial, estate);
  if (!subject.up() || !stimulate(trial, subject, estate)) return;
  if (!subject.must("pause", subject.pause())) return;
  Settler& settler = subject.host().settler();
  const uint64_t before = settler.offered();
  {
    // What it emits now is a finding of emit-state.
    Stimulus stimulus(trial, estate);
    (void)settler.wait_offered(before, base::now() + kQuiet);
  }
  if (!subject.must("resume", subject.resume())) return;
  Stimulus stimulus(trial, estate);
  if (!settler.wait_offered(before, base::now() + trial.job().call_limit)) {
    return trial.find("after pause() and resume() it emits nothing any more");
  }
  (void)stimulus.wait(base::now() + trial.job().call_limit);
  subject.down();
}

void check_drain_waits(Trial& trial) {
  Estate estate;
  Subject subject(trial, estate);
  if (!subject.up(Door::kHold)) return;
  Settler& settler = subject.host().settler();
  Stimulus stimulus(trial, estate);
  const base::Duration patience = trial.job().stimulus.empty() ? kByItself : trial.job().call_limit;
  if (!settler.wait_offered(0, base::now() + patience)) {
    return trial.not_run("no event was emitted: pass --stimulus 'command'");
  }
  if (!subject.must("pause", subject.pause())) return;
  const Answer early = subject.drain(base::monotonic_ns(base::now() + kShortDrain));
  if (early.ok() && settler.unsettled() != 0) {
    return trial.find("drain() returned while " + std::to_string(settler.unsettled()) + " emitted batch(es) were not settled");
  }
  settler.release();
  if (!subject.must("drain", subject.drain())) return;
  if (settler.unsettled() != 0) trial.find("drain() returned while emitted batches were not settled");
  (void)stimulus.wait(base::now() + kShortDrain);
  if (subject.must("stop", subject.stop())) subject.destroy();
}

}  // namespace weir::check
