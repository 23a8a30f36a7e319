#include "outgoing_batch.h"

#include <algorithm>
#include <cstring>

#include "weir/batch.hpp"

namespace weir::http::sink {
namespace {

// A code of the sink's own: every HTTP status is at least 100.
constexpr uint32_t kNoFormInJson = 1;
// JSON of an ordinary event with all of its fields.
constexpr size_t kUsualEventBytes = 400;

}  // namespace

OutgoingBatch::OutgoingBatch(const weir_batch* batch, const mapping::EventJsonWriter& writer)
    : results_(batch->count, weir_sink_result{}) {
  text_.reserve(batch->count * kUsualEventBytes);
  begins_.reserve(batch->count + 1);
  trace_ids_.resize(batch->count);
  for (uint32_t i = 0; i < batch->count; ++i) {
    begins_.push_back(text_.size());
    std::memcpy(trace_ids_[i].data(), weir_event_at(batch, i)->trace_id, trace_ids_[i].size());
    if (const char* why = writer.append(batch, i, text_)) {
      settle(std::span(&i, 1), {WEIR_REJECT, 0, kNoFormInJson, 0, {}}, why);
    }
  }
  begins_.push_back(text_.size());
}

std::vector<uint32_t> OutgoingBatch::unsettled() const {
  std::vector<uint32_t> places;
  for (uint32_t i = 0; i < results_.size(); ++i) {
    if (results_[i].outcome == 0) places.push_back(i);
  }
  return places;
}

std::string OutgoingBatch::trace_id(uint32_t place) const {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const uint8_t byte : trace_ids_[place]) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::string OutgoingBatch::body(Format format, std::span<const uint32_t> places) const {
  const bool lines = format == Format::kNdjson;
  size_t size = 2;
  for (const uint32_t place : places) size += event(place).size() + 1;
  std::string out;
  out.reserve(size);
  if (!lines) out += '[';
  for (const uint32_t place : places) {
    out += event(place);
    out += lines ? '\n' : ',';
  }
  if (!lines) out.back() = ']';
  return out;
}

void OutgoingBatch::settle(std::span<const uint32_t> places, weir_sink_result result, std::string reason) {
  if (!reason.empty()) {
    reasons_.push_back(std::move(reason));
    result.reason = sdk::text(reasons_.back());
  }
  for (const uint32_t place : places) results_[place] = result;
}

std::span<const weir_sink_result> OutgoingBatch::results() {
  const bool delivered = std::all_of(results_.begin(), results_.end(), [](const weir_sink_result& result) {
    return result.outcome == WEIR_DELIVERED;
  });
  return std::span(results_).first(delivered ? std::min<size_t>(results_.size(), 1) : results_.size());
}

}  // namespace weir::http::sink
