// What the journal finds when it is opened: which segments, which gaps, and whether numbering can be trusted.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "journal/journal.h"
#include "journal/repair.h"

namespace weir::journal {

base::Status Journal::survey_segment(uint32_t number, bool newest) {
  std::string path = segment_path(number);
  base::Result<SegmentFacts> facts = SegmentFacts();
  {
    auto database = base::Database::open(path, base::OpenAs::kReader, files_->sqlite_vfs());
    base::Status done = database ? database->keep_off_the_wal() : base::Status(database.error());
    facts = done ? read_facts(*database) : base::Result<SegmentFacts>(done.error());
  }
  bool unused = (!facts && facts.error().code == base::Code::kNotFound) ||
                (facts && facts->last < facts->first && !newest);
  // A file whose making was cut short has no tables; it never held anything.
  if (!facts && facts.error().code == base::Code::kInternal &&
      facts.error().what.find("no such table") != std::string::npos) {
    unused = true;
  }
  if (unused) {
    for (const char* suffix : {"-wal", "-shm", ""}) {
      if (files_->exists(path + suffix)) (void)files_->remove(path + suffix);
    }
    return files_->sync_directory(directory_);
  }
  if (!facts) {
    bool damaged = facts.error().code == base::Code::kDamaged || facts.error().code == base::Code::kUnavailable;
    return damaged ? set_aside(number, facts.error().what, UINT64_MAX) : base::Status(facts.error());
  }
  SegmentInfo info;
  info.number = number;
  info.facts = *facts;
  info.sealed = !newest;
  info.since = base::now();
  auto wal = files_->exists(path + "-wal") ? files_->size(path + "-wal") : base::Result<uint64_t>(uint64_t{0});
  info.checkpointed = info.sealed && wal && *wal == 0;
  if (auto size = files_->size(path); size) info.bytes = *size + (wal ? *wal : 0);
  // Age from before this start counts when the clock can be believed.
  int64_t age = base::wall_ns() - facts->newest_received_ns;
  if (base::plausible(facts->newest_received_ns) && age > 0) info.since -= base::Duration(age);
  segments_.add(info);
  return {};
}

// Lists what is missing between and behind the segments, and finds the next sequence.
base::Status Journal::note_gaps(uint64_t* next_sequence, bool* new_epoch) {
  std::vector<LostRange> known = state_->lost();
  auto lose = [&](uint64_t epoch, uint64_t first, uint64_t last, const std::string& reason) {
    for (const LostRange& range : known) {
      if (range.first <= first && range.last >= last) return;
    }
    base::log_error("journal", "events " + std::to_string(first) + ".." + std::to_string(last) + " are lost: " + reason);
    state_->post(LostRange{epoch, first, last, "", reason, base::wall_ns()});
  };
  uint64_t next = 0, epoch = 0;
  for (const SegmentInfo& segment : segments_.all()) {
    epoch = segment.facts.epoch;
    if (next != 0 && segment.facts.first > next) lose(epoch, next, segment.facts.first - 1, "their segment is missing");
    next = std::max(next, segment.facts.last + 1);
  }
  uint64_t settled = 0;
  for (const ConsumerState& consumer : state_->consumers()) settled = std::max(settled, consumer.cursor.floor());
  if (settled > std::max<uint64_t>(next, 1)) {
    // Consumers saw more than the files hold: the newest files are gone or older than the cursors.
    if (next != 0) lose(epoch, next, settled - 1, "the newest segments are missing");
    next = settled;
    *new_epoch = true;
  }
  *next_sequence = std::max<uint64_t>(next, 1);
  return {};
}

base::Result<Writer::Start> Journal::survey() {
  auto names = files_->list(directory_);
  if (!names) return names.error();
  std::vector<uint32_t> numbers;
  for (const std::string& name : *names) {
    if (auto number = segment_number(name)) numbers.push_back(*number);
    if (name.find(".db.new") != std::string::npos) (void)files_->remove(directory_ + "/" + name);
  }
  Writer::Start start;
  size_t lost_before = state_->lost().size();
  bool new_epoch = numbers.empty();
  for (uint32_t number : numbers) {
    bool newest = number == numbers.back();
    if (auto done = survey_segment(number, newest); !done) return done.error();
    start.next_number = number + 1;
  }
  std::vector<SegmentInfo> segments = segments_.all();
  // The newest file did not survive whole: how far its numbers went is not known.
  if (!numbers.empty() && (segments.empty() || segments.back().number != numbers.back() || segments.back().sealed)) {
    bool repaired = state_->lost().size() != lost_before || segments.empty() || segments.back().number == numbers.back();
    new_epoch = new_epoch || repaired;
  }
  if (auto done = note_gaps(&start.next_sequence, &new_epoch); !done) return done.error();
  // Numbers that relaxed sources were told and that the crash forgot must not come again in this epoch.
  if (state_->meta("relaxed") == "1" && state_->meta("clean") == "0") new_epoch = true;
  if (new_epoch || segments.empty()) {
    start.epoch = event::random_u64();
    if (!segments.empty()) {
      base::log_warn("journal", "numbering begins a new epoch, " + event::epoch_text(start.epoch));
    }
  } else {
    start.epoch = segments.back().facts.epoch;
  }
  if (segments.empty()) return start;
  // What is sealed and still has a WAL was cut off before its checkpoint.
  for (const SegmentInfo& segment : segments) {
    if (segment.sealed && !segment.checkpointed) checkpoint_later(segment.number);
  }
  SegmentInfo& last = segments.back();
  if (!last.sealed && !new_epoch && last.bytes < options_.segment_bytes) {
    start.current = last;
    return start;
  }
  last.sealed = true;
  segments_.update(last);
  checkpoint_later(last.number);
  return start;
}

void Journal::checkpoint_later(uint32_t number) {
  auto segment = Segment::reopen(*files_, segment_path(number));
  if (!segment) return;  // a reader will tell what is wrong with it
  std::lock_guard lock(maintenance_mutex_);
  sealed_.emplace_back(number, std::move(*segment));
  maintain_ = true;
}

void Journal::fill_dedupe() {
  std::vector<DedupeEntry> newest_first;
  std::vector<SegmentInfo> segments = segments_.all();
  for (auto segment = segments.rbegin(); segment != segments.rend(); ++segment) {
    if (newest_first.size() >= DedupeWindow::kMaxEntries) break;
    auto database =
        base::Database::open(segment_path(segment->number), base::OpenAs::kReader, files_->sqlite_vfs());
    if (!database || !database->keep_off_the_wal()) continue;
    (void)read_dedupe(*database, 0, DedupeWindow::kMaxEntries - newest_first.size(),
                      [&](const DedupeEntry& entry) { newest_first.push_back(entry); });
  }
  for (auto entry = newest_first.rbegin(); entry != newest_first.rend(); ++entry) writer_->dedupe().add(*entry);
}

}  // namespace weir::journal
