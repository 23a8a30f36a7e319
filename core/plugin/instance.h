// A component at work: one self of a library, led through its life by calls that cannot hang the gateway.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "plugin/library.h"
#include "weir/component.h"
#include "weir/sink.h"
#include "weir/source.h"
#include "weir/transform.h"

namespace weir::plugin {

class ControlThread;

// What a call of an instance came to.
struct CallResult {
  base::Status status;          // the error's text is the plugin's, its `where` is the instance
  std::string pointer;          // RFC 6901 pointer into the configuration, "" when it is not about one key
  uint32_t retry_after_ms = 0;  // 0: no advice
  bool ok() const { return status.ok(); }
};

struct Health {
  uint32_t state = WEIR_HEALTH_OK;
  std::string text;  // why, one line; empty when ok
};

// The process of an instance that has one of its own.
struct ProcessInfo {
  int32_t pid = 0;  // 0 while it does not run
  uint64_t restarts = 0;
  uint64_t memory_bytes = 0;  // private
  std::string lacking;        // what the kernel cannot do to confine it; "" when it can do all
};

// What an instance is made of. The tables may be a library's own or stand for one in another process.
struct Binding {
  Component component;
  std::string version;  // of the plugin
  // Like weir_component_v1::create.
  std::function<weir_status(weir_host* host, weir_text config, void** self, weir_error* error)> create;
  const weir_component_v1* life = nullptr;
  // That of the component's kind; the others are null.
  const weir_source_v1* source = nullptr;
  const weir_transform_v1* transform = nullptr;
  const weir_sink_v1* sink = nullptr;
  std::shared_ptr<const void> keep;  // what the tables stand on
  std::function<ProcessInfo(void* self)> process;  // empty: it runs in this process
  std::function<void(void* self)> interrupt;       // see Instance::interrupt; empty: nothing of it waits
};

// A component of a library in this process. Fails when it has no such component.
base::Result<Binding> bind_library(std::shared_ptr<Library> library, std::string_view component);

// Life-cycle calls are made by one thread at a time, and run on a control thread that the instance owns. A
// call that overruns its deadline and the grace is answered with kTimeout, and the instance is `hung`: it is
// never touched again, and its thread, its library and its host stay in memory for the rest of the process,
// on purpose. The caller must not use source(), transform() or sink() of a hung instance any more.
class Instance {
 public:
  // Where it is in its life; a failed call leaves it where it was. See weir/component.h.
  enum class State { kNew, kCreated, kPrepared, kRunning, kPaused, kDrained, kStopped, kDestroyed };

  // How long past its deadline a call is waited for: for threads that wake late on a loaded machine.
  static constexpr base::Duration kGrace = std::chrono::milliseconds(500);
  // For calls that get no deadline from the ABI: create and destroy.
  static constexpr base::Duration kCreateLimit = std::chrono::seconds(5);
  static constexpr base::Duration kDestroyLimit = std::chrono::seconds(5);

  // `name` is the manifest's. `host` is what the component is given; it is kept until the instance is gone, and
  // for ever when it hangs.
  Instance(std::string name, Binding binding, std::shared_ptr<weir_host> host, base::Duration grace = kGrace);
  // Stops and destroys it when that has not been done.
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  CallResult create(std::string_view config, base::Duration limit = kCreateLimit);
  CallResult prepare(base::Monotonic deadline);
  CallResult start(base::Monotonic deadline);
  CallResult pause(base::Monotonic deadline);
  CallResult resume(base::Monotonic deadline);
  CallResult drain(base::Monotonic deadline);
  CallResult stop(base::Monotonic deadline);
  CallResult destroy(base::Duration limit = kDestroyLimit);

  // Runs a data-table call on the control thread too (limits, restore): serial with the life cycle, with a
  // deadline.
  CallResult call(const char* what, base::Monotonic deadline,
                  std::function<weir_status(void* self, weir_error*)> body);

  // A direct call, from any thread, while the instance is created and not being destroyed.
  Health health() const;

  // Nothing when it runs in this process. Like health().
  std::optional<ProcessInfo> process() const;

  // From now on its data calls do not wait for a process that has to be started again: they answer
  // base::kInterrupted. Before whoever makes them is stopped. Like health().
  void interrupt();
  bool interruptible() const { return static_cast<bool>(binding_.interrupt); }

  State state() const { return state_.load(); }
  bool hung() const { return hung_.load(); }
  const std::string& name() const { return name_; }
  const Component& component() const { return binding_.component; }
  const std::string& version() const { return binding_.version; }

  // The instance itself, for the calls of its data table; null before create and after destroy.
  void* self() const { return self_; }
  // The data table of its kind; null for the other kinds.
  const weir_source_v1* source() const { return binding_.source; }
  const weir_transform_v1* transform() const { return binding_.transform; }
  const weir_sink_v1* sink() const { return binding_.sink; }

 private:
  using Step = weir_status (*weir_component_v1::*)(void*, int64_t, weir_error*);

  CallResult step(const char* what, Step step, State next, std::initializer_list<State> allowed,
                  base::Monotonic deadline);
  CallResult run(const char* what, base::Monotonic deadline, std::function<weir_status(weir_error*)> body);
  // Why a call cannot be made now.
  CallResult refuse(const char* what) const;

  const std::string name_;
  const Binding binding_;
  const std::shared_ptr<weir_host> host_;
  const base::Duration grace_;
  std::atomic<void*> self_{nullptr};
  std::unique_ptr<ControlThread> thread_;
  std::atomic<State> state_{State::kNew};
  std::atomic<bool> hung_{false};
};

}  // namespace weir::plugin
