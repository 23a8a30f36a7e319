// The host as a plugin in a child process sees it: time and timers are here, everything else is asked of the gateway.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "event/block.h"
#include "isolation/channel.h"
#include "isolation/shared_memory.h"
#include "plugin/event_loop.h"
#include "weir/plugin.h"

namespace weir::isolation {

// Lives as long as the process.
class ChildHost : public weir_host {
 public:
  ChildHost(Channel& channel, SharedMemory& memory, weir_kind kind, std::string gateway_id);

  // The plugin's thread asks, the main thread brings the answer.
  void answered(Letter letter);

  // The data thread: from the gateway to the plugin's tables. These translate tokens.
  void settled(const weir_source_v1* table, void* self, Reader body);
  void credit(uint64_t bytes) { closed_ = bytes == 0; }
  // A batch to be submitted, which is kept until it is completed.
  const weir_batch* keep(uint64_t token, std::string_view batch);
  void forget(uint64_t token);
  // Ends timers and watches, before the plugin's memory goes.
  void end_events() { events_.end(std::chrono::seconds(1)); }
  // To the gateway; waits for room.
  void send(Message message, std::initializer_list<std::string_view> parts);

 private:
  friend struct ChildServices;
  struct Emitted {
    uint64_t token = 0;
    uint64_t bytes = 0;
  };
  static constexpr uint64_t kMaxEmittedBytes = 8 << 20;

  uint32_t emit(const weir_batch* batch, uint64_t token, weir_emit_result* result);
  weir_metric declare(uint32_t kind, std::string_view name, std::string_view help);
  Letter ask(Message message, std::string_view body);

  Channel& channel_;
  SharedMemory& memory_;
  const weir_kind kind_;
  const std::string gateway_id_;
  plugin::EventLoop events_;

  std::mutex sending_;  // the ring's writer
  RingWriter ring_;

  std::mutex mutex_;  // the rest
  std::condition_variable answer_came_;
  uint64_t next_question_ = 1;
  std::map<uint64_t, Letter> answers_;
  std::map<std::string, weir_metric> metrics_;
  std::unordered_map<uint64_t, Emitted> emitted_;  // by the number under which the gateway knows it
  uint64_t next_emitted_ = 1, emitted_bytes_ = 0;
  std::unordered_map<uint64_t, event::Block> submitted_;
  std::atomic<bool> closed_{false};
};

}  // namespace weir::isolation
