// state.db: what must survive besides the events: cursors, the ledger, dead letters, lost ranges, key-value state.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/sqlite.h"
#include "event/identity.h"
#include "journal/cursor.h"

namespace weir::journal {

// How many events of a consumer ended in which way. With `pending` they add up to what was committed for it (P1).
struct Counts {
  uint64_t delivered = 0;
  uint64_t filtered = 0;
  uint64_t dead = 0;
  uint64_t expired = 0;
  uint64_t discarded = 0;
  uint64_t lost = 0;

  uint64_t sum() const { return delivered + filtered + dead + expired + discarded + lost; }
};

// A consumer's place in the journal. Cursor and counts change together and are stored in one transaction.
struct ConsumerState {
  std::string name;
  uint64_t origin = 1;  // the first sequence it is owed
  Cursor cursor{1};
  Counts counts;
  std::map<std::string, uint64_t> filtered_by;  // "instance: reason" -> events
  bool detached = false;                        // its sink was removed; the cursor waits for `weir forget`
};

// An event given up on for good, with its own copy.
struct DeadLetter {
  int64_t number = 0;  // set when it is stored
  std::string consumer;
  uint64_t epoch = 0;
  uint64_t sequence = 0;
  uint32_t part = 0;
  event::Id id{};
  std::string device_id;
  std::string source;
  std::string by;       // the instance that refused it
  std::string plugin;   // "sqlite.sink"
  std::string version;  // of the plugin
  uint32_t code = 0;
  std::string reason;
  uint32_t attempts = 0;
  int64_t at_ns = 0;
  std::string body;  // a batch of this one event
};

// A range of sequences that a repair had to give up.
struct LostRange {
  uint64_t epoch = 0;
  uint64_t first = 0;
  uint64_t last = 0;
  std::string segment;
  std::string reason;
  int64_t at_ns = 0;
};

struct KeyValue {
  std::string instance;
  std::string key;
  std::optional<std::string> value;  // nothing: removed
};

// One key of a stateful transform's state, as it becomes.
struct KeyedState {
  std::string instance;
  std::string key;
  uint32_t format = 0;               // the plugin's version of what it puts
  std::optional<std::string> value;  // nothing: removed
};

// The file and the one connection that writes it. One thread at a time.
class StateFile {
 public:
  static base::Result<StateFile> open(base::FileSystem& files, const std::string& path);

  base::Status begin() { return database_.execute("BEGIN IMMEDIATE"); }
  base::Status commit() { return database_.execute("COMMIT"); }
  void roll_back() { (void)database_.execute("ROLLBACK"); }

  base::Status put(const ConsumerState& consumer);
  base::Status remove_consumer(const std::string& name);
  base::Status add(const DeadLetter& letter);
  base::Status add(const LostRange& range);
  base::Status put(const KeyValue& value);
  base::Status put(const KeyedState& state);
  base::Status put_meta(const std::string& key, const std::string& value);

  base::Result<std::vector<ConsumerState>> consumers();
  base::Result<std::vector<LostRange>> lost();
  base::Result<std::vector<KeyValue>> key_values();
  base::Result<std::map<std::string, std::string>> meta();
  base::Status check();  // kDamaged when SQLite's quick_check finds something
  base::Status checkpoint() { return database_.checkpoint_and_truncate(); }

 private:
  base::Database database_;
};

// The keyed state of one instance, in the order of the keys, through a connection of its own: what may be large is not
// kept in memory twice. Ends early when `each` fails.
base::Status read_keyed_state(base::FileSystem& files, const std::string& path, std::string_view instance,
                              const std::function<base::Status(const KeyedState&)>& each);

// Dead letters, newest first, through a connection of its own: numbers below `before` (0: all), at most `limit`.
base::Result<std::vector<DeadLetter>> read_dead_letters(base::FileSystem& files, const std::string& path,
                                                        int64_t before, uint64_t limit);
// One by its number; kNotFound.
base::Result<DeadLetter> read_dead_letter(base::FileSystem& files, const std::string& path, int64_t number);
// Those of one event.
base::Result<std::vector<DeadLetter>> dead_letters_of(base::FileSystem& files, const std::string& path,
                                                      uint64_t sequence);
// Events (not parts) among the dead letters, a consumer at a time: the recount of `dead`.
base::Result<std::map<std::string, uint64_t>> count_dead_letters(base::FileSystem& files, const std::string& path);

}  // namespace weir::journal
