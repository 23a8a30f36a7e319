// What a transform and a sink make of everything that a batch may hold.
#include <algorithm>

#include "check/checks.h"
#include "check/work.h"

namespace weir::check {
namespace {

constexpr uint32_t kLargeBatch = 10'000;
constexpr uint32_t kLargerStride = sizeof(weir_event_v1) + 64;
constexpr base::Duration kMeasured = std::chrono::milliseconds(300);
constexpr uint32_t kMeasuredBatch = 1000;
// Far below what any site needs; a component that is slower than this stalls it.
constexpr double kLeastTransformed = 1000;  // events a second
constexpr double kLeastDelivered = 50;

// Gives these events to the component, as one batch or as its limits allow. What came out, to be compared.
std::vector<std::string> give(Trial& trial, Subject& subject, const std::vector<Sample>& samples,
                              uint32_t stride = sizeof(weir_event_v1)) {
  if (trial.is(plugin::Kind::kTransform)) return TransformWork(trial, subject).process(samples, 0, stride);
  return {SinkWork(trial, subject).deliver(samples, stride)};
}

// One life with these batches.
void live_with(Trial& trial, const std::vector<std::vector<Sample>>& batches) {
  Estate estate;
  Subject subject(trial, estate);
  if (!subject.up()) return;
  for (const auto& samples : batches) give(trial, subject, samples);
  subject.down();
}

}  // namespace

void check_batch_sizes(Trial& trial) {
  live_with(trial, {ordinary(0), ordinary(1), ordinary(kLargeBatch, 2), ordinary(0), ordinary(1, kLargeBatch + 2)});
}

void check_value_kinds(Trial& trial) { live_with(trial, {all_values()}); }

void check_unknown_values(Trial& trial) { live_with(trial, {unknown_values()}); }

void check_hostile_text(Trial& trial) { live_with(trial, {hostile_texts()}); }

void check_larger_stride(Trial& trial) {
  const auto samples = ordinary(200);
  std::vector<std::string> results[2];
  for (int i = 0; i < 2; ++i) {
    Estate estate;
    Subject subject(trial, estate);
    if (!subject.up()) return;
    results[i] = give(trial, subject, samples, i == 0 ? sizeof(weir_event_v1) : kLargerStride);
    if (!subject.down()) return;
  }
  if (results[0] == results[1]) return;
  trial.find("the same events with larger records (event_size 192 instead of 128) come to something else: it steps by "
             "sizeof(weir_event_v1) instead of event_size");
}

void check_batch_lifetime(Trial& trial) {
  Estate estate;
  Subject subject(trial, estate);
  if (!subject.up()) return;
  std::vector<Batch> gone;  // kept, so that no later one takes its place in memory
  for (uint32_t i = 0; i < 20; ++i) {
    const auto samples = ordinary(20, 1 + uint64_t{i} * 20);
    if (trial.is(plugin::Kind::kTransform)) {
      Batch batch(samples, sizeof(weir_event_v1), Memory::kGuarded);
      TransformWork(trial, subject).process(batch, uint64_t{i} * 20);
      batch.vanish();
      gone.push_back(std::move(batch));
    } else {
      SinkWork work(trial, subject);
      const std::span<const Sample> fitting(samples.data(), work.most(20));
      if (!work.finish(work.submit(Batch(fitting, sizeof(weir_event_v1), Memory::kGuarded), true))) return;
    }
  }
  subject.down();
}

void check_throughput(Trial& trial) {
  Estate estate;
  Subject subject(trial, estate);
  if (!subject.up()) return;
  const bool transforms = trial.is(plugin::Kind::kTransform);
  SinkWork sink(trial, subject);
  TransformWork transform(trial, subject);
  const uint32_t size = transforms ? kMeasuredBatch : sink.most(kMeasuredBatch);
  uint64_t events = 0;
  const base::Monotonic begin = base::now();
  while (base::now() - begin < kMeasured && trial.clean()) {
    if (transforms) {
      transform.process(ordinary(size, events + 1), events);
    } else {
      sink.deliver(ordinary(size, events + 1));
    }
    events += size;
  }
  const double rate = static_cast<double>(events) / std::chrono::duration<double>(base::now() - begin).count();
  const double least = transforms ? kLeastTransformed : kLeastDelivered;
  trial.note(std::to_string(static_cast<int64_t>(rate)) + " events/s, one batch of " + std::to_string(size) + " at a time");
  if (trial.clean() && rate < least) {
    trial.find("it takes " + std::to_string(static_cast<int64_t>(rate)) + " events a second, in batches of " + std::to_string(size));
  }
  subject.down();
}

}  // namespace weir::check
