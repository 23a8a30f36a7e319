// Batches for tests: written as a list of readable events, and kept as copies.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "weir/batch.hpp"

namespace weir::test {

// A batch of its own memory, 8-aligned.
class Block {
 public:
  Block() = default;
  explicit Block(const weir_batch* batch);

  const weir_batch* get() const { return reinterpret_cast<const weir_batch*>(words_.data()); }
  operator const weir_batch*() const { return get(); }
  uint32_t count() const { return words_.empty() ? 0 : get()->count; }
  sdk::EventView operator[](uint32_t i) const { return {get(), i}; }
  std::string_view bytes() const { return {reinterpret_cast<const char*>(words_.data()), words_.size() * 8}; }
  bool operator==(const Block&) const = default;

 private:
  std::vector<uint64_t> words_;
};

struct Bytes {
  std::string data;
  bool operator==(const Bytes&) const = default;
};

// An inline value of a type number this version does not know.
struct UnknownValue {
  uint32_t type = 99;
  uint64_t bits = 0;
  bool operator==(const UnknownValue&) const = default;
};

using TestValue = std::variant<double, int64_t, bool, std::string, Bytes, UnknownValue>;

// One event as a test writes it; what is not said is plausible.
struct TestEvent {
  std::string device_id = "device-1";
  std::string sensor_type = "temperature";
  TestValue value = 21.5;
  std::string unit = {};
  std::map<std::string, std::string> metadata = {};
  int64_t timestamp_ns = 1'700'000'000'000'000'000;  // 2023-11-14T22:13:20Z
  int64_t received_ns = 1'700'000'000'500'000'000;
  uint64_t sequence = 0;
  uint32_t part = 0;
  uint32_t flags = 0;
  uint8_t id_byte = 0;  // every byte of id; trace_id is its complement
  bool operator==(const TestEvent&) const = default;
};

// A batch of these events. Sequences that are 0 are numbered from first_sequence.
Block make_batch(const std::vector<TestEvent>& events, uint64_t epoch = 1, uint64_t first_sequence = 1);

// The events of a batch, to be compared.
std::vector<TestEvent> events_of(const weir_batch* batch);

}  // namespace weir::test
