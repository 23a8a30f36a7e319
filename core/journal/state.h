// The live side of state.db: what consumers, repairs and plugins report is gathered here and written together.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/time.h"
#include "journal/state_file.h"

namespace weir::journal {

// One thread of its own writes state.db; everything here may be called from any thread. A crash loses at most
// kFlushEvery of progress, which means events delivered again, never events lost: trimming asks settled_floor(), which
// counts only what is on disk.
class State {
 public:
  static constexpr base::Duration kFlushEvery = std::chrono::milliseconds(200);
  // Consumers stop while more than this many dead letters wait for the disk: memory stays bounded.
  static constexpr size_t kMaxPendingDeadLetters = 1024;
  // Kept free for state.db by a file that is removed when the disk is full.
  static constexpr uint64_t kBallastBytes = 1 << 20;

  // A damaged file is set aside to `damaged_dir` and a new one begun (P4); what was lost with it is in `report`.
  static base::Result<std::unique_ptr<State>> open(base::FileSystem& files, const std::string& directory,
                                                   std::string* report);
  ~State();
  void start();
  // Writes what is left, then ends the thread.
  void stop();

  // A consumer's progress, cursor and counts of one moment, and the dead letters that are new in it.
  void post(ConsumerState state, std::vector<DeadLetter> letters) { post(std::move(state), std::move(letters), {}); }
  // The same of a stateful transform, with what its state has become at this moment.
  void post(ConsumerState state, std::vector<DeadLetter> letters, std::vector<KeyedState> changes);
  // Also what is kept of its state.
  void forget(const std::string& consumer);
  // Listed once however often it is found.
  void post(const LostRange& range);
  void put(const KeyValue& value);
  void put_meta(const std::string& key, const std::string& value);

  std::vector<ConsumerState> consumers() const;
  std::vector<LostRange> lost() const;
  std::map<std::string, std::string> key_values(const std::string& instance) const;
  std::string meta(const std::string& key) const;  // "" when absent

  // The lowest floor of all consumers that is on disk; nothing below it is needed by any of them.
  uint64_t settled_floor() const;
  size_t pending_dead_letters() const;
  // Waits until everything posted before is on disk.
  base::Status sync(base::Duration patience);
  // Why the last write failed; "" when it did not.
  std::string trouble() const;
  const std::string& path() const { return path_; }

 private:
  struct Changes {
    std::map<std::string, ConsumerState> consumers;
    std::vector<std::string> forgotten;
    std::vector<DeadLetter> letters;
    std::vector<LostRange> lost;
    // By instance and key; the last one counts, so that their number is bounded.
    std::map<std::pair<std::string, std::string>, std::optional<std::string>> values;
    std::map<std::pair<std::string, std::string>, KeyedState> keyed;
    std::map<std::string, std::string> meta;
    bool empty() const;
  };

  State(base::FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}
  base::Status load();
  void run();
  base::Status write();
  base::Status write_in_transaction();
  bool was_committed();
  void note_written();
  void restore_ballast();
  std::string ballast_path() const;

  base::FileSystem& files_;
  std::string path_;
  // The thread's, once it runs.
  StateFile file_;
  Changes writing_;  // is written again until it is on disk; what comes meanwhile waits in pending_
  uint64_t write_number_ = 0;
  bool unsure_ = false;  // whether the last try of writing_ is in the file

  mutable std::mutex mutex_;
  std::condition_variable wake_, written_;
  Changes pending_;
  size_t letters_in_writing_ = 0;
  std::map<std::string, ConsumerState> consumers_;  // as posted
  std::map<std::string, uint64_t> floors_;          // as written
  std::vector<LostRange> lost_;
  std::map<std::string, std::map<std::string, std::string>> values_;
  std::map<std::string, std::string> meta_;
  std::string trouble_;
  uint64_t posted_ = 0, durable_ = 0;  // counts of posts
  bool urgent_ = false, stopping_ = false;
  std::thread thread_;
};

}  // namespace weir::journal
