// The gate, the dechunker and Pistache's parser against any bytes. The gate's size must not depend on how the
// bytes are cut, a chunked body must come out the same however it is cut, and what the gate passes must not
// throw or hang.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "http/chunked.h"
#include "http/gate.h"
#include "http/request.h"

namespace {

using namespace weir::http;

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

struct Body {
  Dechunker::Status status;
  std::string bytes;
  bool operator==(const Body&) const = default;
};

Body dechunk(std::string_view raw, size_t piece) {
  constexpr uint64_t kMaxBody = 1000;
  Dechunker dechunker(kMaxBody);
  Body body{Dechunker::Status::kMore, ""};
  while (!raw.empty() && body.status == Dechunker::Status::kMore) {
    std::string in(raw.substr(0, piece));
    const Dechunker::Step step = dechunker.decode(in.data(), in.size(), in.data());
    require(step.produced <= step.consumed && step.consumed <= in.size(), "decoding stays in its bytes");
    body.bytes.append(in, 0, step.produced);
    body.status = step.status;
    raw.remove_prefix(step.consumed);
  }
  require(body.bytes.size() <= kMaxBody, "a body stays within its limit");
  return body;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  HeadScanner whole, piecemeal;
  const HeadScanner::State state = whole.scan(bytes);
  HeadScanner::State last = HeadScanner::State::kMore;
  for (size_t n = 1; n <= size && last == HeadScanner::State::kMore; ++n)
    last = piecemeal.scan(bytes.substr(0, n));
  require(size == 0 || state == last, "a head ends where it ends");
  if (state == HeadScanner::State::kEnd) {
    require(whole.size() == piecemeal.size(), "a head has one size");
    static Head head;
    static HeadReader reader(65536);
    if (!check_head(bytes.substr(0, whole.size()), 1000, &head)) reader.read(head.filtered);
  }
  const Body once = dechunk(bytes, std::max<size_t>(size, 1));
  const Body bytewise = dechunk(bytes, 1);
  require(once.status == bytewise.status && once.bytes == bytewise.bytes,
          "a body does not depend on its pieces");
  return 0;
}
