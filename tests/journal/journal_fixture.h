// What the journal's tests share: blocks whose events can be recognised, a listener that waits for settlements,
// and reading everything back.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "journal/journal.h"
#include "support/crash_vfs.h"
#include "support/result.h"
#include "support/temp_dir.h"
#include "support/wait.h"

namespace weir::journal {

// A block of `events` events. Event i carries the value mark * 1000 + i, so that each event of a test is known by its
// content alone; `key` is the dedupe key of all of them, `padding` bytes of text that does not compress are added.
event::Block make_block(uint64_t mark, uint32_t events, const std::string& key = "", size_t padding = 0);
constexpr uint64_t content_of(uint64_t mark, uint32_t i) { return mark * 1000 + i; }

// Collects settlements. Any thread.
class Settlements : public SettlementListener {
 public:
  void settled(std::vector<Settlement> settlements) override;
  // The settlement of a token; fails the test when it does not come.
  Settlement wait_for(uint64_t token);
  // All so far, once there are `n`.
  std::vector<Settlement> wait(size_t n);
  // The same, but nothing when `give_up` turns true first.
  std::optional<Settlement> wait_unless(uint64_t token, const std::function<bool()>& give_up);
  std::map<uint64_t, Settlement> all() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::map<uint64_t, Settlement> settled_;
};

// One event as it was read back.
struct StoredEvent {
  uint64_t epoch = 0, sequence = 0, content = 0;
  event::Id id{};
  std::string source;
  bool operator==(const StoredEvent&) const = default;
};

// The events of batches, in order.
std::vector<StoredEvent> events_of(const std::vector<StoredBatch>& batches);

// Everything from `from` to the head, through one reader that asks for `max_bytes` at a time.
base::Result<std::vector<StoredEvent>> read_all(Journal& journal, uint64_t from = 1, size_t max_bytes = 64 << 10);

// A machine with a disk that can fail, and the journal on it. Offers come from the source "api" and have growing
// tokens, from 1 on.
class JournalTest : public testing::Test {
 protected:
  JournalTest() : machine_(1) { options_.data_dir = "/data"; }
  ~JournalTest() override { close(); }

  void open();
  void close();
  void reopen();
  // What the power or the process leaves behind is opened again.
  void restart_after_cut(test::CutMode mode = test::CutMode::kDropUnsynced);
  void restart_after_kill();

  // Returns the token.
  uint64_t offer(event::Block block, bool relaxed = false, base::Duration flush = std::chrono::hours(1));
  uint64_t offer(uint64_t mark, uint32_t events = 10) { return offer(make_block(mark, events)); }
  // Offers and waits.
  Settlement store(event::Block block);
  Settlement store(uint64_t mark, uint32_t events = 10) { return store(make_block(mark, events)); }
  // Stores blocks of ten events that fill `segments` segments; returns the number of events.
  uint64_t fill_segments(uint32_t segments, uint64_t first_mark = 1000);

  std::vector<uint64_t> contents(uint64_t from = 1);
  std::vector<std::string> files(const std::string& folder = "/data/journal");
  std::string path(uint32_t segment) const { return "/data/journal/" + segment_name(segment); }
  // Waits until the maintenance thread has moved every sealed segment's WAL into its file.
  void wait_for_checkpoints();

  test::CrashVfs machine_;
  Options options_;
  Settlements settlements_;
  std::unique_ptr<Journal> journal_;
  uint64_t tokens_ = 0;
};

// The consumer `name` with everything up to `last` delivered.
ConsumerState delivered_up_to(const std::string& name, uint64_t last);

}  // namespace weir::journal
