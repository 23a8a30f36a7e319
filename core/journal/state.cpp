#include "journal/state.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/log.h"
#include "base/thread.h"

namespace weir::journal {

bool State::Changes::empty() const {
  return consumers.empty() && forgotten.empty() && letters.empty() && lost.empty() && values.empty() &&
         keyed.empty() && meta.empty();
}

base::Result<std::unique_ptr<State>> State::open(base::FileSystem& files, const std::string& directory,
                                                 std::string* report) {
  std::string path = directory + "/state.db";
  std::unique_ptr<State> state(new State(files, path));
  base::Status loaded = state->load();
  if (!loaded && loaded.error().code == base::Code::kDamaged) {
    // A read that fails once may pass.
    state.reset(new State(files, path));
    loaded = state->load();
  }
  if (!loaded && loaded.error().code == base::Code::kDamaged) {
    state->file_ = StateFile();
    std::string aside = directory + "/damaged/state-" + std::to_string(base::wall_ns()) + ".db";
    if (auto done = files.create_directories(directory + "/damaged"); !done) return done.error();
    for (const char* suffix : {"", "-wal", "-shm"}) {
      if (files.exists(path + suffix)) {
        if (auto done = files.rename(path + suffix, aside + suffix); !done) return done.error();
      }
      // The file before its WAL: a file alone would be taken for the whole.
      for (const std::string& folder : {directory + "/damaged", directory}) {
        if (auto done = files.sync_directory(folder); !done) return done.error();
      }
    }
    *report = "state.db was damaged (" + loaded.error().what + ") and is kept as " + aside +
              "; every sink starts again at the oldest event in the journal";
    state.reset(new State(files, path));
    loaded = state->load();
  }
  if (!loaded) return loaded.error();
  state->restore_ballast();
  return state;
}

base::Status State::load() {
  auto file = StateFile::open(files_, path_);
  if (!file) return file.error();
  file_ = std::move(*file);
  if (auto done = file_.check(); !done) return done;
  auto meta = file_.meta();
  if (!meta) return meta.error();
  meta_ = std::move(*meta);
  // Durable before anything else is: a relaxed source's answers depend on it.
  if (meta_.count("clean") == 0) {
    if (auto done = file_.put_meta("clean", "0"); !done) return done;
    meta_["clean"] = "0";
  }
  if (auto found = meta_.find("write"); found != meta_.end()) write_number_ = std::strtoull(found->second.c_str(), nullptr, 10);
  auto consumers = file_.consumers();
  if (!consumers) return consumers.error();
  for (ConsumerState& consumer : *consumers) {
    floors_[consumer.name] = consumer.cursor.floor();
    consumers_.emplace(consumer.name, std::move(consumer));
  }
  auto lost = file_.lost();
  if (!lost) return lost.error();
  lost_ = std::move(*lost);
  auto values = file_.key_values();
  if (!values) return values.error();
  for (KeyValue& value : *values) values_[value.instance][value.key] = std::move(*value.value);
  return {};
}

State::~State() { stop(); }

void State::start() {
  thread_ = base::start_thread("state.db", [this] { run(); });
}

void State::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void State::post(ConsumerState state, std::vector<DeadLetter> letters, std::vector<KeyedState> changes) {
  std::lock_guard lock(mutex_);
  // A thread that gathers already needs no waking for more.
  bool wakes = pending_.empty();
  consumers_[state.name] = state;
  pending_.consumers[state.name] = std::move(state);
  std::move(letters.begin(), letters.end(), std::back_inserter(pending_.letters));
  for (KeyedState& change : changes) {
    auto& place = pending_.keyed[{change.instance, change.key}];
    place = std::move(change);
  }
  if (pending_.letters.size() > kMaxPendingDeadLetters / 2) urgent_ = wakes = true;
  ++posted_;
  if (wakes) wake_.notify_all();
}

void State::forget(const std::string& consumer) {
  std::lock_guard lock(mutex_);
  consumers_.erase(consumer);
  floors_.erase(consumer);
  pending_.consumers.erase(consumer);
  std::erase_if(pending_.keyed, [&](const auto& entry) { return entry.first.first == consumer; });
  pending_.forgotten.push_back(consumer);
  ++posted_;
  wake_.notify_all();
}

void State::post(const LostRange& range) {
  std::lock_guard lock(mutex_);
  for (const LostRange& known : lost_) {
    if (known.epoch == range.epoch && known.first == range.first && known.last == range.last) return;
  }
  lost_.push_back(range);
  pending_.lost.push_back(range);
  ++posted_;
  wake_.notify_all();
}

void State::put(const KeyValue& value) {
  std::lock_guard lock(mutex_);
  if (value.value) {
    values_[value.instance][value.key] = *value.value;
  } else {
    values_[value.instance].erase(value.key);
  }
  pending_.values[{value.instance, value.key}] = value.value;
  ++posted_;
  wake_.notify_all();
}

void State::put_meta(const std::string& key, const std::string& value) {
  std::lock_guard lock(mutex_);
  meta_[key] = value;
  pending_.meta[key] = value;
  ++posted_;
  wake_.notify_all();
}

std::vector<ConsumerState> State::consumers() const {
  std::lock_guard lock(mutex_);
  std::vector<ConsumerState> out;
  for (const auto& [name, consumer] : consumers_) out.push_back(consumer);
  return out;
}

std::vector<LostRange> State::lost() const {
  std::lock_guard lock(mutex_);
  return lost_;
}

std::map<std::string, std::string> State::key_values(const std::string& instance) const {
  std::lock_guard lock(mutex_);
  auto found = values_.find(instance);
  return found == values_.end() ? std::map<std::string, std::string>() : found->second;
}

std::string State::meta(const std::string& key) const {
  std::lock_guard lock(mutex_);
  auto found = meta_.find(key);
  return found == meta_.end() ? "" : found->second;
}

uint64_t State::settled_floor() const {
  std::lock_guard lock(mutex_);
  // A consumer that was posted and is not on disk yet needs everything.
  uint64_t floor = consumers_.empty() ? 0 : UINT64_MAX;
  for (const auto& [name, consumer] : consumers_) {
    auto written = floors_.find(name);
    floor = std::min(floor, written == floors_.end() ? 0 : written->second);
  }
  return floor;
}

size_t State::pending_dead_letters() const {
  std::lock_guard lock(mutex_);
  return pending_.letters.size() + letters_in_writing_;
}

std::string State::trouble() const {
  std::lock_guard lock(mutex_);
  return trouble_;
}

base::Status State::sync(base::Duration patience) {
  std::unique_lock lock(mutex_);
  uint64_t wanted = posted_;
  urgent_ = true;
  wake_.notify_all();
  if (written_.wait_for(lock, patience, [&] { return durable_ >= wanted; })) return {};
  return base::error(base::Code::kTimeout, trouble_.empty() ? "state.db was not written in time" : trouble_, path_);
}

void State::run() {
  std::unique_lock lock(mutex_);
  base::Duration pause = kFlushEvery;
  uint64_t covers = 0;
  for (;;) {
    wake_.wait(lock, [&] { return stopping_ || !pending_.empty() || !writing_.empty() || durable_ != posted_; });
    // Gather for a while: one transaction for all consumers costs as much as one for one.
    if (!stopping_) wake_.wait_for(lock, pause, [&] { return stopping_ || urgent_; });
    urgent_ = false;
    if (writing_.empty()) {
      writing_ = std::exchange(pending_, {});
      letters_in_writing_ = writing_.letters.size();
      covers = posted_;
      ++write_number_;
    }
    lock.unlock();
    base::Status done = writing_.empty() ? base::Status() : write();
    lock.lock();
    if (!done) {
      if (trouble_.empty()) base::log_error("journal", "cannot write state.db: " + done.error().text());
      trouble_ = done.error().text();
      pause = std::min<base::Duration>(pause * 2, std::chrono::seconds(2));
      if (stopping_) return;  // what is missing is delivered again after the next start
      continue;
    }
    note_written();
    durable_ = covers;
    if (!trouble_.empty()) base::log_info("journal", "state.db can be written again");
    trouble_.clear();
    pause = kFlushEvery;
    written_.notify_all();
    if (stopping_ && pending_.empty()) return;
  }
}

// writing_ is on disk. With the mutex held.
void State::note_written() {
  for (const auto& [name, consumer] : writing_.consumers) {
    // One that was forgotten meanwhile has no floor, whether it has begun again or not.
    const auto& forgotten = pending_.forgotten;
    if (std::find(forgotten.begin(), forgotten.end(), name) == forgotten.end()) floors_[name] = consumer.cursor.floor();
  }
  writing_ = {};
  letters_in_writing_ = 0;
}

base::Status State::write() {
  if (unsure_ && was_committed()) return {};
  base::Status done = write_in_transaction();
  if (!done && done.error().code == base::Code::kFull && files_.exists(ballast_path())) {
    (void)files_.remove(ballast_path());
    done = write_in_transaction();
    if (done) base::log_warn("journal", "the disk is full: state.db lives on its reserve");
  } else if (done) {
    restore_ballast();
  }
  // A full disk rolls back. After any other failure the transaction may be in the file or not.
  if (done) unsure_ = false;
  if (!done && done.error().code != base::Code::kFull) unsure_ = true;
  if (unsure_ && was_committed()) return {};
  return done;
}

// Opens the file anew and looks whether the last try of writing_ is in it: dead letters must not come twice.
bool State::was_committed() {
  auto reopened = StateFile::open(files_, path_);
  if (!reopened) return false;
  file_ = std::move(*reopened);
  auto meta = file_.meta();
  if (!meta) return false;
  unsure_ = false;
  return (*meta)["write"] == std::to_string(write_number_);
}

base::Status State::write_in_transaction() {
  if (auto done = file_.begin(); !done) return done;
  base::Status done;
  auto all = [&](const auto& items, auto&& write_one) {
    for (const auto& item : items) {
      if (done) done = write_one(item);
    }
  };
  all(writing_.forgotten, [&](const auto& name) { return file_.remove_consumer(name); });
  all(writing_.consumers, [&](const auto& entry) { return file_.put(entry.second); });
  all(writing_.letters, [&](const auto& letter) { return file_.add(letter); });
  all(writing_.lost, [&](const auto& range) { return file_.add(range); });
  all(writing_.values, [&](const auto& entry) {
    return file_.put(KeyValue{entry.first.first, entry.first.second, entry.second});
  });
  all(writing_.keyed, [&](const auto& entry) { return file_.put(entry.second); });
  all(writing_.meta, [&](const auto& entry) { return file_.put_meta(entry.first, entry.second); });
  if (done) done = file_.put_meta("write", std::to_string(write_number_));
  if (done) done = file_.commit();
  if (!done) file_.roll_back();
  return done;
}

std::string State::ballast_path() const { return base::parent_directory(path_) + "/ballast"; }

void State::restore_ballast() {
  // Only with plenty of room: taking the last megabyte for ourselves would fail the next append instead.
  if (files_.exists(ballast_path())) return;
  auto free = files_.free_bytes(base::parent_directory(path_));
  if (free && *free > 8 * kBallastBytes) (void)files_.reserve_file(ballast_path(), kBallastBytes);
}

}  // namespace weir::journal
