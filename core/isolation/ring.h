// One way of bytes between two processes: a ring in shared memory, and a pair of sockets to wake whoever sleeps. Not an
// eventfd: what one side does to its flags or its count, the other would have too.
//
// A message is a head and a body of any length. One that is longer than the ring passes through it piece by piece, while
// the other side reads. What the reader gets is a copy of its own, which the writer cannot change any more.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"
#include "isolation/wire.h"

namespace weir::isolation {

// The shared part, at the beginning of the ring's memory. All zero at first.
struct RingHead {
  alignas(64) std::atomic<uint64_t> written;  // bytes, ever; the writer's
  std::atomic<uint32_t> writer_sleeps;
  alignas(64) std::atomic<uint64_t> read;  // bytes, ever; the reader's
  std::atomic<uint32_t> reader_sleeps;
};

// Where a ring is, for both sides. The descriptors are somebody else's to close.
struct RingPlace {
  RingHead* head = nullptr;
  uint8_t* bytes = nullptr;
  uint64_t capacity = 0;  // a power of two
  int wake_fd = -1;       // this side's end of the pair
};

enum class RingResult {
  kDone,
  kFull,      // nothing was written for want of room, or there is nothing to read
  kTimeout,   // the other side did not go on in time: in the middle of a message, so the ring is of no use any more
  kNonsense,  // the other side's numbers make no sense
};

// One writer at a time.
class RingWriter {
 public:
  explicit RingWriter(RingPlace place) : place_(place) {}

  // Writes a message of these parts; waits for room until `deadline`, or until `stop_fd` (may be -1) is readable. Nothing
  // is written before there is room for all of it, unless it is longer than the ring.
  RingResult write(Message message, std::span<const std::string_view> parts, base::Monotonic deadline, int stop_fd);
  // Whether a message of so many bytes would go in without waiting.
  bool fits(uint64_t body_bytes);

 private:
  RingResult put(std::string_view bytes, base::Monotonic deadline, int stop_fd);
  // Bytes of room; false when the reader's number makes no sense.
  bool room(uint64_t* bytes);
  RingResult wait_for_room(uint64_t bytes, base::Monotonic deadline, int stop_fd);
  void publish();

  RingPlace place_;
  uint64_t written_ = 0;
  uint64_t read_ = 0;  // as last seen
};

// One reader at a time.
class RingReader {
 public:
  explicit RingReader(RingPlace place) : place_(place) {}

  // The next message, when there is one: kFull when there is none. The body lies in an 8-aligned buffer, valid until the
  // next read. Waits for the rest of a message that has begun until `deadline` or until `stop_fd` is readable.
  RingResult read(Message* message, std::string_view* body, base::Monotonic deadline, int stop_fd);
  // Says that the writer is to wake this side from now on; false when there is something to read already.
  bool prepare_to_sleep();
  // False when the writer has closed its end.
  bool awake();

 private:
  RingResult get(uint8_t* to, uint64_t bytes, base::Monotonic deadline, int stop_fd);
  bool available(uint64_t* bytes);
  void publish();

  RingPlace place_;
  uint64_t read_ = 0;
  std::string buffer_;
};

}  // namespace weir::isolation
