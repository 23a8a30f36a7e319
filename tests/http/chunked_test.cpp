// Chunked bodies, in whatever pieces they come.
#include "http/chunked.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::http {
namespace {

using Status = Dechunker::Status;
constexpr uint64_t kMaxBody = 100;

struct Decoded {
  Status status = Status::kMore;
  std::string body;
  size_t consumed = 0;
};

// Decodes in place as a connection does: `cut` bytes first, then the rest.
Decoded decode(const std::string& raw, size_t cut) {
  Dechunker dechunker(kMaxBody);
  std::string buffer = raw;
  Decoded out;
  size_t end = cut;
  while (out.status == Status::kMore && out.consumed < raw.size()) {
    std::string piece = buffer.substr(out.consumed, end - out.consumed);
    const Dechunker::Step step = dechunker.decode(piece.data(), piece.size(), piece.data());
    out.body.append(piece, 0, step.produced);
    out.consumed += step.consumed;
    out.status = step.status;
    end = raw.size();
  }
  return out;
}

TEST(Dechunker, GivesTheBodyWhereverItIsCut) {
  const std::string raw = "4;name=\"value\"\r\nWeir\r\nB\r\n is a gate.\r\n000\r\nTrailer: x\r\n\r\n";
  const std::string next = "POST ";
  for (size_t cut = 0; cut <= raw.size(); ++cut) {
    const Decoded decoded = decode(raw + next, cut);
    EXPECT_EQ(decoded.status, Status::kDone) << "cut at " << cut;
    EXPECT_EQ(decoded.body, "Weir is a gate.") << "cut at " << cut;
    EXPECT_EQ(decoded.consumed, raw.size()) << "the next request's bytes are left alone, cut at " << cut;
  }
}

TEST(Dechunker, DecodesAnEmptyBody) {
  EXPECT_EQ(decode("0\r\n\r\n", 3).status, Status::kDone);
  EXPECT_EQ(decode("0\r\n\r\n", 3).body, "");
}

TEST(Dechunker, WaitsForTheLastByte) { EXPECT_EQ(decode("1\r\na\r\n0\r\n\r", 0).status, Status::kMore); }

TEST(Dechunker, RefusesWhatIsNotAChunk) {
  for (const char* raw :
       {"\r\n", "x\r\n", " 1\r\n", "1 \r\n", "-1\r\n", "0x1\r\n", ";a\r\n", "1\n", "1\r\r\n", "1\r\nab\r\n",
        "1\r\na\n", "1\r\na\rb", "0\r\n\rx", "1;\x01\r\n", "0\r\nTrailer\n", "1111111111111111\r\n"}) {
    for (size_t cut = 0; cut <= std::string(raw).size(); ++cut) {
      EXPECT_EQ(decode(raw, cut).status, Status::kMalformed) << raw << " cut at " << cut;
    }
  }
}

TEST(Dechunker, HoldsTheLimitOfTheBodyToTheByte) {
  const std::string most = "60\r\n" + std::string(96, 'x') + "\r\n4\r\nxxxx\r\n0\r\n\r\n";
  EXPECT_EQ(decode(most, 7).status, Status::kDone);
  const std::string over = "60\r\n" + std::string(96, 'x') + "\r\n5\r\nxxxxx\r\n0\r\n\r\n";
  EXPECT_EQ(decode(over, 7).status, Status::kTooLarge);
  EXPECT_EQ(decode("fffffffffffffff\r\n", 0).status, Status::kTooLarge);
}

TEST(Dechunker, LimitsExtensionsAndTrailers) {
  EXPECT_EQ(decode("1;" + std::string(kMaxChunkExtras, 'x') + "\r\na\r\n0\r\n\r\n", 0).status, Status::kDone);
  EXPECT_EQ(decode("1;" + std::string(kMaxChunkExtras + 1, 'x') + "\r\na\r\n0\r\n\r\n", 0).status,
            Status::kMalformed);
  std::string trailers = "0\r\n";
  for (int i = 0; i < 1000; ++i) trailers += "abc: def\r\n";
  EXPECT_EQ(decode(trailers + "\r\n", 0).status, Status::kMalformed);
}

}  // namespace
}  // namespace weir::http
