// One submitted batch on its way out: the JSON of its events, and what became of each.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config.h"
#include "weir/sink.h"

namespace weir::http::sink {

// Made in submit(), so that the host's batch is not read afterwards. Then one thread at a time.
class OutgoingBatch {
 public:
  // Events that have no form in JSON are rejected at once.
  OutgoingBatch(const weir_batch* batch, const mapping::EventJsonWriter& writer);

  // The places in the batch of the events that are still to be sent, in order.
  std::vector<uint32_t> unsettled() const;
  std::string_view event(uint32_t place) const {
    return std::string_view(text_).substr(begins_[place], begins_[place + 1] - begins_[place]);
  }
  // 32 hex digits.
  std::string trace_id(uint32_t place) const;
  // The body of a request with these events.
  std::string body(Format format, std::span<const uint32_t> places) const;

  // `result` holds for these events; `reason` in its place.
  void settle(std::span<const uint32_t> places, weir_sink_result result, std::string reason);
  // One result an event, or one for all; views of this object.
  std::span<const weir_sink_result> results();

 private:
  std::string text_;                     // of all events
  std::vector<size_t> begins_;           // of each event, and the end
  std::vector<std::array<uint8_t, 16>> trace_ids_;
  std::vector<weir_sink_result> results_;  // outcome 0: not settled
  std::deque<std::string> reasons_;        // a deque: results_ points into it
};

}  // namespace weir::http::sink
