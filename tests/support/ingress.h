// weir.ingress of the test host: collects what a source emits, answers as the test says, settles when it
// says.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "support/events.h"
#include "support/wait.h"
#include "weir/plugin.h"

namespace weir::test {

// The answer to one emit.
struct EmitAnswer {
  uint32_t verdict = WEIR_ACCEPTED;
  uint32_t retry_after_ms = 0;  // BUSY
  uint32_t index = 0;           // INVALID
  std::string field;            // INVALID
  std::string message;          // BUSY, INVALID
};

enum class Settle {
  kByTest,            // settle() does it
  kWithinEmit,        // before emit returns
  kFromAnotherThread  // soon, on a thread of the host
};

struct Emitted {
  uint64_t token = 0;
  Block batch;  // empty when keep_batches(false)
  uint32_t count = 0;
  uint64_t first_sequence = 0;
  bool settled = false;
};

// All functions: any thread. No lock is held while the plugin is called.
class Ingress {
 public:
  ~Ingress();

  // Decides about each emit; runs on the emitting thread. Default: accepted.
  void on_emit(std::function<EmitAnswer(const weir_batch*)> decide);
  void settle_mode(Settle mode);
  // false: counts what is emitted and keeps no copy (for load). Default true.
  void keep_batches(bool keep);

  // Settles one accepted batch, on the caller's thread. False when the token is not waiting.
  bool settle(uint64_t token, uint32_t state = WEIR_DURABLE, uint32_t duplicates = 0,
              uint32_t retry_after_ms = 0);
  // Settles all that wait, in the order they came; returns how many.
  size_t settle_all(uint32_t state = WEIR_DURABLE, uint32_t retry_after_ms = 0);

  // Waits until `n` batches (events) have been accepted since the start.
  bool wait_for_batches(size_t n, std::chrono::nanoseconds timeout = kPatience);
  bool wait_for_events(size_t n, std::chrono::nanoseconds timeout = kPatience);
  std::vector<Emitted> batches() const;
  std::vector<TestEvent> events() const;  // of all accepted batches, in order
  size_t accepted_events() const;
  size_t refused() const;  // emits answered BUSY or INVALID
  // The id that the i-th event of a batch with that first sequence was given.
  static void make_id(uint64_t sequence, uint8_t (&id)[16]);

  // The host's side: whom to settle with. unbind() returns when no call of the plugin is under way.
  void bind(const weir_source_v1* source, void* self);
  void unbind();
  uint32_t emit(const weir_batch* batch, uint64_t token, weir_emit_result* result);

 private:
  struct Order {
    uint64_t token;
    uint32_t state, duplicates, retry_after_ms;
  };
  bool deliver(const Order& order);
  void run(std::stop_token stop);

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::function<EmitAnswer(const weir_batch*)> decide_;
  Settle mode_ = Settle::kByTest;
  bool keep_ = true;
  std::deque<Emitted> emitted_;
  std::deque<Order> orders_;  // for thread_
  uint64_t next_sequence_ = 1;
  size_t batches_ = 0;
  size_t events_ = 0;
  size_t refused_ = 0;
  const weir_source_v1* source_ = nullptr;
  void* self_ = nullptr;
  int calls_ = 0;        // settled() calls under way
  std::jthread thread_;  // last: ends first
};

}  // namespace weir::test
