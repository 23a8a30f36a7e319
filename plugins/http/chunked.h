// Takes the chunks out of a chunked body (RFC 9112 section 7.1). No I/O; the body may come in any pieces.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weir::http {

// One body. Chunk extensions and trailer fields are read and thrown away, within kMaxChunkExtras.
class Dechunker {
 public:
  enum class Status : uint8_t { kMore, kDone, kMalformed, kTooLarge };

  struct Step {
    Status status = Status::kMore;
    size_t consumed = 0;  // bytes of the input that belong to the body; after kMore that is all of them
    size_t produced = 0;  // bytes written to the output
  };

  explicit Dechunker(uint64_t max_body_bytes) : max_body_(max_body_bytes) {}

  // Decodes `size` bytes at `in` to `out`, which may be `in` itself or lie before it: a body is decoded in
  // place.
  Step decode(const char* in, size_t size, char* out);

 private:
  enum class State : uint8_t {
    kSizeStart,
    kSize,
    kExtension,
    kSizeFeed,
    kData,
    kDataReturn,
    kDataFeed,
    kTrailerStart,
    kTrailer,
    kTrailerFeed,
    kEndFeed,
    kDone
  };

  bool size_digit(char c);
  Status framing(char c);
  Status expect(char c, char wanted, State next);
  Status extra(char c, State at_return);

  uint64_t max_body_;
  uint64_t body_ = 0;   // bytes decoded
  uint64_t chunk_ = 0;  // the size being read, then what is left of the chunk
  size_t digits_ = 0;
  size_t extras_ = 0;
  State state_ = State::kSizeStart;
};

// Bytes of chunk extensions and trailer fields in one body: nobody needs them, so a sender of many is
// refused.
inline constexpr size_t kMaxChunkExtras = 4096;

}  // namespace weir::http
