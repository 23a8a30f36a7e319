// One believable device: what its sensors say at a given moment. Pure functions of (seed, time, step): the same
// seed gives the same messages, so a run can be repeated.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace weir::simulator {

// A small, fast, seedable generator (SplitMix64). The standard's distributions differ between libraries; this
// one gives the same devices everywhere.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next();
  double uniform();  // [0, 1)
  double gauss();    // mean 0, standard deviation about 1, never beyond 6
  bool chance(double probability) { return uniform() < probability; }

 private:
  uint64_t state_;
};

// What a device says in one message.
struct Message {
  std::string body;         // canonical JSON: one event or an array of events
  uint32_t events = 0;      // how many
  bool implausible = false;  // holds a value that a broken sensor would send: enrich.validate should refuse it
};

class Device {
 public:
  virtual ~Device() = default;

  const std::string& id() const { return id_; }
  // The next message, as of `unix_ns`. Not const: batteries drain, counters count.
  virtual Message next(int64_t unix_ns) = 0;

 protected:
  Device(std::string id, uint64_t seed) : id_(std::move(id)), random_(seed) {}

  std::string id_;
  Random random_;
};

// The kinds of device there are, in the order in which a fleet deals them out.
inline constexpr int kDeviceKinds = 12;

// Device number `index` of a fleet: kind index % kDeviceKinds. `fault_rate` is the share of messages in which a
// sensor says something impossible.
std::unique_ptr<Device> make_device(int index, uint64_t seed, double fault_rate);

}  // namespace weir::simulator
