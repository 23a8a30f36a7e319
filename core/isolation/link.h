// The gateway's end of one child process, from its start to its end.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "isolation/channel.h"
#include "isolation/child_process.h"
#include "isolation/setup.h"
#include "isolation/shared_memory.h"
#include "plugin/instance.h"
#include "weir/sink.h"

namespace weir::isolation {

// What a life-cycle call in the child came to.
struct Returned {
  weir_status status = WEIR_OK;
  uint32_t retry_after_ms = 0;
  std::string text, pointer;
  weir_sink_limits limits{};
};

// What the child says of itself twice a second.
struct Pulse {
  plugin::Health health;
  uint64_t memory_bytes = 0;
};

// Two threads: one for the socket, the pulse and the end; one for what comes through the ring, unless the caller
// exchanges messages itself (a transform).
class Link {
 public:
  struct Options {
    std::string program;  // runs as `PROGRAM host --instance NAME`
    std::string name;
    Setup setup;
    uint64_t memory_limit = 0;  // of private memory, bytes; 0: none
    bool reads_ring = true;
    base::Duration silence_limit = kSilenceLimit;
  };
  // Called on the link's threads, never after its destructor.
  struct Events {
    std::function<void(Link&, const Letter&)> asked;               // a request or a message of the child
    std::function<void(Link&, Message, std::string_view body)> received;  // from the ring
    std::function<void(Link&, const Pulse&)> pulsed;
    std::function<void(Link&)> ended;  // once; everything that it had written was received before
  };

  // Starts a child and waits until it has loaded the plugin.
  static base::Result<std::shared_ptr<Link>> start(Options options, Events events, base::Monotonic deadline);
  ~Link();
  // Kills the child when it still runs, and returns when no callback runs or will. By its owner, whoever else holds the
  // link; not from a callback.
  void close();

  // A step of the plugin's life. When it does not return in time, or the child ends, the status says so; a child that is
  // late is killed. One caller at a time.
  Returned call(Step step, base::Monotonic deadline, std::string_view body = {});
  // Through the ring; waits for room, at most until `deadline`. False when there was none, or the child has ended: then it
  // got nothing. Any thread.
  bool send(Message message, std::initializer_list<std::string_view> parts, base::Monotonic deadline);
  // The same without waiting for anything.
  bool try_send(Message message, std::initializer_list<std::string_view> parts);
  // Sends a message and waits for the one that answers it, of which `body` is valid until the next exchange. False when
  // the child ends first. One caller at a time, and only when reads_ring is false.
  bool exchange(Message message, std::initializer_list<std::string_view> parts, std::string_view* body);
  void answer(uint64_t question, std::string_view body, int descriptor = -1);

  void kill(const std::string& why);
  bool alive() const;
  // Why it ended: "was killed by SIGSEGV", "hung in submit() for 12s and was ended".
  std::string ending() const;
  const std::string& lacking() const { return lacking_; }  // what the kernel cannot do to confine it
  pid_t pid() const { return pid_; }
  const SharedMemory& memory() const { return memory_; }

 private:
  Link(Options options, Events events, SharedMemory memory, Descriptor socket, ChildProcess process);
  static constexpr uint64_t kReadyCall = 0;  // what kReady answers

  bool has_ended() const;
  bool ends_within(base::Duration patience) const;
  // Kills it for a fault, unless what looks like one is its end, which then says more.
  void blame(const std::string& what);
  bool sent(RingResult result);
  void check_pulse();
  bool wait_for( base::Monotonic deadline, Letter* letter);
  void run_control();
  void run_data();
  void ping();
  void tell(Message message, uint64_t id, std::string_view body, std::span<const int> descriptors = {});
  void handle_pong(Reader body);
  void take(Letter letter);
  void end();

  const Options options_;
  const Events events_;
  SharedMemory memory_;
  Channel channel_;
  ChildProcess process_;
  const pid_t pid_;
  std::string lacking_;

  std::mutex writing_;  // the ring to the child
  RingWriter writer_;
  RingReader reader_;

  mutable std::mutex mutex_;  // what follows
  std::condition_variable changed_;
  std::optional<uint64_t> awaited_ = kReadyCall;  // the call whose answer may come
  std::optional<Letter> returned_;
  uint64_t next_call_ = kReadyCall + 1;
  std::string killed_because_;
  std::string ending_;
  bool ended_ = false;

  // The control thread's.
  base::Monotonic pinged_{};
  std::optional<base::Monotonic> unanswered_since_;  // the first ping that was not answered
  std::once_flag closed_;
  std::atomic<bool> stopping_{false};  // the data thread reads what is left and ends
  std::thread control_, data_;
};

}  // namespace weir::isolation
