// weir.ingress of the check host, and the host thread that settles what a source emitted.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "check/trial.h"
#include "weir/source.h"

namespace weir::check {

// How offered batches are answered.
enum class Door {
  kAccept,  // ACCEPTED, settled a moment later
  kEager,   // ACCEPTED, settled before emit returns
  kFail,    // ACCEPTED, settled as FAILED
  kHold,    // ACCEPTED, not settled until release()
  kBusy     // BUSY with kRetryMs
};

// One settlement for each accepted token, on a thread of its own. Any thread.
class Settler {
 public:
  static constexpr uint32_t kRetryMs = 1000;

  explicit Settler(Trial& trial) : trial_(trial) {}
  ~Settler() { close(); }

  // Begins to answer; `self` is the instance.
  void open(const weir_source_v1* table, void* self, Door door);
  // Ends the thread: after drain and before stop, as in the gateway.
  void close();
  void set_door(Door door);
  // Settles what was held, from now on as kAccept.
  void release();

  uint32_t emit(const weir_batch* batch, uint64_t token, weir_emit_result* result);

  uint64_t offered() const;   // emit calls
  uint64_t accepted() const;  // batches
  // Batches that the source was not begun to be told of: what it is being told just now it may know already.
  uint64_t unsettled() const;
  // Whether a batch is offered by `until`.
  bool wait_offered(uint64_t more_than, base::Monotonic until);

 private:
  struct Batch {
    uint64_t token;
    uint32_t count;
    bool failed;
  };

  void run();
  void settle(const Batch& batch);

  Trial& trial_;
  const weir_source_v1* table_ = nullptr;
  void* self_ = nullptr;
  uint64_t next_sequence_ = 1;  // of its thread
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  Door door_ = Door::kAccept;
  std::deque<Batch> queue_;               // accepted, to be settled
  std::map<uint64_t, uint32_t> waiting_;  // accepted tokens without a settlement
  uint64_t offered_ = 0, accepted_ = 0;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace weir::check
