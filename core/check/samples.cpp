#include "check/samples.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cfloat>
#include <cstring>
#include <limits>

#include "base/result.h"
#include "weir/batch.hpp"

namespace weir::check {
namespace {

constexpr uint64_t kEpoch = 0x77656972'00000001;

Sample number(double value) {
  Sample sample;
  sample.value.f64 = value;
  return sample;
}

Sample inline_value(uint32_t type, uint64_t bits) {
  Sample sample;
  sample.value_type = type;
  sample.value.boolean = bits;
  return sample;
}

Sample text_value(uint32_t type, std::string text) {
  Sample sample;
  sample.value_type = type;
  sample.text = std::move(text);
  return sample;
}

// Numbers them, so that no two have the same idempotency key.
std::vector<Sample> numbered(std::vector<Sample> samples) {
  for (size_t i = 0; i < samples.size(); ++i) {
    samples[i].sequence = i + 1;
    samples[i].received_ns += static_cast<int64_t>(i / kSamplesEach);
  }
  return samples;
}

void fill_id(weir_event_v1& event, uint64_t sequence) {
  std::memcpy(event.id, &kEpoch, 8);
  std::memcpy(event.id + 8, &sequence, 8);
  event.id[6] = static_cast<uint8_t>((event.id[6] & 0x0F) | 0x70);  // UUID version 7
  event.id[8] = static_cast<uint8_t>((event.id[8] & 0x3F) | 0x80);  // RFC 9562 variant
  std::memcpy(event.trace_id, event.id, sizeof event.id);
}

void add(sdk::BatchBuilder& builder, const Sample& sample) {
  weir_event_v1& event = builder.add();
  fill_id(event, sample.sequence);
  event.sequence = sample.sequence;
  event.flags = sample.flags;
  event.timestamp_ns = sample.timestamp_ns;
  event.received_ns = sample.received_ns;
  event.device_id = builder.text(sample.device_id);
  event.sensor_type = builder.text(sample.sensor_type);
  event.unit = builder.text(sample.unit);
  event.value_type = sample.value_type;
  if ((sample.value_type & WEIR_VALUE_REF) != 0) {
    event.value.ref = builder.bytes(sample.text.data(), sample.text.size());
  } else {
    event.value = sample.value;
  }
  std::vector<std::pair<std::string_view, std::string_view>> pairs(sample.metadata.begin(), sample.metadata.end());
  builder.metadata(builder.count() - 1, pairs);
}

// The block with its records `stride` bytes apart. They are the last thing in it.
std::string with_stride(const weir_batch* from, uint32_t stride) {
  std::string block(reinterpret_cast<const char*>(from), from->header_size);
  for (uint32_t i = 0; i < from->count; ++i) {
    block.append(reinterpret_cast<const char*>(weir_event_at(from, i)), from->event_size);
    block.append(stride - from->event_size, '\xE7');
  }
  weir_batch head;
  std::memcpy(&head, block.data(), sizeof head);
  head.event_size = stride;
  head.total_size = block.size();
  head.epoch = kEpoch;
  std::memcpy(block.data(), &head, sizeof head);
  return block;
}

}  // namespace

std::vector<Sample> ordinary(uint32_t count, uint64_t first_sequence) {
  static constexpr const char* kTypes[] = {"temperature", "humidity", "pressure", "counter"};
  static constexpr const char* kUnits[] = {"Cel", "%", "kPa", ""};
  std::vector<Sample> samples(count);
  for (uint32_t i = 0; i < count; ++i) {
    const uint64_t n = first_sequence + i;
    Sample& sample = samples[i];
    sample.device_id = "device-" + std::to_string(n % 10);
    sample.sensor_type = kTypes[n / 10 % 4];
    sample.unit = kUnits[n / 10 % 4];
    if (n / 10 % 4 == 3) {
      sample.value_type = WEIR_I64;
      sample.value.i64 = static_cast<int64_t>(n);
    } else {
      sample.value.f64 = 20.0 + static_cast<double>(n * 7919 % 1000) / 50.0;
    }
    if (n % 3 == 0) sample.metadata = {{"room", "room " + std::to_string(n % 7)}, {"site", "north"}};
    sample.sequence = n;
    sample.timestamp_ns += static_cast<int64_t>(n) * 100'000'000;  // ten a second
    const uint64_t last_of_its_message = n / kSamplesEach * kSamplesEach + kSamplesEach;
    sample.received_ns += static_cast<int64_t>(last_of_its_message) * 100'000'000;
  }
  return samples;
}

std::vector<Sample> all_values() {
  std::vector<Sample> samples;
  for (double value : {0.0, -0.0, 1.5, -273.15, DBL_MAX, -DBL_MAX, DBL_MIN, DBL_TRUE_MIN, 1e15, 0.1}) {
    samples.push_back(number(value));
    samples.push_back(number(value));
    samples.back().unit = "Cel";
  }
  using Integer = std::numeric_limits<int64_t>;
  for (int64_t value : {int64_t{0}, int64_t{-1}, int64_t{1} << 53, Integer::min(), Integer::max()}) {
    samples.push_back(inline_value(WEIR_I64, static_cast<uint64_t>(value)));
  }
  samples.push_back(inline_value(WEIR_BOOL, 0));
  samples.push_back(inline_value(WEIR_BOOL, 1));
  samples.push_back(text_value(WEIR_STRING, ""));
  samples.push_back(text_value(WEIR_STRING, "on"));
  samples.push_back(text_value(WEIR_STRING, std::string(100'000, 's')));
  samples.push_back(text_value(WEIR_BYTES, ""));
  samples.push_back(text_value(WEIR_BYTES, std::string("\0\x01\xFF\xFE\0", 5)));
  samples.push_back(text_value(WEIR_BYTES, std::string(100'000, '\xFF')));
  return numbered(std::move(samples));
}

std::vector<Sample> unknown_values() {
  return numbered({inline_value(99, 0xFFFF'FFFF'FFFF'FFFF), inline_value(4, 1), text_value(WEIR_VALUE_REF | 0x7Fu, ""),
                   text_value(WEIR_VALUE_REF | 0x7Fu, std::string("\xC3\x28\0later", 8)),
                   inline_value(0xFFFF'FE00u, 7)});
}

std::vector<Sample> hostile_texts() {
  const std::string longest(WEIR_TEXT_MAX_BYTES, 'L');
  const std::vector<std::string> texts = {
      longest,
      "'; DROP TABLE events; --",
      "\"quoted\" \\backslash\\ %s%n%d ${HOME} `id`",
      "../../../../etc/passwd",
      "line\none\r\ntwo\ttab \x01\x1B[31mred\x7F",
      "\xE2\x80\xAE" "right to left",
      "e\xCC\x81\xCC\x81\xCC\x81\xCC\x81 combining",
      "\xF0\x9F\x92\xA9 \xF4\x8F\xBF\xBF \xEF\xBF\xBE \xEF\xBB\xBF",
      "<script>alert(1)</script>&amp;]]>",
      "topic/+/#/wild",
      " ",
      "null",
  };
  std::vector<Sample> samples;
  for (const std::string& text : texts) {
    Sample sample;
    sample.device_id = sample.sensor_type = sample.unit = text;
    sample.metadata = {{text, text}};
    samples.push_back(sample);
    samples.push_back(text_value(WEIR_STRING, text));
    samples.back().device_id = text;
  }
  Sample crowded;
  for (int i = 1000; i < 1200; ++i) crowded.metadata.push_back({"key-" + std::to_string(i), std::to_string(i)});
  samples.push_back(std::move(crowded));
  return numbered(std::move(samples));
}

Batch::Batch(std::span<const Sample> samples, uint32_t stride, Memory memory) {
  sdk::BatchBuilder builder;
  for (const Sample& sample : samples) add(builder, sample);
  const std::string block = with_stride(builder.finish(), stride);
  bytes_ = block.size();
  if (memory == Memory::kPlain) {
    words_.resize((block.size() + 7) / 8);
    batch_ = reinterpret_cast<weir_batch*>(words_.data());
  } else {
    const size_t page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    const size_t usable = (block.size() + page - 1) / page * page;
    mapped_ = usable + page;
    mapping_ = ::mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    WEIR_CHECK(mapping_ != MAP_FAILED);
    ::mprotect(static_cast<char*>(mapping_) + usable, page, PROT_NONE);
    // Blocks are a multiple of 8 long, so one that ends at the page begins aligned.
    batch_ = reinterpret_cast<weir_batch*>(static_cast<char*>(mapping_) + usable - block.size());
  }
  std::memcpy(batch_, block.data(), block.size());
}

Batch::~Batch() {
  if (mapping_ != nullptr) ::munmap(mapping_, mapped_);
}

Batch::Batch(Batch&& other) noexcept
    : batch_(std::exchange(other.batch_, nullptr)),
      mapping_(std::exchange(other.mapping_, nullptr)),
      mapped_(other.mapped_),
      bytes_(other.bytes_),
      words_(std::move(other.words_)) {}

uint64_t Batch::checksum() const {
  uint64_t sum = 14695981039346656037u;  // FNV-1a
  // A block is a multiple of 8 long. Its head may be what was changed, so the length is ours.
  const auto* words = reinterpret_cast<const uint64_t*>(batch_);
  for (size_t i = 0; i < bytes_ / 8; ++i) sum = (sum ^ words[i]) * 1099511628211u;
  return sum;
}

void Batch::vanish() { ::mprotect(mapping_, mapped_, PROT_NONE); }

}  // namespace weir::check
