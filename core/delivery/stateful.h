// The engine of one stateful transform: a consumer of the journal and a producer into it.
//
// Its part of an event's story: it reads what lies behind its cursor, runs the pure transforms in front of the stateful
// one, and hands it the events in their order, with the time that the journal knows. What comes out goes back to the
// journal as derived events; when they are durable, the transform's changed state, the cursor and the counts are posted as
// one. Absorbed stands in the ledger where a sink has delivered.
//
// After a crash the state is older than the outputs by what was not posted. The inputs since then are worked again, with
// the same ticks at the same places, and give the same outputs; those that the stamps in the journal say are there
// (journal/derived.h) are not appended again. Time that passes without events comes as ticks, see docs/decisions/010.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "delivery/consumer.h"
#include "delivery/derived_row.h"
#include "delivery/ledger.h"
#include "delivery/transform_state.h"
#include "graph/pipeline.h"
#include "graph/stateful.h"
#include "journal/derived.h"
#include "journal/journal.h"

namespace weir::delivery {

class StatefulConsumer final : public journal::HeadListener, public journal::SettlementListener {
 public:
  struct Options {
    std::string plugin, version;  // of the transform, for dead letters
    bool drop_rejected = false;   // manifest: on_error drop
    // Who refused on the way here, for dead letters: the plugin and version of a pure transform.
    std::function<std::pair<std::string, std::string>(const std::string& node)> describe;
    // How long nothing may happen until the transform is told the time.
    base::Duration tick_every = std::chrono::seconds(1);
    std::function<int64_t()> wall_ns = [] { return base::wall_ns(); };
  };

  // The transform has been given `transform_state` back and was started; it is owned elsewhere and outlives this.
  StatefulConsumer(journal::Journal& journal, journal::ConsumerState state, std::unique_ptr<graph::Pipeline> pipeline,
                   graph::TransformCall transform, std::shared_ptr<TransformState> transform_state, Options options);
  ~StatefulConsumer() override;
  void start();
  // Finishes what is under way, posts its state and ends; false when the transform or the disk hangs, and then this object
  // and the transform must be kept for ever: it will post nothing any more. The runtime's thread.
  bool stop(base::Duration patience);

  ConsumerStatus status() const;
  // Bytes and keys of its state. Any thread.
  std::pair<uint64_t, uint64_t> state_size() const;
  const std::string& name() const { return name_; }

  void head_moved() override;
  void settled(std::vector<journal::Settlement> settlements) override;

 private:
  // What became of one event, the later one counting when several parts of it differ.
  enum class Outcome : uint8_t { kNone, kFiltered, kAbsorbed, kDead };
  // Outcomes of one batch's events, until all are known.
  struct Outcomes {
    uint64_t first = 0;
    std::vector<Outcome> of;
    std::vector<std::string> reasons;  // of the filtered
    void note(uint64_t sequence, Outcome outcome, const std::string& reason = "");
  };

  void run();
  bool work();
  bool learn_what_is_derived();
  bool read_more();
  bool feed(const journal::StoredBatch& batch);
  bool feed_run(const event::SharedBlock& run, std::string_view source, Outcomes* outcomes);
  void refuse(const graph::Refusal& refusal, const event::Block& block, std::string_view source, Outcomes* outcomes);
  void refuse(const graph::Verdict& verdict, const event::Block& block, std::string_view source, Outcomes* outcomes);
  void settle(const Outcomes& outcomes);
  bool trouble(const base::Error& error);
  bool letters_wait() const;
  void post(bool force);
  void publish_status();
  void wait();

  // stateful_append.cpp
  bool replay_ticks(uint64_t before);
  bool tick_when_idle();
  bool tick(int64_t now_ns);
  bool append(journal::Derivation upto);
  bool offer_and_wait(const event::Block& row, journal::Derivation upto);
  bool sync_state();
  bool pause(base::Duration duration);
  bool leave_unfinished();

  journal::Journal& journal_;
  const std::string name_;
  const std::string_view source_;  // of its rows: its name
  const Options options_;

  // The thread's own.
  Ledger ledger_;
  std::unique_ptr<graph::Pipeline> pipeline_;
  graph::Pipeline::Output through_;
  std::shared_ptr<TransformState> transform_state_;
  graph::StatefulNode node_;
  graph::Answer answer_;
  DerivedRow row_;
  std::optional<journal::DerivedSoFar> derived_;  // nothing: not read yet
  size_t next_tick_ = 0;  // of derived_->ticks, to be repeated
  uint64_t worked_;    // everything up to here has been worked, its outputs in row_ or appended
  journal::Reader reader_;
  std::vector<journal::StoredBatch> batches_;
  uint64_t position_;  // the next sequence to read
  bool unfinished_ = false;  // the thread ends with work that could not be finished
  base::Monotonic posted_at_{}, ticked_at_{}, read_again_at_{};
  std::string trouble_;

  mutable std::mutex mutex_;  // what follows
  std::condition_variable wake_, changed_;
  std::optional<journal::Settlement> settlement_;
  bool woken_ = false, stopping_ = false, ended_ = false, abandoned_ = false;
  ConsumerStatus status_;
  std::pair<uint64_t, uint64_t> state_size_;
  std::thread thread_;
};

}  // namespace weir::delivery
