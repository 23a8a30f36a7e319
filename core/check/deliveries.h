// weir.delivery of the check host: which batches a sink has, and what it says became of them.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "check/samples.h"
#include "check/trial.h"

namespace weir::check {

// Keeps batches as long as the sink may read them. Any thread.
class Deliveries {
 public:
  explicit Deliveries(Trial& trial) : trial_(trial) {}

  // Before submit; the batch is kept until the token is done with.
  const weir_batch* submitting(uint64_t token, Batch batch, bool vanishes);
  // submit did not take it: complete must not be called for it. False, with a finding, when it was all the same.
  bool refused(uint64_t token);
  // It is submitted once more.
  void again(uint64_t token);
  // cancel has returned.
  void cancelled(uint64_t token);
  void complete(uint64_t token, const weir_sink_result* results, uint32_t n);

  // Whether the token was completed by `until`.
  bool wait(uint64_t token, base::Monotonic until);
  // Tokens that are neither completed, cancelled nor refused.
  size_t open() const;
  // The outcomes of a completed token, one letter an event: D, Y (retry) or J (reject).
  std::string outcomes(uint64_t token) const;

 private:
  enum class State { kSubmitted, kCompleted, kCancelled, kRefused };
  struct Entry {
    explicit Entry(Batch kept) : batch(std::move(kept)), count(batch.count()), sum(batch.checksum()) {}
    Batch batch;
    uint32_t count;
    uint64_t sum;  // of the batch as it was submitted
    bool vanishes = false;
    State state = State::kSubmitted;
    std::string outcomes;
  };

  void judge_results(Entry& entry, const weir_sink_result* results, uint32_t n);
  void give_back(Entry& entry);

  Trial& trial_;
  mutable std::mutex mutex_;  // guards entries_
  std::condition_variable changed_;
  std::map<uint64_t, Entry> entries_;
  std::deque<Batch> retired_;  // the last ones: a sink that reads them too late is not to crash in every check
};

}  // namespace weir::check
