// A consumer: the thread that brings events from a cursor in the journal through the transforms to one sink.
//
// Its part of an event's story: it reads what lies behind its cursor, from memory while it keeps up and from disk
// otherwise, runs the pure transforms, hands batches to the sink, and settles each event with exactly one outcome.
// Cursor, counts and dead letters of one moment go to state.db together, so the ledger balances there at any time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "base/call_clock.h"
#include "delivery/ledger.h"
#include "delivery/queue.h"
#include "graph/pipeline.h"
#include "journal/journal.h"
#include "weir/sink.h"

namespace weir::delivery {

// A running sink instance. Owned elsewhere; outlives its consumer.
struct SinkCall {
  const weir_sink_v1* table = nullptr;
  void* self = nullptr;
  base::CallClock* clock = nullptr;  // may be null
};

// What the consumer shows of itself. One moment's, consistent.
struct ConsumerStatus {
  journal::ConsumerState state;  // cursor and counts
  uint64_t committed = 0;        // events it is owed: head - origin + 1
  uint64_t pending = 0;          // of them, not settled; committed = counts.sum() + pending, or there is a defect
  uint64_t position = 0;         // the next sequence it reads
  uint64_t in_window = 0;        // of the pending, in memory
  uint64_t window_bytes = 0;
  uint64_t in_flight = 0;        // submissions
  uint64_t parked_devices = 0;
  uint64_t submissions = 0, late_completions = 0;
  Breaker::State breaker = Breaker::State::kClosed;
  uint64_t times_opened = 0;
  bool paused = false;
  std::string last_failure;  // of the sink, "" when the last submission went well
  std::string trouble;       // why it cannot read on; "" when it can

  // Counts committed and pending against the head of now: a thread that hangs in its plugin publishes nothing, and its
  // backlog grows all the same.
  void count_up_to(uint64_t head);
};

class Consumer : public journal::HeadListener {
 public:
  struct Options {
    delivery::Options queue;
    std::string plugin, version;      // of the sink, for dead letters
    bool drop_rejected = false;       // manifest: on_error drop
    bool retry_rejected = false;      // manifest: on_error retry
    base::Duration submit_limit = std::chrono::seconds(30);  // until a submission must be complete
    // Who refused, for a transform's dead letters: the plugin and version of a node.
    std::function<std::pair<std::string, std::string>(const std::string& node)> describe;
    std::string gateway_id;
  };

  Consumer(journal::Journal& journal, journal::ConsumerState state, std::unique_ptr<graph::Pipeline> pipeline,
           SinkCall sink, Options options);
  ~Consumer() override;
  void start();
  // Takes back what is in flight, posts its state and ends; false when the sink hangs in a call, and then this object
  // must be kept for ever, and will post nothing any more: a successor may go on at its place. The runtime's thread.
  bool stop(base::Duration patience);

  // Stops submitting (true) or goes on. Reading stops when the window is full.
  void pause(bool paused);
  // Waits until nothing is in flight. Call pause(true) first.
  bool wait_idle(base::Duration patience);
  // Puts another pipeline in; returns when the old one is no longer used, false when the thread hangs in the sink.
  // What was read before has gone through the old one.
  bool replace(std::unique_ptr<graph::Pipeline> pipeline, base::Duration patience);

  // weir_delivery_v1::complete. Any thread.
  void complete(uint64_t token, const weir_sink_result* results, uint32_t n);
  void head_moved() override;

  ConsumerStatus status() const;
  const std::string& name() const { return name_; }

 private:
  struct Completion {
    uint64_t token;
    std::vector<Outcome> outcomes;
    std::vector<std::string> reasons;  // what the outcomes' reasons point at
  };
  struct InFlight {
    event::SharedBlock block;
    base::Monotonic deadline;
  };

  void run();
  bool take_completions(base::Monotonic now);
  bool submit_ready();
  weir_status submit(const Submission& submission, base::Monotonic deadline, weir_error* error);
  void cancel(uint64_t token);
  bool give_up_late(base::Monotonic now);
  bool read_more();
  bool feed(const journal::StoredBatch& batch);
  void apply(const graph::Verdict& verdict, const journal::StoredBatch& batch, const event::Block& block);
  void settle_queue();
  void forget_sources();
  void bury(const event::Block& block, uint32_t index, const std::string& by, const std::string& plugin,
            const std::string& version, const DeadPart& part);
  void post(base::Monotonic now, bool force);
  void wait(base::Monotonic now);
  void publish_status();
  bool may_read() const;
  bool letters_wait() const;
  bool interrupted() const;

  journal::Journal& journal_;
  const std::string name_;
  const SinkCall sink_;
  const Options options_;

  // The thread's own.
  Ledger ledger_;
  std::unique_ptr<graph::Pipeline> pipeline_;
  graph::Pipeline::Output output_;
  DeliveryQueue queue_;
  journal::Reader reader_;
  std::vector<journal::StoredBatch> batches_;
  uint64_t position_;  // the next sequence to read
  std::map<uint64_t, InFlight> in_flight_;
  std::map<uint64_t, std::string_view> sources_;  // by first sequence: which source, for dead letters of the window
  size_t sources_bound_ = 0;                      // at this many they are looked through
  std::set<uint64_t> half_dead_;  // in the window: a transform rejected a part of it, which is a dead letter already
  base::Monotonic posted_at_{};
  base::Monotonic read_again_at_{};
  uint64_t submissions_ = 0, late_ = 0;
  std::string last_failure_, trouble_;

  mutable std::mutex mutex_;  // what follows
  std::condition_variable wake_, changed_;
  std::vector<Completion> completions_;
  std::unique_ptr<graph::Pipeline> next_pipeline_;
  bool woken_ = false, paused_ = false, stopping_ = false, ended_ = false, abandoned_ = false;
  ConsumerStatus status_;
  std::thread thread_;
};

}  // namespace weir::delivery
