// The events that checks give to plugins: everything a gateway may hand over, and all of it valid.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weir/batch.h"

namespace weir::check {

// One event before it is laid out.
struct Sample {
  std::string device_id = "device-1";
  std::string sensor_type = "temperature";
  std::string unit;
  uint32_t value_type = WEIR_F64;
  weir_value value{};  // of an inline type
  std::string text;    // of a type with WEIR_VALUE_REF
  std::vector<std::pair<std::string, std::string>> metadata;
  int64_t timestamp_ns = 1'700'000'000'000'000'000;
  int64_t received_ns = 1'700'000'000'500'000'000;
  uint64_t sequence = 1;
  uint32_t flags = 0;
};

// As many come with one message, and so at one time.
inline constexpr uint32_t kSamplesEach = 20;

// What devices send all day: ten devices, numbers with units, some metadata. The same for the same arguments.
std::vector<Sample> ordinary(uint32_t count, uint64_t first_sequence = 1);

// Every value type with its extremes.
std::vector<Sample> all_values();

// Types that a later version may bring: inline ones and references.
std::vector<Sample> unknown_values();

// Valid UTF-8 that breaks careless code: the longest, quotes, controls, right-to-left, non-characters, SQL, paths.
std::vector<Sample> hostile_texts();

// How a batch lies in memory.
enum class Memory {
  kPlain,
  kGuarded  // its last byte is before a page that cannot be touched, and vanish() takes the rest away
};

// A laid-out batch. `stride` is the bytes from record to record; what is beyond weir_event_v1 is filled with a pattern.
class Batch {
 public:
  explicit Batch(std::span<const Sample> samples, uint32_t stride = sizeof(weir_event_v1),
                 Memory memory = Memory::kPlain);
  ~Batch();
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  Batch(Batch&& other) noexcept;

  const weir_batch* get() const { return batch_; }
  uint32_t count() const { return batch_->count; }
  // Changes when a byte of it does.
  uint64_t checksum() const;
  // From now on touching it ends the process with SIGSEGV. Guarded memory only.
  void vanish();

 private:
  weir_batch* batch_ = nullptr;
  void* mapping_ = nullptr;  // of kGuarded
  size_t mapped_ = 0;        // bytes, the guard page included
  size_t bytes_ = 0;         // of the block
  std::vector<uint64_t> words_;  // of kPlain
};

}  // namespace weir::check
