// The pseudo-consumer `unrouted`: holds in the journal what no sink is owed, so that a reload never deletes data (P3).
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "delivery/consumer.h"

namespace weir::delivery {

// Settles events that some consumer is owed as "filtered: routed to a sink" and leaves the others pending. It reads names
// of sources only, unless conditions decide who gets an event (graph/leftover.h): then it runs the transforms in front of
// them, its own instances. It delivers nothing. When its cursor has no room for more holes it stops, and so holds
// everything behind: too much is held rather than too little.
class Unrouted : public journal::HeadListener {
 public:
  // For each source, the first sequence of it that a consumer is owed: the lowest origin of those it reaches.
  // Of a source in `conditional` the highest one: what came before some consumer is not looked at anew.
  using Routes = std::map<std::string, uint64_t, std::less<>>;
  struct Graph {
    Routes routes;
    std::set<std::string, std::less<>> conditional;  // sources whose events `pipeline` has to be asked about
    std::shared_ptr<graph::Pipeline> pipeline;       // run by this thread alone; its transforms outlive it
  };

  Unrouted(journal::Journal& journal, journal::ConsumerState state);
  ~Unrouted() override;
  void start();
  // False when a transform hangs: then this object and the transforms must be kept for ever, and it posts nothing more.
  bool stop(base::Duration patience);
  // The graph changed: what was held is looked at again. False when the old pipeline may still be in use after that
  // time, because a transform hangs; the change is made when it comes back. One thread at a time.
  bool route(Graph graph, base::Duration patience);
  // Gives up what is held up to `head`: discarded. Any thread.
  void discard(uint64_t head);
  void head_moved() override;
  ConsumerStatus status() const;

 private:
  void run();
  bool may_switch(bool reads_on) const;
  bool read_more();
  bool sort_out(const journal::StoredBatch& batch, uint64_t first);
  void settle_routed(uint64_t first, uint64_t last);
  void post();
  void publish_status();

  journal::Journal& journal_;
  journal::ConsumerState state_;  // the thread's own, like the next four
  Graph current_;
  graph::Pipeline::Output output_;
  journal::Reader reader_;
  uint64_t position_;

  mutable std::mutex mutex_;
  std::condition_variable wake_, changed_;
  std::unique_ptr<Graph> next_;
  uint64_t next_from_ = 0;  // what lies before it is still looked at as the graph was
  uint64_t discard_ = 0;
  bool woken_ = true, stopping_ = false, ended_ = false, abandoned_ = false;
  ConsumerStatus status_;
  std::thread thread_;
};

}  // namespace weir::delivery
