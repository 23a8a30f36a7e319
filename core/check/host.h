// The host that a checked instance gets: every service of the ABI, and an eye on how it is used.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>

#include "check/callbacks.h"
#include "check/deliveries.h"
#include "check/settler.h"
#include "check/trial.h"
#include "weir/plugin.h"

namespace weir::check {

// Where the instance is, as far as its calls of the host are judged by it.
enum class Phase { kCreating, kCreated, kPreparing, kPrepared, kRunning, kPaused, kDraining, kDrained, kStopped };

// What outlives one instance: the sockets and the values of a name, as in the gateway.
struct Estate {
  ~Estate();
  std::mutex mutex;
  std::map<std::string, int> sockets;         // by the address asked for; all of them are on loopback
  std::map<std::string, std::string> values;  // weir.keyvalue
  // "127.0.0.1:40123", of all sockets, joined by commas.
  std::string addresses();
};

// For one instance; must live until that is destroyed. Each rule that is broken becomes a finding of the check of that
// rule. Calls may come from any thread; set_phase and the like from the check's own.
class Host final : public weir_host {
 public:
  struct Options {
    bool only_required = false;  // the optional interfaces are not offered
  };
  Host(Trial& trial, Estate& estate, Options options);
  ~Host();

  void set_phase(Phase phase) { phase_ = phase; }
  Phase phase() const { return phase_; }
  // The thread that calls this is the control thread.
  void set_control_thread() { control_ = std::this_thread::get_id(); }
  Deliveries& deliveries() { return deliveries_; }
  // Set for a source before start.
  Settler& settler() { return settler_; }
  // Ends the host's own threads for this instance: after stop.
  void quiet();

 private:
  friend struct Services;

  const void* find(const char* id);
  // Before each call of a service: is it declared, is it too late?
  void enter(const char* id, const char* call);
  void write_log(uint32_t level, weir_text text);
  weir_metric declare(uint32_t kind, weir_text name, weir_text help);
  void change(const char* call, weir_metric metric, double by);
  weir_status listen(const weir_listen* spec, int32_t* fd, weir_error* error);
  weir_status get_value(weir_text key, void* buffer, uint64_t capacity, uint64_t* size);
  weir_status put_value(weir_text key, const void* value, uint64_t size);
  weir_status sync();
  uint32_t emit(const weir_batch* batch, uint64_t token, weir_emit_result* result);
  Callbacks& callbacks();

  Trial& trial_;
  Estate& estate_;
  const Options options_;
  std::atomic<Phase> phase_{Phase::kCreating};
  std::thread::id control_;
  Deliveries deliveries_;
  Settler settler_;
  std::mutex mutex_;  // guards what follows
  std::map<std::string, weir_metric> metrics_;
  std::map<weir_metric, uint32_t> metric_kinds_;
  std::unique_ptr<Callbacks> callbacks_;
};

// True while the calling thread is in a call that must not block; set by who makes the call.
class MustNotBlock {
 public:
  MustNotBlock() : before_(std::exchange(active_, true)) {}
  ~MustNotBlock() { active_ = before_; }
  MustNotBlock(const MustNotBlock&) = delete;
  MustNotBlock& operator=(const MustNotBlock&) = delete;
  static bool active() { return active_; }

 private:
  static thread_local bool active_;
  bool before_;
};

}  // namespace weir::check
