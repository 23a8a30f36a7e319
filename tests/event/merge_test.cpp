#include "event/merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "event/validate.h"
#include "support/events.h"

namespace weir::event {
namespace {

using test::TestEvent;

Block block_of(const std::vector<TestEvent>& events) { return Block::copy(test::make_batch(events, 9)); }

std::vector<TestEvent> some_events() {
  return {{.device_id = "a", .value = 1.5, .unit = "Cel", .metadata = {{"k", "v"}, {"site", "x"}}},
          {.device_id = "b", .value = std::string("open"), .metadata = {{"site", "x"}}},
          {.device_id = "a", .value = test::Bytes{std::string("\0\1\2", 3)}},
          {.device_id = "c", .value = test::UnknownValue{99, 0x1122334455667788}, .flags = WEIR_RETAINED}};
}

Block widen(const Block& from, uint32_t stride, char fill) {
  Block block(from.size() + from.batch()->count * size_t{stride});
  std::memset(block.data(), 0, block.size());
  std::memcpy(block.data(), from.data(), from.size());
  block.batch()->header_size = static_cast<uint32_t>(from.size());
  block.batch()->event_size = stride;
  block.batch()->total_size = block.size();
  for (uint32_t i = 0; i < from.batch()->count; ++i) {
    std::memcpy(block.event(i), from.event(i), sizeof(weir_event_v1));
    std::memset(block.event(i) + 1, fill, stride - sizeof(weir_event_v1));
  }
  return block;
}

void expect_sound(const Block& block) {
  auto fault = validate(block.data(), block.size(), Check::kFromSource);
  EXPECT_FALSE(fault) << fault->field << " " << fault->message;
}

TEST(Merger, KeepsEventsWholeAndInOrder) {
  Block first = block_of(some_events()), second = block_of({{.device_id = "d"}});
  Merger merger;
  merger.add(second.batch(), 0);
  for (uint32_t i = 0; i < 4; ++i) merger.add(first.batch(), i);
  EXPECT_EQ(merger.count(), 5u);
  Block merged = merger.take();
  expect_sound(merged);
  EXPECT_EQ(merged.batch()->epoch, 9u);
  auto expected = test::events_of(second.batch());
  for (const TestEvent& event : test::events_of(first.batch())) expected.push_back(event);
  EXPECT_EQ(test::events_of(merged.batch()), expected);
}

TEST(Merger, KeepsTheDedupeKeyAndTheTrace) {
  sdk::BatchBuilder builder;
  weir_event_v1& event = builder.add();
  event.device_id = event.sensor_type = builder.text("d");
  event.dedupe_key = builder.text("key-1");
  event.value_type = WEIR_I64;
  event.parent_span[3] = 7;
  const weir_batch* batch = builder.finish();
  Merger merger;
  merger.add(batch, 0);
  Block merged = merger.take();
  EXPECT_EQ(merged.text(merged.event(0)->dedupe_key), "key-1");
  EXPECT_EQ(merged.event(0)->parent_span[3], 7);
}

TEST(Merger, SharesEqualTextOfNeighbours) {
  std::vector<TestEvent> events(100, TestEvent{.device_id = std::string(100, 'd')});
  Block block = block_of(events);
  Merger merger;
  for (uint32_t i = 0; i < 100; ++i) merger.add(block.batch(), i);
  EXPECT_LT(merger.take().size(), 100 * sizeof(weir_event_v1) + 400);
}

// The allocator gives the next block the address of the one before: text must not be taken for the old one's.
TEST(Merger, DoesNotMixUpBlocksThatLieAtTheSameAddress) {
  Block block = block_of({{.device_id = "first"}});
  Block other = block_of({{.device_id = "other"}});
  ASSERT_EQ(block.size(), other.size());
  Merger merger;
  merger.add(block.batch(), 0);
  std::memcpy(block.data(), other.data(), other.size());
  merger.add(block.batch(), 0);
  Block merged = merger.take();
  EXPECT_EQ(merged.text(merged.event(0)->device_id), "first");
  EXPECT_EQ(merged.text(merged.event(1)->device_id), "other");
}

TEST(Merger, FillsShorterRecordsWithZerosWhenALongerOneComes) {
  Block narrow = block_of({{.device_id = "narrow"}});
  Block wide = widen(block_of({{.device_id = "wide"}}), 144, 'w');
  Merger merger;
  merger.add(narrow.batch(), 0);
  merger.add(wide.batch(), 0);
  merger.add(narrow.batch(), 0);
  Block merged = merger.take();
  expect_sound(merged);
  ASSERT_EQ(merged.batch()->event_size, 144u);
  auto extra = [&](uint32_t i) {
    return std::string(reinterpret_cast<const char*>(merged.event(i)) + 128, 16);
  };
  EXPECT_EQ(extra(0), std::string(16, '\0'));
  EXPECT_EQ(extra(1), std::string(16, 'w'));
  EXPECT_EQ(extra(2), std::string(16, '\0'));
  EXPECT_EQ(merged.text(merged.event(1)->device_id), "wide");
}

TEST(Merger, IsEmptyAfterTakeAndCanBeUsedAgain) {
  Block block = block_of(some_events());
  Merger merger;
  merger.add(block.batch(), 0);
  merger.take();
  EXPECT_EQ(merger.count(), 0u);
  Block empty = merger.take();
  EXPECT_FALSE(validate(empty.data(), empty.size(), Check::kFromSource));
  EXPECT_EQ(empty.batch()->count, 0u);
  merger.add(block.batch(), 1);
  Block again = merger.take();
  expect_sound(again);
  EXPECT_EQ(test::events_of(again.batch())[0].device_id, "b");
}

TEST(Merger, SaysHowLargeTheBlockWillBe) {
  Block block = block_of(some_events());
  Merger merger;
  for (uint32_t i = 0; i < 4; ++i) merger.add(block.batch(), i);
  const size_t announced = merger.bytes();
  const size_t size = merger.take().size();
  EXPECT_LE(size, announced);
  EXPECT_GE(size + 16, announced);
}

TEST(Block, KeepsItsBytesWhenItGrows) {
  Block block = block_of(some_events());
  const size_t before = block.size();
  block.grow(before + 100);
  EXPECT_EQ(block.size(), before + 100);
  EXPECT_EQ(block.data()[before + 99], 0);
  EXPECT_EQ(test::events_of(block.batch()).size(), 4u);
  block.grow(8);
  EXPECT_EQ(block.size(), before + 100) << "it never shrinks";
}

}  // namespace
}  // namespace weir::event
