#include "request_writer.h"

#include <strings.h>

namespace weir::http::sink {
namespace {

constexpr char kUserAgent[] = "weir-http-sink/1";
constexpr size_t kSpanDigits = 16;

// Not in ISO C++, and in both compilers.
__extension__ typedef unsigned __int128 Wide;

constexpr Wide wide(uint64_t high, uint64_t low) { return Wide{high} << 64 | low; }
// The FNV draft (draft-eastlake-fnv), section 5: prime and offset basis of 128 bits.
constexpr Wide kPrime = wide(0x0000000001000000, 0x000000000000013B);
constexpr Wide kBasis = wide(0x6C62272E07BB0142, 0x62B821756295C58D);

bool all_zero(std::string_view digits) { return digits.find_first_not_of('0') == std::string_view::npos; }

}  // namespace

std::string body_key(std::string_view body) {
  Wide hash = kBasis;
  for (const char c : body) hash = (hash ^ static_cast<uint8_t>(c)) * kPrime;
  std::string out;
  for (int shift = 124; shift >= 0; shift -= 4) out += "0123456789abcdef"[static_cast<size_t>(hash >> shift) & 15];
  return out;
}

RequestWriter::RequestWriter(const Config& config) : format_(config.format), compression_(config.compression) {
  head_ = "POST " + config.url.target + " HTTP/1.1\r\nHost: " + config.url.authority + "\r\n";
  const auto put = [&](std::string_view name, std::string_view value) {
    head_.append(name).append(": ").append(value).append("\r\n");
  };
  put("Content-Type", format_ == Format::kJson ? "application/json" : "application/x-ndjson");
  if (compression_ != Compression::kNone) put("Content-Encoding", content_encoding(compression_));
  bool names_agent = false, names_accept = false;
  for (const auto& [name, value] : config.headers) {
    names_agent |= name.size() == 10 && strncasecmp(name.c_str(), "User-Agent", 10) == 0;
    names_accept |= name.size() == 6 && strncasecmp(name.c_str(), "Accept", 6) == 0;
    put(name, value);
  }
  if (!names_agent) put("User-Agent", kUserAgent);
  if (!names_accept) put("Accept", "application/json");
}

client::Request RequestWriter::write(const OutgoingBatch& batch, std::span<const uint32_t> places) const {
  client::Request request;
  request.body = batch.body(format_, places);
  const std::string key = body_key(request.body);
  request.body = compress(compression_, std::move(request.body));
  request.head = head_;
  request.head += "Idempotency-Key: \"" + key + "\"\r\n";
  const std::string trace = batch.trace_id(places.front()), span = key.substr(kSpanDigits);
  if (!all_zero(trace) && !all_zero(span)) request.head += "traceparent: 00-" + trace + "-" + span + "-01\r\n";
  request.head += "Content-Length: " + std::to_string(request.body.size()) + "\r\n\r\n";
  return request;
}

}  // namespace weir::http::sink
