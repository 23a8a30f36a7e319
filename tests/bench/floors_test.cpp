// The floors do what they say, on the same bytes as the gateway; how fast is for bench/run to say.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "floors/blocks.h"
#include "floors/floors.h"
#include "load/bodies.h"
#include "support/temp_dir.h"
#include "weir/batch.h"

namespace weir::bench {
namespace {

constexpr Seconds kShort{0.1};

TEST(Blocks, HoldTheBodysEvents) {
  auto blocks = make_blocks(make_bodies(2, 100));
  ASSERT_EQ(blocks.size(), 2u);
  std::vector<uint64_t> words(blocks[0].size() / 8);
  std::memcpy(words.data(), blocks[0].data(), blocks[0].size());
  const auto* batch = reinterpret_cast<const weir_batch*>(words.data());
  EXPECT_EQ(batch->count, 100u);
  EXPECT_EQ(batch->total_size, blocks[0].size());
  weir_text type = weir_text_at(batch, weir_event_at(batch, 0)->sensor_type);
  EXPECT_EQ(std::string(type.data, type.size), "temperature");
}

TEST(Floors, CommitInSqliteAndLeaveNothingBehind) {
  test::TempDir folder;
  auto blocks = make_blocks(make_bodies(4, 10));
  Floor floor = run_sqlite_loop(folder.path(), blocks, 10, 4, kShort);
  EXPECT_EQ(floor.problem, "");
  EXPECT_GT(floor.events_per_second, 0);
  EXPECT_GT(floor.cpu_us_per_event, 0);
  EXPECT_GT(floor.latency.p50_ms, 0);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Floors, AppendAndLeaveNothingBehind) {
  test::TempDir folder;
  Floor floor = run_append_loop(folder.path(), make_blocks(make_bodies(4, 1)), 1, 8, kShort);
  EXPECT_EQ(floor.problem, "");
  EXPECT_GT(floor.events_per_second, 0);
  EXPECT_GE(floor.latency.p99_ms, floor.latency.p50_ms);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Floors, ParseTheGeneratorsBodies) {
  Floor floor = run_parse_loop(make_bodies(4, 100), 100, kShort);
  EXPECT_EQ(floor.problem, "");
  EXPECT_GT(floor.events_per_second, 0);
}

TEST(Floors, SayWhatIsWrongWithAFolderThatIsMissing) {
  auto blocks = make_blocks(make_bodies(1, 1));
  EXPECT_NE(run_sqlite_loop("/nowhere", blocks, 1, 2, kShort).problem, "");
  EXPECT_NE(run_append_loop("/nowhere", blocks, 1, 2, kShort).problem, "");
}

}  // namespace
}  // namespace weir::bench
