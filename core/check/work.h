// Giving work to an instance: events to a transform or a sink, a stimulus to a source.
#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <vector>

#include "check/recorder.h"
#include "check/samples.h"
#include "check/subject.h"

namespace weir::check {

// Calls a transform. One thread.
class TransformWork {
 public:
  TransformWork(Trial& trial, Subject& subject)
      : trial_(trial), subject_(subject), table_(trial.transform()), recorder_(subject.recorder()) {}

  // One process(); what was decided about each event. `position` counts events from the beginning.
  const std::vector<std::string>& process(const Batch& batch, uint64_t position = 0);
  // The same, in as many calls as the gateway makes of it: a stateful transform is told one time a call. The last batch
  // stays in memory until the next one, so that a plugin that reads it too late crashes in the check about that alone.
  std::vector<std::string> process(std::span<const Sample> samples, uint64_t position = 0,
                                   uint32_t stride = sizeof(weir_event_v1));
  Answer tick(int64_t now_ns, uint64_t position);
  // Gives all of a state back, before start.
  Answer restore(const std::map<std::string, std::string>& state, uint32_t format);
  std::map<std::string, std::string>& state() { return recorder_.state(); }

 private:
  Trial& trial_;
  Subject& subject_;
  const weir_transform_v1* const table_;
  Recorder& recorder_;
  int64_t now_ns_ = 0;
};

// Calls a sink. One thread.
class SinkWork {
 public:
  SinkWork(Trial& trial, Subject& subject) : trial_(trial), subject_(subject), table_(trial.sink()) {}

  // Submits, again when it is not taken; 0 and a finding when it is never taken.
  uint64_t submit(Batch batch, bool vanishes = false);
  // Waits for the completion; false and a finding when it does not come by the job's limit.
  bool finish(uint64_t token);
  void cancel(uint64_t token);
  // All of it, cut to the sink's limits, one batch after the other. The outcomes, one letter an event.
  std::string deliver(std::span<const Sample> samples, uint32_t stride = sizeof(weir_event_v1));
  // How many events a batch may have here.
  uint32_t most(uint32_t wanted) const;
  // How many batches may be in flight.
  uint32_t window() const;

 private:
  Trial& trial_;
  Subject& subject_;
  const weir_sink_v1* const table_;
  static uint64_t next_token_;  // of all sinks in this process: no token is used twice
};

// The author's command that makes a source emit, with the addresses in WEIR_CHECK_LISTEN. Killed with the object.
class Stimulus {
 public:
  Stimulus(Trial& trial, Estate& estate);
  ~Stimulus();
  Stimulus(const Stimulus&) = delete;
  Stimulus& operator=(const Stimulus&) = delete;
  // Whether it ended by `until`.
  bool wait(base::Monotonic until);

 private:
  pid_t pid_ = -1;
};

// How long a source without a stimulus is waited for: one that polls a device emits by itself.
inline constexpr base::Duration kByItself = std::chrono::milliseconds(500);

// Runs the stimulus to its end and waits for a first emit. False, with the check marked as not run, when none came.
bool stimulate(Trial& trial, Subject& subject, Estate& estate);

// A little of what the component does all day.
void ordinary_work(Trial& trial, Subject& subject, Estate& estate, uint32_t batches = 3);

}  // namespace weir::check
