// The one writer of the journal: group commit.
//
// Its part of an event's story: a batch that admission took waits in the queue; the writer gives its events sequence
// numbers and ids, inserts it as one row together with everything else that is waiting, commits, and only then says
// that it is durable. An idle journal commits at once; a busy one commits what arrived while the last commit ran.
//
// When a commit fails its fate is unknown: the frames may come back after a restart. The writer refuses the batches,
// gives the file up, looks into it through a new connection, and goes on in a new segment behind whatever is there.
// Only a full disk is certain: SQLite wrote no commit, and the same segment goes on when there is room.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/file_system.h"
#include "base/time.h"
#include "journal/dedupe.h"
#include "journal/derived.h"
#include "journal/segment_set.h"
#include "journal/spare_wal.h"
#include "journal/tail.h"

namespace weir::journal {

// A run of consecutive ids: event::advance(first, 0 .. count-1).
struct IdRun {
  event::Id first{};
  uint32_t count = 0;
};

// What became of one offered batch.
struct Settlement {
  uint64_t token = 0;
  bool durable = false;
  uint64_t epoch = 0;
  uint64_t first_sequence = 0;
  uint32_t count = 0;
  uint32_t duplicates = 0;
  uint32_t bytes = 0;
  std::vector<IdRun> ids;  // in the batch's order
};

// Who is told. Called on the writer's thread: hand the settlements on and return.
class SettlementListener {
 public:
  virtual ~SettlementListener() = default;
  virtual void settled(std::vector<Settlement> settlements) = 0;
};

// A batch to be journaled, checked and counted by admission.
struct Offer {
  SettlementListener* listener = nullptr;  // outlives the settlement
  std::string_view source;                 // lives as long as the journal
  event::Block block;
  uint64_t token = 0;
  int64_t received_ns = 0;
  // Of a stateful transform: its events have their ids and times already, and the row is stamped with this.
  std::optional<Derivation> derivation;
  // relaxed: settled before it is on disk, which it is within `flush`. strict: flush is not used.
  bool relaxed = false;
  base::Duration flush{};
};

// What the writer needs to know of the journal it belongs to.
struct WriterContext {
  base::FileSystem* files = nullptr;
  SegmentSet* segments = nullptr;
  Tail* tail = nullptr;
  SpareWal* spare = nullptr;
  std::string directory;
  uint64_t segment_bytes = 0;
  base::Duration segment_age{};                     // a segment is sealed at this age at the latest
  std::function<void()> head_moved;                 // after a commit; on the writer's thread, must not block
  std::function<void(uint32_t number, Segment segment)> sealed;  // wants its checkpoint; likewise
  std::function<base::Status(uint32_t)> set_aside;  // moves a damaged segment away and keeps what can be read
};

class Writer {
 public:
  // Where numbering goes on, and the segment to go on with, if there is one.
  struct Start {
    uint64_t epoch = 0;
    uint64_t next_sequence = 1;
    uint32_t next_number = 1;
    std::optional<SegmentInfo> current;
  };
  Writer(WriterContext context, const Start& start);
  ~Writer();

  // Opens the first segment, then starts the thread. When the disk does not let it, the thread tries on, and
  // trouble() says why nothing can be written.
  void start();
  // Commits what was offered, then ends the thread. Nothing may be offered any more.
  void stop();

  // Takes a batch; never blocks. Bounding what is in flight is admission's work. Any thread.
  void offer(Offer offer);
  // Begins a new segment soon: the current one is suspected of damage. Any thread.
  void roll_segment();
  // From now on relaxed batches may be answered before they are on disk: the disk knows that a crash ends the epoch.
  // Until then they are treated as strict ones. Any thread.
  void allow_relaxed() { relaxed_allowed_ = true; }
  // To be filled before start().
  DedupeWindow& dedupe() { return dedupe_; }

  uint64_t head() const { return head_.load(std::memory_order_acquire); }
  uint64_t epoch() const { return epoch_.load(std::memory_order_relaxed); }
  // Why nothing can be written at the moment; "" when all is well. Any thread.
  std::string trouble() const;
  bool healthy() const { return healthy_.load(std::memory_order_relaxed); }

  struct Statistics {
    uint64_t commits = 0, batches = 0, events = 0, stored_bytes = 0, plain_bytes = 0, failures = 0;
    uint64_t returned = 0;  // events of a failed commit that were found on disk after all
    int64_t last_commit_ns = 0;  // how long it took
  };
  Statistics statistics() const;

 private:
  // Events of one batch under a dedupe key that is new.
  struct Group {
    DedupeKey key{};
    uint32_t at = 0;  // first event's place in the row
    uint32_t count = 0;
  };
  // An offer on its way through a transaction.
  struct Entry {
    Offer offer;
    Settlement settlement;
    uint64_t first = 0;   // its number in the last transaction it was in
    uint64_t told = 0;    // the number that a relaxed source was told
    uint32_t stored = 0;  // events in its row; 0 when all were duplicates
    bool numbered = false;  // has its ids already: a relaxed batch that is tried again
    bool answered = false;  // the source was told
    std::vector<Group> groups;
    event::SharedBlock block;
  };

  void run();
  bool take(std::deque<Offer>* offers);
  bool commit_is_due() const;
  void identify(Entry& entry);
  void drop_duplicates(Entry& entry, const event::Id& next);
  base::Status remember(const Entry& entry);
  base::Status write(Entry& entry);
  base::Status begin(int64_t now_ns);
  void commit();
  void publish();
  void end_transaction();
  void answer(std::vector<Entry*>& entries, bool durable);
  void roll();

  // writer_recovery.cpp
  void fail_transaction(const base::Error& reason);
  void abandon(const base::Error& reason);
  bool wait_refusing(base::Duration pause);
  void refuse_queue();
  void recover();
  base::Status try_recover();
  base::Status examine_failed_segment();
  void take_back(const SegmentFacts& facts);
  void keep_numbers_apart();
  base::Status commit_owed();
  base::Status open_new_segment();

  WriterContext context_;
  std::atomic<uint64_t> head_;
  std::atomic<uint64_t> epoch_;
  std::atomic<bool> healthy_{true};
  std::atomic<bool> relaxed_allowed_{false};

  mutable std::mutex mutex_;  // the five below
  std::condition_variable wake_;
  std::deque<Offer> queue_;
  bool stopping_ = false;
  bool roll_wanted_ = false;
  std::string trouble_;
  Statistics statistics_;

  // From here on the thread's own.
  DedupeWindow dedupe_;
  event::IdSource ids_;
  std::optional<Segment> segment_;
  SegmentInfo current_;      // of segment_
  bool activated_ = false;   // current_ has its first row
  std::optional<uint32_t> failed_segment_;
  bool disk_was_full_ = false;     // why it failed
  uint32_t failures_in_a_row_ = 0; // since the last commit
  uint32_t next_number_;
  uint64_t next_sequence_;   // of the next event, within the open transaction
  base::Monotonic segment_born_{};

  bool in_transaction_ = false;
  std::vector<Entry> entries_;  // of the open transaction
  std::vector<DedupeEntry> added_;  // to the window, by the open transaction
  size_t transaction_bytes_ = 0;  // unpacked
  size_t stored_bytes_ = 0;       // as stored
  bool strict_waits_ = false;
  base::Monotonic flush_at_ = base::Monotonic::max();
  std::string scratch_;
  std::thread thread_;
};

}  // namespace weir::journal
