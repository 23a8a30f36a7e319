// What one stateful transform remembers, as the host keeps it: a changelog of keys.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "graph/decisions.h"
#include "journal/state.h"

namespace weir::delivery {

// Of the values only those that are not posted yet are in memory; their home is state.db, and the plugin has its own.
// Of the rest it knows the sizes, so that the bound holds. One thread at a time.
class TransformState final : public graph::StateChanges {
 public:
  static constexpr uint64_t kMaxBytes = WEIR_STATE_MAX_BYTES;

  // `format`: the plugin's version of what it puts.
  TransformState(std::string instance, uint32_t format) : instance_(std::move(instance)), format_(format) {}

  // Reads what is kept, once everything that was posted is on disk, which is given `patience`: `each` gets every key. Before the first put.
  using Each = std::function<base::Status(uint32_t format, const std::string& key, const std::string& value)>;
  base::Status restore(journal::State& state, base::FileSystem& files, base::Duration patience, const Each& each);

  weir_status put(weir_text key, const void* value, uint64_t size) override;
  // The largest received_ns or journaled tick that the transform was told. It is kept with the keys.
  int64_t now_ns() const { return now_ns_; }
  void set_now(int64_t now_ns) { now_ns_ = now_ns; }

  uint64_t puts() const { return puts_; }  // so far
  uint64_t bytes() const { return bytes_; }
  uint64_t keys() const { return sizes_.size(); }
  // What has changed since the last call: to be posted with the cursor.
  std::vector<journal::KeyedState> take_changes();

 private:
  const std::string instance_;
  const uint32_t format_;
  int64_t now_ns_ = 0, kept_now_ns_ = 0;
  uint64_t puts_ = 0, bytes_ = 0;
  std::unordered_map<std::string, uint64_t> sizes_;  // of key and value
  std::map<std::string, std::optional<std::string>> changes_;
};

}  // namespace weir::delivery
