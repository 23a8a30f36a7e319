// What a gateway and the child process of an isolated instance say to each other, and its form in bytes.
//
// Two ways lead to the child. Events, settlements and completions go through two rings in shared memory (ring.h),
// everything else through a Unix socket (channel.h), which carries descriptors too. Both processes are one program, so
// the form has no version. What the child says is not believed: a Reader never reads past the end, and every number is
// checked by who uses it.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "weir/base.h"

namespace weir::isolation {

// Messages of both ways, with the form of their body.
enum class Message : uint32_t {
  // Socket, to the child.
  kSetup = 1,  // Setup; six descriptors
  kCall,       // step, deadline_ns, text (create: configuration; restore: key, value); answered by kReturn
  kAnswer,     // to kListen and the key-value messages: status, text; kListen: a descriptor
  kPing,       // answered by kPong
  // Socket, to the gateway.
  kReady,    // what the kernel lacks, text; or the reason why the plugin cannot be loaded: status, text
  kReturn,   // status, retry_after_ms, text, pointer; limits: four numbers
  kPong,     // health: state, text; the data call that runs: name, nanoseconds, allowed nanoseconds
  kLog,      // level, text
  kDeclare,  // kind, name, help: the next metric
  kListen,   // protocol, backlog, address
  kGetValue, kPutValue, kSyncValues,  // key; key, value; deadline_ns
  // Ring, to the child.
  kSettled = 100,  // count, then settlements
  kCredit,         // events, bytes
  kProcess,        // position, now_ns, batch
  kTick,           // position, now_ns
  kSubmit,         // token, deadline_ns, batch
  kCancel,         // token
  // Ring, to the gateway.
  kEmit,       // token, batch
  kProcessed,  // status, text, then decisions
  kNotTaken,   // a submit that failed: token, status, retry_after_ms, text
  kCompleted,  // token, count, then results
};

// A step of an instance's life, in kCall.
enum class Step : uint32_t { kCreate, kPrepare, kStart, kPause, kResume, kDrain, kStop, kDestroy, kLimits, kRestore };

const char* step_name(Step step);

// Puts values together.
class Writer {
 public:
  template <class T>
  Writer& number(T value) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Writer& text(std::string_view text) {
    number(static_cast<uint64_t>(text.size()));
    bytes_.append(text);
    return *this;
  }
  // So that what follows is 8-aligned when the message is.
  Writer& align() {
    bytes_.resize((bytes_.size() + 7) / 8 * 8);
    return *this;
  }
  std::string& bytes() { return bytes_; }

 private:
  std::string bytes_;
};

// Takes values apart. After a read past the end everything is zero and ok() false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes), all_(bytes.size()) {}

  template <class T>
  T number() {
    static_assert(std::is_trivially_copyable_v<T>);
    T value{};
    std::string_view bytes = take(sizeof value);
    if (ok_) std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  std::string_view text() { return take(number<uint64_t>()); }
  void align() { take((8 - (all_ - rest_.size()) % 8) % 8); }
  std::string_view rest() { return take(rest_.size()); }
  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view take(uint64_t size) {
    if (!ok_ || size > rest_.size()) {
      ok_ = false;
      return {};
    }
    std::string_view taken = rest_.substr(0, static_cast<size_t>(size));
    rest_.remove_prefix(static_cast<size_t>(size));
    return taken;
  }

  std::string_view rest_;
  size_t all_;
  bool ok_ = true;
};

}  // namespace weir::isolation
