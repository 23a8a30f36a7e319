// What a sink promises about the batches that it has taken.
#include "check/checks.h"
#include "check/work.h"

namespace weir::check {
namespace {

constexpr uint32_t kMostInFlight = 1024;      // beyond it the host could not keep order per device
constexpr uint32_t kMostLingerMs = 60'000;
constexpr uint32_t kRounds = 30;

std::vector<Sample> batch_for(const SinkWork& work, uint32_t n) {
  const uint32_t size = work.most(20);
  return ordinary(size, 1 + uint64_t{n} * size);
}

}  // namespace

void check_limits(Trial& trial) {
  Estate estate;
  Subject subject(trial, estate);
  if (!subject.must("create", subject.create()) || !subject.must("prepare", subject.prepare())) return;
  const weir_sink_limits limits = subject.ask_limits(), again = subject.ask_limits();
  auto above = [&](const char* what, uint32_t value, uint32_t most) {
    if (value > most) trial.find(std::string("limits() wishes for ") + what + " " + std::to_string(value) + ", and at most " + std::to_string(most) + " is possible");
  };
  above("max_batch_events", limits.max_batch_events, WEIR_BATCH_MAX_EVENTS);
  above("max_batch_bytes", limits.max_batch_bytes, WEIR_BATCH_MAX_BYTES);
  above("max_in_flight", limits.max_in_flight, kMostInFlight);
  above("linger_ms", limits.linger_ms, kMostLingerMs);
  if (limits.max_batch_events != again.max_batch_events || limits.max_batch_bytes != again.max_batch_bytes ||
      limits.linger_ms != again.linger_ms || limits.max_in_flight != again.max_in_flight) {
    trial.find("limits() answers differently when it is asked again");
  }
}

void check_in_flight(Trial& trial) {
  Estate estate;
  Subject subject(trial, estate);
  if (!subject.up()) return;
  SinkWork work(trial, subject);
  std::vector<uint64_t> flying;
  for (uint32_t n = 0; n < kRounds; ++n) {
    // The window stays full: the host submits the next one as soon as one is completed.
    if (flying.size() == work.window()) {
      if (!work.finish(flying.front())) return;
      flying.erase(flying.begin());
    }
    flying.push_back(work.submit(Batch(batch_for(work, n))));
    if (flying.back() == 0) return;
  }
  for (uint64_t token : flying) {
    if (!work.finish(token)) return;
  }
  subject.down();
}

void check_drain(Trial& trial) {
  Estate estate;
  Subject subject(trial, estate);
  if (!subject.up()) return;
  SinkWork work(trial, subject);
  for (uint32_t n = 0; n < work.window(); ++n) {
    if (work.submit(Batch(batch_for(work, n))) == 0) return;
  }
  if (!subject.must("drain", subject.drain())) return;
  if (const size_t open = subject.host().deliveries().open(); open != 0) {
    trial.find("drain() returned while " + std::to_string(open) + " batch(es) were not completed");
  }
  subject.must("stop", subject.stop());
}

void check_cancel(Trial& trial) {
  Estate estate;
  Subject subject(trial, estate);
  if (!subject.up()) return;
  SinkWork work(trial, subject);
  work.cancel(UINT64_MAX);  // one that it has never seen
  for (uint32_t n = 0; n < kRounds; ++n) {
    const uint64_t token = work.submit(Batch(batch_for(work, n), sizeof(weir_event_v1), Memory::kGuarded), true);
    if (token == 0) return;
    work.cancel(token);
    subject.host().deliveries().cancelled(token);
  }
  // It goes on with the next one.
  if (!work.finish(work.submit(Batch(batch_for(work, kRounds))))) return;
  subject.down();
}

}  // namespace weir::check
