#include "journal/journal.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/thread.h"
#include "journal/repair.h"
#include "journal/wal_file.h"

namespace weir::journal {
namespace {

// How often the maintenance thread looks around when nobody wakes it.
constexpr base::Duration kMaintainEvery = std::chrono::seconds(1);
// Above this share of max_bytes, what is settled is trimmed before its retention has passed.
constexpr uint64_t kPressurePercent = 80;
// A slow journal still seals now and then, so that retention can let go of something.
constexpr base::Duration kLongestSegmentAge = std::chrono::hours(1);
// However short the retention: a segment a batch would be slow.
constexpr base::Duration kShortestSegmentAge = std::chrono::seconds(10);

}  // namespace

Journal::Journal(const Options& options)
    : options_(options),
      files_(options.files != nullptr ? options.files : &base::real_file_system()),
      directory_(options.data_dir + "/journal"),
      tail_(options.tail_bytes),
      spare_(*files_, directory_, 2 * options.segment_bytes) {}

base::Result<std::unique_ptr<Journal>> Journal::open(const Options& options) {
  std::unique_ptr<Journal> journal(new Journal(options));
  if (auto done = journal->files_->create_directories(journal->directory_); !done) return done.error();
  auto lock = journal->files_->lock_file(options.data_dir + "/lock");
  if (!lock) return lock.error();
  journal->lock_ = std::move(*lock);
  base::Status done = journal->open_files();
  std::string ballast = journal->directory_ + "/ballast";
  if (!done && journal->files_->exists(ballast)) {
    // Even reading needs a little room for SQLite's shared memory; on a full disk the reserve gives it.
    (void)journal->files_->remove(ballast);
    journal->writer_.reset();
    journal->state_.reset();
    journal->sealed_.clear();
    journal->segments_.clear();
    done = journal->open_files();
  }
  if (!done) return done.error();
  journal->maintenance_ = base::start_thread("journal upkeep", [raw = journal.get()] { raw->run_maintenance(); });
  return journal;
}

base::Status Journal::open_files() {
  std::string report;
  auto state = State::open(*files_, directory_, &report);
  if (!state) return state.error();
  state_ = std::move(*state);
  if (!report.empty()) base::log_error("journal", report);
  state_->start();
  auto start = survey();
  if (!start) return start.error();
  writer_ = std::make_unique<Writer>(writer_context(), *start);
  fill_dedupe();
  state_->put_meta("clean", "0");
  relaxed_waits_ = state_->meta("relaxed") == "1";
  writer_->start();
  return {};
}

WriterContext Journal::writer_context() {
  WriterContext context;
  context.files = files_;
  context.segments = &segments_;
  context.tail = &tail_;
  context.spare = &spare_;
  context.directory = directory_;
  context.segment_bytes = options_.segment_bytes;
  context.segment_age = std::clamp<base::Duration>(options_.retention, kShortestSegmentAge, kLongestSegmentAge);
  context.head_moved = [this] { wake_listeners(); };
  context.sealed = [this](uint32_t number, Segment segment) {
    checkpoint_later(number, std::move(segment));
    maintain();
  };
  context.set_aside = [this](uint32_t number) { return set_aside(number, "a write failed", writer_->head()); };
  return context;
}

Journal::~Journal() { stop(); }

void Journal::stop() {
  if (std::exchange(stopped_, true)) return;
  if (writer_) writer_->stop();
  {
    std::lock_guard lock(maintenance_mutex_);
    stopping_ = true;
  }
  maintenance_wake_.notify_all();
  if (maintenance_.joinable()) maintenance_.join();
  if (state_) {
    if (writer_ && writer_->healthy()) {
      state_->put_meta(kEpochKey, event::epoch_text(writer_->epoch()));  // the writer may have begun one
      state_->put_meta("clean", "1");
    }
    state_->stop();
  }
}

bool Journal::has_room() const { return writer_->healthy() && segments_.bytes() < options_.max_bytes; }

void Journal::note_relaxed_source() {
  if (state_->meta("relaxed") != "1") state_->put_meta("relaxed", "1");
  relaxed_waits_ = true;
  allow_relaxed(kStatePatience);
}

// Lets relaxed batches be answered early once the disk knows what a crash from now on means.
void Journal::allow_relaxed(base::Duration patience) {
  if (!relaxed_waits_) return;
  // In slices: a disk that fails is not waited for.
  constexpr base::Duration kSlice = std::chrono::milliseconds(20);
  base::Monotonic until = base::now() + patience;
  while (!state_->sync(kSlice)) {
    if (!state_->trouble().empty() || base::now() >= until) return;
  }
  relaxed_waits_ = false;
  writer_->allow_relaxed();
}

void Journal::add(HeadListener* listener) {
  std::lock_guard lock(listeners_mutex_);
  listeners_.push_back(listener);
}

void Journal::remove(HeadListener* listener) {
  std::lock_guard lock(listeners_mutex_);
  std::erase(listeners_, listener);
}

void Journal::wake_listeners() {
  std::lock_guard lock(listeners_mutex_);
  for (HeadListener* listener : listeners_) listener->head_moved();
}

uint64_t Journal::oldest() const {
  uint64_t oldest = segments_.oldest();
  return oldest != 0 ? oldest : head() + 1;
}

std::string_view Journal::intern(std::string_view source) {
  std::lock_guard lock(intern_mutex_);
  auto found = names_.find(source);
  return found != names_.end() ? *found : *names_.emplace(source).first;
}

Statistics Journal::statistics() const {
  Statistics statistics;
  statistics.epoch = writer_->epoch();
  statistics.oldest = oldest();
  statistics.head = head();
  statistics.segments = segments_.all();
  for (const SegmentInfo& segment : statistics.segments) statistics.bytes += segment.bytes;
  statistics.max_bytes = options_.max_bytes;
  statistics.tail_bytes = tail_.bytes();
  statistics.writer = writer_->statistics();
  statistics.trouble = writer_->trouble();
  if (statistics.trouble.empty()) statistics.trouble = state_->trouble();
  return statistics;
}

base::Result<uint64_t> Journal::count_events(uint64_t from, uint64_t to) {
  uint64_t events = 0;
  to = std::min<uint64_t>(to, INT64_MAX - 1);  // SQLite's numbers have a sign
  for (const SegmentInfo& segment : segments_.all()) {
    if (segment.facts.last < from || segment.facts.first > to) continue;
    auto database = open_for_reading(*this, segment);
    if (!database) return database.error();
    auto rows = database->prepare("SELECT first_sequence, count FROM batch WHERE first_sequence <= ?");
    if (!rows) return rows.error();
    rows->bind(1, to);
    for (;;) {
      auto row = rows->step();
      if (!row) return row.error();
      if (!*row) break;
      uint64_t first = std::max(from, rows->unsigned_integer(0));
      uint64_t end = std::min(to + 1, rows->unsigned_integer(0) + rows->unsigned_integer(1));
      if (end > first) events += end - first;
    }
  }
  return events;
}

void Journal::report_damage(uint32_t segment, const std::string& reason) {
  std::lock_guard lock(maintenance_mutex_);
  damaged_[segment] = reason;
  maintain_ = true;
  maintenance_wake_.notify_all();
}

void Journal::maintain() {
  std::lock_guard lock(maintenance_mutex_);
  maintain_ = true;
  maintenance_wake_.notify_all();
}

void Journal::run_maintenance() {
  std::unique_lock lock(maintenance_mutex_);
  while (!stopping_) {
    maintenance_wake_.wait_for(lock, kMaintainEvery, [&] { return maintain_ || stopping_; });
    maintain_ = false;
    lock.unlock();
    allow_relaxed(kStatePatience);
    repair_reported();
    checkpoint_sealed();
    trim();
    lock.lock();
  }
  lock.unlock();
  checkpoint_sealed();
}

void Journal::checkpoint_later(uint32_t number, std::optional<Segment> segment) {
  std::lock_guard lock(maintenance_mutex_);
  sealed_[number] = std::move(segment);
}

void Journal::checkpoint_sealed() {
  std::map<uint32_t, std::optional<Segment>> sealed;
  {
    std::lock_guard lock(maintenance_mutex_);
    sealed = std::exchange(sealed_, {});
  }
  for (auto& [number, segment] : sealed) {
    if (!segment) {
      if (auto reopened = Segment::reopen(*files_, segment_path(number)); reopened) segment = std::move(*reopened);
    }
    base::Status done = segment ? segment->checkpoint() : base::error(base::Code::kUnavailable, "not open");
    // After a failed sync the file's pages are on the disk or not, and SQLite writes again only what it had not moved.
    if (!done && done.error().code != base::Code::kTimeout) unsure_.insert(number);
    if (done && unsure_.count(number) != 0) {
      auto size = files_->size(segment_path(number));
      done = size ? rewrite(*files_, segment_path(number), *size) : base::Status(size.error());
    }
    if (!done) {
      // A reader in the middle of a page, or a full disk: the data is safe in the WAL, try again later.
      checkpoint_later(number, std::move(segment));
      continue;
    }
    unsure_.erase(number);
    if (auto info = segments_.with_number(number); info) {
      info->checkpointed = true;
      if (auto size = files_->size(segment_path(number)); size) info->bytes = *size;
      segments_.update(*info);
    }
    // From here on it is opened without its WAL. The connection goes last: see SpareWal::keep().
    spare_.keep(segment_path(number) + "-wal", number);
    segment->close();
  }
}

void Journal::repair_reported() {
  std::map<uint32_t, std::string> damaged;
  {
    std::lock_guard lock(maintenance_mutex_);
    damaged = std::exchange(damaged_, {});
  }
  for (const auto& [number, reason] : damaged) {
    auto info = segments_.with_number(number);
    if (!info) continue;
    if (!info->sealed) {
      // The writer lets go of it first, and says so by wanting its checkpoint.
      {
        std::lock_guard lock(maintenance_mutex_);
        damaged_.emplace(number, reason);
      }
      writer_->roll_segment();
      continue;
    }
    if (auto done = set_aside(number, reason, head()); !done) {
      base::log_error("journal", "cannot repair " + segment_name(number) + ": " + done.error().text());
    }
  }
}

base::Status Journal::set_aside(uint32_t number, const std::string& reason, uint64_t head) {
  auto listed = segments_.with_number(number);
  SegmentInfo known = listed.value_or(SegmentInfo());
  auto repair = prepare_repair(*files_, directory_, number, known.facts, head, reason);
  if (!repair) return repair.error();
  if (repair->sound) {
    // A read that failed once. The writer has let go of it, so it is not written any more.
    if (known.sealed) return {};
    known.number = number;
    known.facts = *repair->facts;
    known.sealed = true;
    known.since = base::now();
    listed ? segments_.update(known) : segments_.add(known);
    checkpoint_later(number, std::nullopt);
    return {};
  }
  // Before the swap: after it nobody could tell what was lost inside.
  for (const LostRange& range : repair->lost) state_->post(range);
  if (!repair->lost.empty() && !state_->sync(kStatePatience)) {
    base::log_warn("journal", "what is lost of " + segment_name(number) + " is not on disk yet");
  }
  auto kept = finish_repair(*files_, directory_, number, report_of(*repair, number, reason));
  if (!kept) return kept.error();
  {
    // Not before: without the writer's connection the next reader recovers the WAL, up to the damage only.
    std::lock_guard lock(maintenance_mutex_);
    sealed_.erase(number);
  }
  base::log_error("journal", segment_name(number) + " was damaged (" + reason + "): " +
                                 std::to_string(repair->saved_events) + " events saved, " +
                                 std::to_string(repair->lost.size()) + " ranges lost; the file is kept as " + *kept);
  if (repair->facts) {
    SegmentInfo info;
    info.number = number;
    info.facts = *repair->facts;
    info.sealed = info.checkpointed = true;
    info.since = base::now();
    if (auto size = files_->size(segment_path(number)); size) info.bytes = *size;
    // In one step: a reader that finds no segment here takes its events for lost.
    listed ? segments_.update(info) : segments_.add(info);
  } else {
    segments_.remove(number);
  }
  wake_listeners();
  return {};
}

void Journal::trim() {
  uint64_t floor = state_->settled_floor();
  std::vector<SegmentInfo> segments = segments_.all();
  uint64_t bytes = segments_.bytes();
  // The newest stays: it knows how far numbering went.
  for (size_t i = 0; i + 1 < segments.size(); ++i) {
    const SegmentInfo& segment = segments[i];
    if (!segment.sealed || segment.facts.last >= floor) return;
    bool pressed = bytes * 100 > options_.max_bytes * kPressurePercent;
    if (!pressed && base::now() - segment.since < options_.retention) return;
    {
      std::lock_guard lock(maintenance_mutex_);
      sealed_.erase(segment.number);
    }
    // The table of contents first, so that no reader opens what is about to go. What a failure leaves behind is tried
    // again at the next start.
    segments_.remove(segment.number);
    if (auto done = remove_segment_files(*files_, segment_path(segment.number)); !done) {
      base::log_warn("journal", "cannot remove a settled segment: " + done.error().text());
    }
    bytes -= segment.bytes;
  }
}

}  // namespace weir::journal
