// The door of one source: what it emits is checked, counted and bounded here before the journal sees it, and what the
// journal says of it is brought back to the source.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/call_clock.h"
#include "base/time.h"
#include "journal/journal.h"
#include "weir/source.h"

namespace weir::ingress {

// The memory that batches on their way into the journal may take, shared by all doors.
struct Budget {
  explicit Budget(uint64_t max) : max_bytes(max) {}
  const uint64_t max_bytes;
  std::atomic<uint64_t> bytes{0};
};

// Events, since the gateway started. admitted = committed + duplicates + refused + in_flight, at every moment.
struct DoorCounts {
  uint64_t admitted = 0;    // taken from the source
  uint64_t committed = 0;   // in the journal for the first time
  uint64_t duplicates = 0;  // were in the journal already, by their dedupe key
  uint64_t refused = 0;     // taken, and given back because the disk failed
  uint64_t in_flight = 0;
  uint64_t busy = 0;     // turned away at once: no room, no disk, too fast
  uint64_t invalid = 0;  // turned away at once: not an event
};

// emit() may be called from any thread, the rest from the runtime's. The source's settled() and credit() are called
// on one thread of the door's own, so a source that hangs there keeps nobody else waiting.
class Door : public journal::SettlementListener {
 public:
  struct Options {
    bool relaxed = false;
    base::Duration flush{};
    uint64_t events_per_second = 0;             // 0: no limit
    uint64_t bytes_in_flight = uint64_t{8} << 20;  // of this source
  };
  Door(journal::Journal& journal, Budget& budget, const std::string& name, const Options& options);
  // After close() was true, or without an open().
  ~Door() override;

  // Begins to tell `self` of its settlements. Emitting works from then on.
  void open(const weir_source_v1* table, void* self, base::CallClock* clock = nullptr);
  // Takes nothing new, and waits until the source has been told of everything that was taken, at most `patience`. False
  // when it hangs in a call or the disk does: then this object must be kept, because the journal will come back to it.
  bool close(base::Duration patience);

  // See weir_ingress_v1. Busy before open() and after close().
  uint32_t emit(const weir_batch* batch, uint64_t token, weir_emit_result* result);
  // Tells the source when room comes or goes. Called now and then.
  void update_credit();

  DoorCounts counts() const;
  // Goes on counting where the predecessor of this source ended.
  void inherit(const DoorCounts& counts);
  const std::string& name() const { return name_; }
  void settled(std::vector<journal::Settlement> settlements) override;

 private:
  uint32_t busy(uint32_t events, uint32_t retry_after_ms, const char* why, weir_emit_result* result);
  std::optional<uint32_t> too_fast(uint32_t events);
  const char* let_in();
  void run();
  void tell(const std::vector<journal::Settlement>& settlements);

  journal::Journal& journal_;
  Budget& budget_;
  const std::string name_;
  const std::string_view source_;  // the journal's copy of name_
  const Options options_;
  const weir_source_v1* table_ = nullptr;
  void* self_ = nullptr;
  base::CallClock* clock_ = nullptr;

  std::atomic<uint64_t> admitted_{0}, committed_{0}, duplicates_{0}, refused_{0}, busy_{0}, invalid_{0};
  std::atomic<uint64_t> bytes_{0};

  std::mutex rate_mutex_;
  double tokens_ = 0;
  base::Monotonic refilled_;

  mutable std::mutex mutex_;
  // Shared with who wakes: a thread that is woken by somebody who holds mutex_ would only wait again, and once mutex_ is
  // free this object may end.
  const std::shared_ptr<std::condition_variable> wake_ = std::make_shared<std::condition_variable>();
  std::condition_variable idle_;
  std::deque<std::vector<journal::Settlement>> queue_;
  uint64_t untold_ = 0;         // batches that were taken and whose source does not know their fate yet
  std::optional<bool> credit_;  // to be told
  bool had_credit_ = true;
  bool opened_ = false, stopping_ = false, ended_ = false;
  std::thread thread_;
};

}  // namespace weir::ingress
