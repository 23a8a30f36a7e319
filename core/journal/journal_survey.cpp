// What the journal finds when it is opened: which segments, which gaps, and whether numbering can be trusted.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "journal/journal.h"
#include "journal/repair.h"
#include "journal/wal_file.h"

namespace weir::journal {
namespace {

// The first sequence behind everything that the consumer has settled, its floor or above.
uint64_t end_of(const Cursor& cursor) {
  uint64_t end = cursor.floor();
  cursor.for_each_unsettled(UINT64_MAX - 1, [&](uint64_t first, uint64_t) { end = first; });
  return end;
}

// The number of the segment that "NNNNNNNN.db<suffix>" belongs to.
std::optional<uint32_t> number_with(const std::string& name, std::string_view suffix) {
  if (!name.ends_with(suffix)) return std::nullopt;
  return segment_number(name.substr(0, name.size() - suffix.size()));
}

// Reads a segment's facts. What cannot be read at first may pass.
base::Result<SegmentFacts> facts_of(base::FileSystem& files, const std::string& path, bool* has_no_tables) {
  base::Result<SegmentFacts> facts = base::error(base::Code::kInternal, "not read");
  for (int attempt = 0; attempt < 3; ++attempt) {
    facts = [&]() -> base::Result<SegmentFacts> {
      auto database = base::Database::open(path, base::OpenAs::kReader, files.sqlite_vfs());
      if (!database) return database.error();
      auto tables = has_tables(*database);
      if (!tables) return tables.error();
      *has_no_tables = !*tables;
      if (*has_no_tables) return base::error(base::Code::kNotFound, "the segment has no tables");
      return read_facts(*database);
    }();
    if (facts || facts.error().code == base::Code::kNotFound) break;
  }
  return facts;
}

}  // namespace

base::Result<Journal::Found> Journal::survey_segment(uint32_t number, bool newest) {
  std::string path = segment_path(number);
  // Before what makes it doubtful is out of sight.
  auto doubt_numbers = [&] {
    if (!newest) return;
    state_->put_meta(kEpochKey, "doubtful");
    (void)state_->sync(kStatePatience);
  };
  bool has_no_tables = false;
  auto facts = facts_of(*files_, path, &has_no_tables);
  if (!facts && facts.error().code == base::Code::kNotFound && !has_no_tables) {
    // All its events lie in its log. One that is neither empty nor accepted by SQLite held some.
    auto used = wal_bytes_in_use(*files_, path + "-wal");
    auto empty = wal_is_empty(*files_, path + "-wal");
    if (used && empty && *used == 0 && !*empty) facts = base::error(base::Code::kDamaged, "its log has a damaged header");
  }
  if (!facts && facts.error().code == base::Code::kNotFound) {
    // Its making was cut short, or it was a spare. One without tables may also have lost all it had: its number is not
    // to be trusted then.
    if (has_no_tables) doubt_numbers();
    if (auto done = remove_segment_files(*files_, path); !done) return done.error();
    return has_no_tables ? Found::kInDoubt : Found::kUnused;
  }
  if (!facts && facts.error().code == base::Code::kDamaged) {
    doubt_numbers();
    if (auto done = set_aside(number, facts.error().what, UINT64_MAX); !done) return done.error();
    return Found::kInDoubt;
  }
  if (!facts) {
    base::Error failure = facts.error();
    if (failure.where.empty()) failure.where = path;
    return failure;
  }
  SegmentInfo info;
  info.number = number;
  info.facts = *facts;
  info.sealed = !newest;
  info.since = base::now();
  auto wal = wal_bytes_in_use(*files_, path + "-wal");
  info.checkpointed = info.sealed && wal && *wal == 0;
  if (auto size = files_->size(path); size) info.bytes = *size + (wal ? *wal : 0);
  // A crash between a checkpoint and the log's next use.
  if (info.checkpointed && files_->exists(path + "-wal")) spare_.keep(path + "-wal", number);
  // Age from before this start counts when the clock can be believed.
  int64_t age = base::wall_ns() - facts->newest_received_ns;
  if (base::plausible(facts->newest_received_ns) && age > 0) info.since -= base::Duration(age);
  segments_.add(info);
  return Found::kSound;
}

// Lists what is missing between and behind the segments, and finds the next sequence.
void Journal::note_gaps(uint64_t* next_sequence, bool* new_epoch) {
  std::vector<LostRange> known = state_->lost();
  std::sort(known.begin(), known.end(), [](const LostRange& a, const LostRange& b) { return a.first < b.first; });
  auto lose = [&](uint64_t epoch, uint64_t first, uint64_t last, const std::string& reason) {
    // A repair may have listed some of it, as several ranges.
    for (const LostRange& range : known) {
      if (range.first <= first && first <= range.last) first = range.last + 1;
    }
    if (first > last) return;
    base::log_error("journal", "events " + std::to_string(first) + ".." + std::to_string(last) + " are lost: " + reason);
    state_->post(LostRange{epoch, first, last, "", reason, base::wall_ns()});
  };
  uint64_t next = 0, epoch = 0;
  for (const SegmentInfo& segment : segments_.all()) {
    epoch = segment.facts.epoch;
    if (next != 0 && segment.facts.first > next) lose(epoch, next, segment.facts.first - 1, "their segment is missing");
    next = std::max(next, segment.facts.last + 1);
  }
  uint64_t settled = 1, owed = UINT64_MAX;
  for (const ConsumerState& consumer : state_->consumers()) {
    settled = std::max(settled, end_of(consumer.cursor));
    owed = std::min(owed, consumer.cursor.floor());
  }
  if (settled > std::max<uint64_t>(next, 1)) {
    // Consumers saw more than the files hold: the newest files are gone or older than the cursors.
    uint64_t first = next != 0 ? next : owed;
    if (first < settled) lose(epoch, first, settled - 1, "the newest segments are missing");
    next = settled;
    *new_epoch = true;
  }
  *next_sequence = std::max<uint64_t>(next, 1);
}

// Finishes or removes what was cut short. The numbers of the segments that remain, in order.
base::Result<std::vector<uint32_t>> Journal::tidy_up() {
  auto names = files_->list(directory_);
  if (!names) return names.error();
  for (const std::string& name : *names) {
    if (auto number = number_with(name, ".new")) {
      auto kept = finish_repair(*files_, directory_, *number, name + ": the repair was cut short and finished\n");
      if (!kept) return kept.error();
    } else if (auto unfinished = number_with(name, ".tmp")) {
      if (auto done = remove_segment_files(*files_, directory_ + "/" + name); !done) return done.error();
    }
  }
  names = files_->list(directory_);
  if (!names) return names.error();
  std::vector<uint32_t> numbers;
  for (const std::string& name : *names) {
    if (auto number = segment_number(name)) numbers.push_back(*number);
    for (const char* suffix : kSideFiles) {
      std::string owner = name.ends_with(suffix) ? name.substr(0, name.size() - std::string_view(suffix).size()) : "";
      bool ours = segment_number(owner) || number_with(owner, ".tmp");
      if (ours && !files_->exists(directory_ + "/" + owner)) (void)files_->remove(directory_ + "/" + name);
    }
  }
  return numbers;
}

base::Result<Writer::Start> Journal::survey() {
  auto numbers = tidy_up();
  if (!numbers) return numbers.error();
  spare_.find();
  Writer::Start start;
  bool new_epoch = numbers->empty();
  for (uint32_t number : *numbers) {
    auto found = survey_segment(number, number == numbers->back());
    if (!found) return found.error();
    start.next_number = number + 1;
    // The newest file did not survive whole: how far its numbers went is not known.
    if (number == numbers->back() && *found == Found::kInDoubt) new_epoch = true;
  }
  note_gaps(&start.next_sequence, &new_epoch);
  // Numbers that relaxed sources were told and that the crash forgot must not come again in this epoch.
  if (state_->meta("relaxed") == "1" && state_->meta("clean") == "0") new_epoch = true;
  std::vector<SegmentInfo> segments = segments_.all();
  // An epoch that was begun and holds no event yet is known to state.db alone; to go back to the one before it would
  // give numbers again that it was begun to avoid. And without state.db nobody knows what relaxed sources were told.
  if (segments.empty() || state_->meta(kEpochKey) != event::epoch_text(segments.back().facts.epoch)) new_epoch = true;
  if (new_epoch) {
    start.epoch = event::random_u64();
    if (!segments.empty()) {
      base::log_warn("journal", "numbering begins a new epoch, " + event::epoch_text(start.epoch));
    }
    state_->put_meta(kEpochKey, event::epoch_text(start.epoch));
    (void)state_->sync(kStatePatience);
  } else {
    start.epoch = segments.back().facts.epoch;
  }
  if (segments.empty()) return start;
  SegmentInfo& last = segments.back();
  if (!last.sealed && !new_epoch && last.bytes < options_.segment_bytes) {
    start.current = last;
  } else if (!last.sealed) {
    last.sealed = true;
    segments_.update(last);
  }
  // What is sealed and still has a WAL was cut off before its checkpoint.
  for (const SegmentInfo& segment : segments) {
    if (segment.sealed && !segment.checkpointed) checkpoint_later(segment.number, std::nullopt);
  }
  maintain_ = true;
  return start;
}

void Journal::fill_dedupe() {
  std::vector<DedupeEntry> newest_first;
  std::vector<SegmentInfo> segments = segments_.all();
  for (auto segment = segments.rbegin(); segment != segments.rend(); ++segment) {
    if (newest_first.size() >= DedupeWindow::kMaxEntries) break;
    auto database =
        base::Database::open(segment_path(segment->number), base::OpenAs::kReader, files_->sqlite_vfs());
    if (!database) continue;
    (void)read_dedupe(*database, 0, DedupeWindow::kMaxEntries - newest_first.size(),
                      [&](const DedupeEntry& entry) { newest_first.push_back(entry); });
  }
  for (auto entry = newest_first.rbegin(); entry != newest_first.rend(); ++entry) writer_->dedupe().add(*entry);
}

}  // namespace weir::journal
