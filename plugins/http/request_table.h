// Requests that wait for their answer, by a number that cannot be mistaken for another request's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir::http {

class Connection;

// An id is a slot and how often the slot has been used: when a client goes and another takes its place, a
// late answer finds nothing. (Answering by descriptor number was seen to send answers to the wrong client.)
// One thread.
class RequestTable {
 public:
  uint64_t open(Connection* connection) {
    uint32_t slot;
    if (free_.empty()) {
      slot = static_cast<uint32_t>(slots_.size());
      slots_.push_back({});
    } else {
      slot = free_.back();
      free_.pop_back();
    }
    slots_[slot].connection = connection;
    slots_[slot].open = true;
    return uint64_t{slots_[slot].generation} << 32 | slot;
  }

  // The client has gone: the request stays open until it is closed, and leads nowhere.
  void detach(uint64_t id) {
    if (Slot* slot = find(id)) slot->connection = nullptr;
  }

  // Ends the request. False when there is none of that id; else *connection is its client, null when it has
  // gone.
  bool close(uint64_t id, Connection** connection) {
    Slot* slot = find(id);
    if (slot == nullptr) return false;
    *connection = slot->connection;
    *slot = {nullptr, slot->generation + 1, false};
    free_.push_back(static_cast<uint32_t>(id));
    return true;
  }

  size_t open_count() const { return slots_.size() - free_.size(); }

 private:
  struct Slot {
    Connection* connection = nullptr;
    uint32_t generation = 1;
    bool open = false;
  };

  Slot* find(uint64_t id) {
    const auto index = static_cast<uint32_t>(id);
    if (index >= slots_.size()) return nullptr;
    Slot& slot = slots_[index];
    return slot.open && slot.generation == id >> 32 ? &slot : nullptr;
  }

  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
};

}  // namespace weir::http
