#include "isolation/ring.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "weir/batch.h"

namespace weir::isolation {
namespace {

struct Head {
  uint32_t message;
  uint32_t reserved;
  uint64_t size;  // of the body; the next head follows at a multiple of 8
};

// The largest batch, and room for what comes with it.
constexpr uint64_t kMaxBody = WEIR_BATCH_MAX_BYTES + (8 << 20);

uint64_t padded(uint64_t size) { return (size + 7) / 8 * 8; }

void signal(int fd) {
  char one = 1;
  (void)!::send(fd, &one, sizeof one, MSG_DONTWAIT | MSG_NOSIGNAL);  // when there is no room, it is signalled already
}

// False when the other side has closed its end.
bool take_signals(int fd) {
  char signals[256];
  for (;;) {
    ssize_t n = ::recv(fd, signals, sizeof signals, MSG_DONTWAIT);
    if (n == 0) return false;
    if (n < static_cast<ssize_t>(sizeof signals)) return true;
  }
}

// False when the time is over, or `stop_fd` says so.
bool wait_for(int fd, base::Monotonic deadline, int stop_fd) {
  auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - base::now()).count();
  if (left <= 0) return false;
  pollfd fds[] = {{fd, POLLIN, 0}, {stop_fd, POLLIN, 0}};
  ::poll(fds, stop_fd >= 0 ? 2 : 1, static_cast<int>(std::min<int64_t>(left, 1000)));
  return stop_fd < 0 || fds[1].revents == 0;
}

}  // namespace

bool RingWriter::room(uint64_t* bytes) {
  uint64_t read = place_.head->read.load(std::memory_order_acquire);
  if (read < read_ || read > written_) return false;
  read_ = read;
  *bytes = place_.capacity - (written_ - read_);
  return true;
}

void RingWriter::publish() {
  place_.head->written.store(written_, std::memory_order_seq_cst);
  if (place_.head->reader_sleeps.load(std::memory_order_seq_cst) != 0) signal(place_.wake_fd);
}

RingResult RingWriter::wait_for_room(uint64_t bytes, base::Monotonic deadline, int stop_fd) {
  for (;;) {
    uint64_t free = 0;
    if (!room(&free)) return RingResult::kNonsense;
    if (free >= bytes) return RingResult::kDone;
    place_.head->writer_sleeps.store(1, std::memory_order_seq_cst);
    if (!room(&free)) return RingResult::kNonsense;
    bool in_time = free >= bytes || wait_for(place_.wake_fd, deadline, stop_fd);
    place_.head->writer_sleeps.store(0, std::memory_order_seq_cst);
    if (!take_signals(place_.wake_fd) || !in_time) return RingResult::kTimeout;
  }
}

RingResult RingWriter::put(std::string_view bytes, base::Monotonic deadline, int stop_fd) {
  while (!bytes.empty()) {
    uint64_t free = 0;
    if (!room(&free)) return RingResult::kNonsense;
    if (free == 0) {
      publish();
      if (auto there = wait_for_room(1, deadline, stop_fd); there != RingResult::kDone) return there;
      continue;
    }
    uint64_t at = written_ & (place_.capacity - 1);
    uint64_t size = std::min({free, static_cast<uint64_t>(bytes.size()), place_.capacity - at});
    std::memcpy(place_.bytes + at, bytes.data(), size);
    written_ += size;
    bytes.remove_prefix(static_cast<size_t>(size));
  }
  return RingResult::kDone;
}

RingResult RingWriter::write(Message message, std::span<const std::string_view> parts, base::Monotonic deadline,
                             int stop_fd) {
  Head head{static_cast<uint32_t>(message), 0, 0};
  for (std::string_view part : parts) head.size += part.size();
  uint64_t whole = sizeof head + padded(head.size);
  if (whole <= place_.capacity) {
    auto there = wait_for_room(whole, deadline, stop_fd);
    if (there != RingResult::kDone) return there == RingResult::kTimeout ? RingResult::kFull : there;
  }
  auto done = put({reinterpret_cast<const char*>(&head), sizeof head}, deadline, stop_fd);
  for (std::string_view part : parts) {
    if (done == RingResult::kDone) done = put(part, deadline, stop_fd);
  }
  constexpr char kZeros[8] = {};
  if (done == RingResult::kDone) done = put({kZeros, padded(head.size) - head.size}, deadline, stop_fd);
  publish();
  return done;
}

bool RingWriter::fits(uint64_t body_bytes) {
  uint64_t free = 0;
  return room(&free) && free >= sizeof(Head) + padded(body_bytes);
}

bool RingReader::available(uint64_t* bytes) {
  uint64_t written = place_.head->written.load(std::memory_order_acquire);
  if (written < read_ || written - read_ > place_.capacity) return false;
  *bytes = written - read_;
  return true;
}

void RingReader::publish() {
  place_.head->read.store(read_, std::memory_order_seq_cst);
  if (place_.head->writer_sleeps.load(std::memory_order_seq_cst) != 0) signal(place_.wake_fd);
}

bool RingReader::prepare_to_sleep() {
  place_.head->reader_sleeps.store(1, std::memory_order_seq_cst);
  if (place_.head->written.load(std::memory_order_seq_cst) == read_) return true;
  awake();
  return false;
}

bool RingReader::awake() {
  place_.head->reader_sleeps.store(0, std::memory_order_relaxed);
  return take_signals(place_.wake_fd);
}

RingResult RingReader::get(uint8_t* to, uint64_t bytes, base::Monotonic deadline, int stop_fd) {
  while (bytes != 0) {
    uint64_t there = 0;
    if (!available(&there)) return RingResult::kNonsense;
    if (there == 0) {
      publish();
      if (!prepare_to_sleep()) continue;
      bool in_time = wait_for(place_.wake_fd, deadline, stop_fd);
      in_time = awake() && in_time;
      if (!in_time && place_.head->written.load(std::memory_order_acquire) == read_) return RingResult::kTimeout;
      continue;
    }
    uint64_t at = read_ & (place_.capacity - 1);
    uint64_t size = std::min({there, bytes, place_.capacity - at});
    std::memcpy(to, place_.bytes + at, size);
    to += size;
    read_ += size;
    bytes -= size;
  }
  return RingResult::kDone;
}

RingResult RingReader::read(Message* message, std::string_view* body, base::Monotonic deadline, int stop_fd) {
  uint64_t there = 0;
  if (!available(&there)) return RingResult::kNonsense;
  if (there == 0) return RingResult::kFull;
  Head head;
  auto done = get(reinterpret_cast<uint8_t*>(&head), sizeof head, deadline, stop_fd);
  if (done != RingResult::kDone) return done;
  if (head.size > kMaxBody) return RingResult::kNonsense;
  buffer_.resize(static_cast<size_t>(padded(head.size)));
  done = get(reinterpret_cast<uint8_t*>(buffer_.data()), buffer_.size(), deadline, stop_fd);
  publish();
  *message = static_cast<Message>(head.message);
  *body = std::string_view(buffer_).substr(0, static_cast<size_t>(head.size));
  return done;
}

}  // namespace weir::isolation
