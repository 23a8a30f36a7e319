#include "chunked.h"

#include <algorithm>
#include <cstring>

namespace weir::http {

Dechunker::Step Dechunker::decode(const char* in, size_t size, char* out) {
  Step step;
  while (step.consumed < size) {
    if (state_ == State::kData) {
      const auto n = static_cast<size_t>(std::min<uint64_t>(chunk_, size - step.consumed));
      std::memmove(out + step.produced, in + step.consumed, n);
      step.consumed += n;
      step.produced += n;
      chunk_ -= n;
      if (chunk_ == 0) state_ = State::kDataReturn;
      continue;
    }
    step.status = framing(in[step.consumed++]);
    if (step.status != Status::kMore) break;
  }
  return step;
}

Dechunker::Status Dechunker::framing(char c) {
  switch (state_) {
    case State::kSizeStart:
      chunk_ = 0;
      digits_ = 0;
      state_ = State::kSize;
      return size_digit(c) ? Status::kMore : Status::kMalformed;
    case State::kSize:
      if (c == ';') {
        state_ = State::kExtension;
        return Status::kMore;
      }
      if (c == '\r') {
        state_ = State::kSizeFeed;
        return Status::kMore;
      }
      return size_digit(c) ? Status::kMore : Status::kMalformed;
    case State::kExtension:
      return extra(c, State::kSizeFeed);
    case State::kSizeFeed:
      if (chunk_ > max_body_ - body_) return c == '\n' ? Status::kTooLarge : Status::kMalformed;
      body_ += chunk_;
      return expect(c, '\n', chunk_ == 0 ? State::kTrailerStart : State::kData);
    case State::kDataReturn:
      return expect(c, '\r', State::kDataFeed);
    case State::kDataFeed:
      return expect(c, '\n', State::kSizeStart);
    case State::kTrailerStart:
      if (c == '\r') {
        state_ = State::kEndFeed;
        return Status::kMore;
      }
      state_ = State::kTrailer;
      return extra(c, State::kTrailerFeed);
    case State::kTrailer:
      return extra(c, State::kTrailerFeed);
    case State::kTrailerFeed:
      return expect(c, '\n', State::kTrailerStart);
    case State::kEndFeed:
      state_ = State::kDone;
      return c == '\n' ? Status::kDone : Status::kMalformed;
    case State::kData:
    case State::kDone:
      break;
  }
  return Status::kMalformed;  // decode() after the end
}

bool Dechunker::size_digit(char c) {
  constexpr size_t kMaxDigits = 15;  // far beyond every limit, and cannot overflow
  if (++digits_ > kMaxDigits) return false;
  const int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
  chunk_ = chunk_ * 16 + static_cast<uint64_t>(digit);
  return digit >= 0;
}

Dechunker::Status Dechunker::expect(char c, char wanted, State next) {
  state_ = next;
  return c == wanted ? Status::kMore : Status::kMalformed;
}

Dechunker::Status Dechunker::extra(char c, State at_return) {
  if (c == '\r') {
    state_ = at_return;
    return Status::kMore;
  }
  const auto byte = static_cast<uint8_t>(c);
  if ((byte < 0x20 && c != '\t') || byte == 0x7F || ++extras_ > kMaxChunkExtras) return Status::kMalformed;
  return Status::kMore;
}

}  // namespace weir::http
