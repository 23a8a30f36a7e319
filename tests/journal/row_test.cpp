// A row as it is stored: smaller when that pays, the same afterwards, and never trusted.
#include "journal/row.h"

#include <gtest/gtest.h>

#include "base/checksum.h"
#include "journal_fixture.h"

namespace weir::journal {
namespace {

std::string_view bytes_of(const event::Block& block) {
  return {reinterpret_cast<const char*>(block.data()), block.size()};
}

TEST(JournalRow, ComesBackAsItWas) {
  for (uint32_t events : {1u, 3u, 100u, 5000u}) {
    for (size_t padding : {0u, 500u, 100'000u}) {
      event::Block block = make_block(7, events, "key", padding);
      std::string scratch;
      Body body = encode(block, &scratch);
      auto back = decode(static_cast<uint32_t>(body.codec), body.checksum, body.bytes);
      ASSERT_OK(back);
      EXPECT_EQ(bytes_of(*back), bytes_of(block));
      EXPECT_LE(body.bytes.size(), block.size());
    }
  }
}

TEST(JournalRow, IsCompressedWhenThatPays) {
  std::string scratch;
  EXPECT_EQ(encode(make_block(1, 1), &scratch).codec, Codec::kPlain);
  Body large = encode(make_block(1, 100), &scratch);
  EXPECT_EQ(large.codec, Codec::kLz4);
  EXPECT_LT(large.bytes.size(), make_block(1, 100).size() / 2);
}

TEST(JournalRow, AFlippedBitAnywhereIsFound) {
  for (uint32_t events : {2u, 40u}) {  // plain, compressed
    event::Block block = make_block(3, events);
    std::string scratch;
    Body body = encode(block, &scratch);
    std::string stored(body.bytes);
    for (size_t at = 0; at < stored.size(); ++at) {
      stored[at] = static_cast<char>(stored[at] ^ (1 << (at % 8)));
      EXPECT_FALSE(decode(static_cast<uint32_t>(body.codec), body.checksum, stored).ok()) << "byte " << at;
      stored[at] = static_cast<char>(stored[at] ^ (1 << (at % 8)));
    }
    for (size_t size = 0; size < stored.size(); ++size) {
      EXPECT_FALSE(decode(static_cast<uint32_t>(body.codec), body.checksum, stored.substr(0, size)).ok());
    }
  }
}

// A checksum keeps accidents out, not malice: what it lets pass must still not break memory.
TEST(JournalRow, HostileBytesUnderARightChecksumAreRefusedOrMemorySafe) {
  for (uint32_t events : {2u, 40u}) {
    event::Block block = make_block(3, events);
    std::string scratch;
    Body body = encode(block, &scratch);
    std::string stored(body.bytes);
    for (size_t at = 0; at < stored.size(); ++at) {
      for (int change : {0x01, 0x80, 0xFF}) {
        char before = stored[at];
        stored[at] = static_cast<char>(before ^ change);
        auto back = decode(static_cast<uint32_t>(body.codec), base::crc32c(stored.data(), stored.size()), stored);
        if (back.ok()) {
          for (uint32_t i = 0; i < back->batch()->count; ++i) {
            const weir_event_v1& event = *back->event(i);
            for (weir_ref ref : {event.device_id, event.sensor_type, event.unit, event.dedupe_key}) {
              std::string copy(back->text(ref));
            }
          }
        }
        stored[at] = before;
      }
    }
  }
}

TEST(JournalRow, AnUnknownCodecIsNamed) {
  event::Block block = make_block(1, 1);
  std::string scratch;
  Body body = encode(block, &scratch);
  auto back = decode(77, body.checksum, body.bytes);
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().code, base::Code::kDamaged);
  EXPECT_NE(back.error().what.find("codec 77"), std::string::npos);
}

TEST(JournalRow, ABodyThatClaimsToBeHugeIsRefusedBeforeMemoryIsTaken) {
  std::string body("\xFF\xFF\xFF\xFF rubbish", 12);
  auto back = decode(1, base::crc32c(body.data(), body.size()), body);
  ASSERT_FALSE(back.ok());
  EXPECT_NE(back.error().what.find("16 MiB"), std::string::npos);
}

TEST(JournalRow, ASegmentsNameIsReadAndOthersAreNot) {
  EXPECT_EQ(segment_name(12), "00000012.db");
  EXPECT_EQ(segment_number("00000012.db"), 12u);
  for (const char* other : {"00000012.db-wal", "0000012.db", "0000001x.db", "state.db", "00000012.db.new", ""}) {
    EXPECT_FALSE(segment_number(other)) << other;
  }
}

}  // namespace
}  // namespace weir::journal
