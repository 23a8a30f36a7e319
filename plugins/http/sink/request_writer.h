// The request that carries some events of a batch.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "../client/reply.h"
#include "config.h"
#include "outgoing_batch.h"

namespace weir::http::sink {

// 32 hex digits that follow from the body alone (FNV-1a of 128 bits): the same events in the same form have the same
// key however often they are sent, any others another one. It covers the content, because a server may refuse a
// key that comes again with something else.
std::string body_key(std::string_view body);

// POST with the configured form, compression and headers, and
//   Idempotency-Key: "KEY"            body_key() of the body before compression, as a structured header's string
//                                     (draft-ietf-httpapi-idempotency-key-header)
//   traceparent: 00-TRACE-SPAN-01     the trace of the first event; the span is the key's, so a repeated request is
//                                     the same span. Each event's own trace is in its JSON. Left out when the event
//                                     has none
class RequestWriter {
 public:
  explicit RequestWriter(const Config& config);

  // `places` is not empty. Throws as compress() does.
  client::Request write(const OutgoingBatch& batch, std::span<const uint32_t> places) const;

 private:
  const Format format_;
  const Compression compression_;
  std::string head_;  // what all requests share
};

}  // namespace weir::http::sink
