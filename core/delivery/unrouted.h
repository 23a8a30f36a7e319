// The pseudo-consumer `unrouted`: holds in the journal what no sink is owed, so that a reload never deletes data (P3).
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "delivery/consumer.h"

namespace weir::delivery {

// Settles events that some sink is owed as "filtered: routed to a sink" and leaves the others pending. It reads names of
// sources only; it delivers nothing. When its cursor has no room for more holes it stops, and so holds everything
// behind: too much is held rather than too little.
class Unrouted : public journal::HeadListener {
 public:
  // For each source, the first sequence of it that a consumer is owed: the lowest origin of those it reaches.
  using Routes = std::map<std::string, uint64_t, std::less<>>;

  Unrouted(journal::Journal& journal, journal::ConsumerState state);
  ~Unrouted() override;
  void start(Routes routes);
  void stop();
  // The graph changed: what was held is looked at again. Any thread.
  void route(Routes routes);
  // Gives up what is held up to `head`: discarded. Any thread.
  void discard(uint64_t head);
  void head_moved() override;
  ConsumerStatus status() const;

 private:
  void run();
  bool read_more();
  void publish_status();

  journal::Journal& journal_;
  journal::ConsumerState state_;  // the thread's own, like the next three
  Routes current_;
  journal::Reader reader_;
  uint64_t position_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::unique_ptr<Routes> next_;
  uint64_t discard_ = 0;
  bool woken_ = true, stopping_ = false;
  ConsumerStatus status_;
  std::thread thread_;
};

}  // namespace weir::delivery
