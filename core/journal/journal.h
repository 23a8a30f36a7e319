// The journal: every accepted event, on disk before its device is answered.
//
// Constraints. At most max_bytes of segments; memory does not grow with what is stored; a start looks at each file's
// head and tail, not at its rows. Durable means: a strict batch that was settled survives kill -9 and power loss.
// Format. DIRECTORY/NNNNNNNN.db are SQLite segments (segment.h), state.db is everything else (state_file.h),
// damaged/ holds what a repair set aside. One connection a file writes and checkpoints it. No transaction spans files.
// Recovery. A segment that does not open or whose rows do not verify is set aside; what can be read of it takes its
// place, the rest is listed as lost. The newest segment goes on being appended to after a crash.
// docs/internals/journal.md tells all of it.
#pragma once

#include <memory>
#include <set>

#include "journal/reader.h"
#include "journal/state.h"
#include "journal/writer.h"

namespace weir::journal {

struct Options {
  std::string data_dir;
  uint64_t max_bytes = uint64_t{1} << 30;
  uint64_t segment_bytes = 64 << 20;
  base::Duration retention = std::chrono::hours(24);  // of what every consumer has settled
  size_t tail_bytes = 8 << 20;                        // of memory for the newest batches
  base::FileSystem* files = nullptr;                  // nullptr: the real one
};

// Told when there is more to read. Called on the writer's thread: note it and return.
class HeadListener {
 public:
  virtual ~HeadListener() = default;
  virtual void head_moved() = 0;
};

struct Statistics {
  uint64_t epoch = 0, oldest = 0, head = 0, bytes = 0, max_bytes = 0, tail_bytes = 0;
  std::vector<SegmentInfo> segments;
  Writer::Statistics writer;
  std::string trouble;  // "" when everything can be written
};

class Journal : public ReaderSource {
 public:
  // Opens or creates DATA_DIR/journal, takes its lock, repairs what is damaged. Fails only when the folder cannot be
  // used at all or belongs to a running gateway.
  static base::Result<std::unique_ptr<Journal>> open(const Options& options);
  ~Journal() override;
  // Commits what was offered, writes all state, ends the threads. Nothing may be offered or posted any more.
  void stop();

  // Any thread; never blocks. See Writer::offer.
  void offer(Offer offer) { writer_->offer(std::move(offer)); }
  // True while there is room and the disk can be written; admission says busy otherwise.
  bool has_room() const;
  // The disk takes what is offered, as far as is known.
  bool can_append() const { return writer_->healthy(); }
  bool healthy() const { return writer_->healthy() && state_->trouble().empty(); }

  State& state() { return *state_; }
  // Relaxed sources exist: a crash from now on may forget numbers that were given out, so it ends the epoch. Until the
  // disk knows that (milliseconds on a sound one, which this waits for) they are answered as strict ones are.
  void note_relaxed_source();

  void add(HeadListener* listener);
  void remove(HeadListener* listener);

  // The first sequence a consumer that wants everything begins with.
  uint64_t oldest() const;
  uint64_t epoch() const { return writer_->epoch(); }
  Statistics statistics() const;
  // Events stored at or above `from`, counted from the rows on disk: the recount of `pending`.
  base::Result<uint64_t> count_events(uint64_t from, uint64_t to);

  // A reader found this segment unreadable: it will be repaired soon. Any thread.
  void report_damage(uint32_t segment, const std::string& reason);
  // Wakes the maintenance thread: trim and checkpoint now.
  void maintain();

  // ReaderSource.
  base::FileSystem& files() override { return *files_; }
  std::string segment_path(uint32_t number) const override { return directory_ + "/" + segment_name(number); }
  const SegmentSet& segments() const override { return segments_; }
  const Tail& tail() const override { return tail_; }
  uint64_t head() const override { return writer_->head(); }
  std::string_view intern(std::string_view source) override;
  const std::string& directory() const { return directory_; }

 private:
  // Time for state.db to learn what must be on disk before something else happens.
  static constexpr base::Duration kStatePatience = std::chrono::milliseconds(500);
  // In state.db: the epoch in which numbers are given. When the newest segment has another one, neither is trusted.
  static constexpr const char* kEpochKey = "epoch";

  explicit Journal(const Options& options);
  base::Status open_files();
  WriterContext writer_context();
  void allow_relaxed(base::Duration patience);

  // journal_survey.cpp
  enum class Found { kSound, kUnused, kInDoubt };
  base::Result<Writer::Start> survey();
  base::Result<std::vector<uint32_t>> tidy_up();
  base::Result<Found> survey_segment(uint32_t number, bool newest);
  void note_gaps(uint64_t* next_sequence, bool* new_epoch);
  void fill_dedupe();

  void checkpoint_later(uint32_t number, std::optional<Segment> segment);
  void wake_listeners();

  void run_maintenance();
  void checkpoint_sealed();
  void trim();
  base::Status set_aside(uint32_t number, const std::string& reason, uint64_t head);
  void repair_reported();

  Options options_;
  base::FileSystem* files_;
  std::string directory_;
  std::unique_ptr<base::FileLock> lock_;
  SegmentSet segments_;
  Tail tail_;
  SpareWal spare_;
  std::unique_ptr<State> state_;
  std::unique_ptr<Writer> writer_;

  std::mutex intern_mutex_;
  std::set<std::string, std::less<>> names_;

  std::mutex listeners_mutex_;
  std::vector<HeadListener*> listeners_;

  std::mutex maintenance_mutex_;
  std::condition_variable maintenance_wake_;
  std::map<uint32_t, std::optional<Segment>> sealed_;  // want a checkpoint; those without a connection are reopened
  std::map<uint32_t, std::string> damaged_;
  std::set<uint32_t> unsure_;  // a checkpoint of them failed; the maintenance thread's own
  bool maintain_ = false, stopping_ = false, stopped_ = false;
  std::atomic<bool> relaxed_waits_{false};
  std::thread maintenance_;
};

}  // namespace weir::journal
