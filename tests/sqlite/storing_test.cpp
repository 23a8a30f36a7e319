// What a row looks like, and that there is one for each event.
#include <filesystem>

#include "sink_fixture.h"

namespace weir::test {
namespace {

using Row = std::vector<std::string>;

TEST_F(SqliteSink, StoresEveryFieldOfAnEventInItsColumn) {
  host_.set_gateway_id("site-a-1");
  TestEvent event;
  event.device_id = "boiler-7";
  event.sensor_type = "temperature";
  event.value = 21.5;
  event.unit = "Cel";
  event.metadata = {{"site", "north"}};
  event.timestamp_ns = 1'700'000'000'123'456'789;
  event.received_ns = 1'700'000'001'000'000'000;
  event.part = 2;
  event.id_byte = 0x0f;
  expect_delivered(start().deliver(make_batch({event}, /*epoch=*/0x00ff00ff00ff00ff, /*first_sequence=*/42)));
  const auto rows = Connection(file()).rows(
      "SELECT gateway_id, epoch, sequence, part, id, device_id, timestamp, received_at, sensor_type, value, "
      "unit, "
      "metadata, trace_id FROM events");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0], (Row{"site-a-1", "00ff00ff00ff00ff", "42", "2", "0f0f0f0f-0f0f-0f0f-0f0f-0f0f0f0f0f0f",
                          "boiler-7", "1700000000123456789", "1700000001000000000", "temperature", "21.5",
                          "Cel", R"({"site":"north"})", "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}));
}

TEST_F(SqliteSink, StoresEachKindOfValueInItsOwnStorageClass) {
  const std::vector<TestEvent> events = {{.value = 0.1},
                                         {.value = int64_t{-9'007'199'254'740'993}},
                                         {.value = true},
                                         {.value = false},
                                         {.value = "open \"x\""},
                                         {.value = ""},
                                         {.value = Bytes{std::string("\0\xff", 2)}},
                                         {.value = Bytes{""}}};
  expect_delivered(start().deliver(make_batch(events)));
  const auto rows =
      Connection(file()).rows("SELECT typeof(value), quote(value) FROM events ORDER BY sequence");
  EXPECT_EQ(rows, (std::vector<Row>{{"real", "0.1"},
                                    {"integer", "-9007199254740993"},
                                    {"integer", "1"},
                                    {"integer", "0"},
                                    {"text", "'open \"x\"'"},
                                    {"text", "''"},
                                    {"blob", "X'00FF'"},
                                    {"blob", "X''"}}));
}

TEST_F(SqliteSink, StoresNoUnitAsNull) {
  expect_delivered(start().deliver(make_batch({{.unit = ""}})));
  EXPECT_EQ(value("SELECT unit IS NULL FROM events"), "1");
}

TEST_F(SqliteSink, WritesMetadataThatSqliteReadsBackAsJson) {
  const std::map<std::string, std::string> metadata = {{"plain", "north"},
                                                       {"quo\"te", "a\\b\"c"},
                                                       {"control", "tab\t line\n bell\x07"},
                                                       {"umlaut", "K\u00e4lte \u2103"}};
  expect_delivered(start().deliver(make_batch({{.metadata = metadata}, {}})));
  Connection reader(file());
  EXPECT_EQ(reader.value("SELECT json_valid(metadata) FROM events WHERE sequence = 1"), "1");
  EXPECT_EQ(reader.value("SELECT metadata FROM events WHERE sequence = 2"), "{}");
  std::map<std::string, std::string> read;
  for (const Row& row : reader.rows("SELECT key, json_each.value FROM events, json_each(metadata)")) {
    read[row[0]] = row[1];
  }
  EXPECT_EQ(read, metadata);
}

TEST_F(SqliteSink, StoresAnEventOnceHoweverOftenItIsDelivered) {
  Instance& sink = start();
  const Block first = make_batch({{.value = 1.0}, {.value = 2.0}});
  const Block overlapping = make_batch({{.value = 2.5}, {.value = 3.0}}, 1, /*first_sequence=*/2);
  expect_delivered(sink.deliver(first));
  expect_delivered(sink.deliver(first));
  expect_delivered(sink.deliver(overlapping));
  EXPECT_EQ(value("SELECT group_concat(value) FROM events"), "1.0,2.0,3.0");
  EXPECT_EQ(host_.metric("rows_written_total"), 3);
  EXPECT_EQ(host_.metric("rows_known_total"), 3);
}

TEST_F(SqliteSink, StoresOneSequenceOfTwoEpochsAndTwoPartsAsFourEvents) {
  Instance& sink = start();
  const std::vector<TestEvent> parts = {{.sequence = 5, .part = 0}, {.sequence = 5, .part = 1}};
  expect_delivered(sink.deliver(make_batch(parts, /*epoch=*/1)));
  expect_delivered(sink.deliver(make_batch(parts, /*epoch=*/2)));
  EXPECT_EQ(count(), "4");
}

TEST_F(SqliteSink, KeepsTheSameNumbersOfTwoGatewaysApart) {
  for (const char* gateway : {"site-a", "site-b"}) {
    host_.set_gateway_id(gateway);
    expect_delivered(start().deliver(make_batch({{}})));
    end();
  }
  EXPECT_EQ(value("SELECT group_concat(gateway_id) FROM events"), "site-a,site-b");
}

TEST_F(SqliteSink, StoresSequencesAboveTheSignedRange) {
  expect_delivered(start().deliver(make_batch({{}, {}}, 1, /*first_sequence=*/0x7fffffffffffffff)));
  EXPECT_EQ(count(), "2");
}

TEST_F(SqliteSink, RejectsAnUnknownKindOfValueAndStoresTheRest) {
  const Completion completion =
      start().deliver(make_batch({{.value = 1.0}, {.value = UnknownValue{77, 1}}, {.value = 3.0}}));
  ASSERT_EQ(completion.results.size(), 3u);
  EXPECT_EQ(completion.of(0).outcome, WEIR_DELIVERED);
  EXPECT_EQ(completion.of(1).outcome, WEIR_REJECT);
  EXPECT_NE(completion.of(1).reason.find("value type 77"), std::string::npos) << completion.of(1).reason;
  EXPECT_EQ(completion.of(2).outcome, WEIR_DELIVERED);
  EXPECT_EQ(count(), "2");
}

TEST_F(SqliteSink, TakesTenThousandEventsAsOneBatch) {
  std::vector<TestEvent> events(10'000);
  for (size_t i = 0; i < events.size(); ++i) events[i].value = static_cast<int64_t>(i);
  expect_delivered(start().deliver(make_batch(events)));
  EXPECT_EQ(value("SELECT count(*) || ' ' || sum(value) FROM events"), "10000 49995000");
}

TEST_F(SqliteSink, TakesAnEmptyBatch) {
  expect_delivered(start().deliver(make_batch({})));
  EXPECT_EQ(count(), "0");
}

TEST_F(SqliteSink, MakesTheFoldersOfItsFile) {
  const std::string path = folder_ / "a/b/events.db";
  expect_delivered(start(path).deliver(make_batch({{}})));
  EXPECT_EQ(Connection(path).value("SELECT count(*) FROM events"), "1");
}

TEST_F(SqliteSink, GoesOnWithTheFileOfAnEarlierRun) {
  expect_delivered(start().deliver(make_batch({{}}, 1, 1)));
  end();
  expect_delivered(start().deliver(make_batch({{}}, 1, 2)));
  EXPECT_EQ(count(), "2");
}

TEST_F(SqliteSink, SharesItsFileWithItsSuccessorDuringASwap) {
  const Block batch = make_batch({{}, {}});
  Instance& old_one = start();
  PluginHost successor_host(host_);
  Instance successor(library_, successor_host, "sqlite.sink", R"({"path": ")" + file() + "\"}");
  successor.prepare();
  successor.start();
  expect_delivered(old_one.deliver(batch));
  expect_delivered(successor.deliver(batch));
  EXPECT_EQ(count(), "2");
}

TEST_F(SqliteSink, LeavesOneWholeFileWhenItStops) {
  expect_delivered(start().deliver(make_batch({{}})));
  sink_->stop();
  EXPECT_FALSE(std::filesystem::exists(file() + "-wal"));
  EXPECT_EQ(count(), "1");
}

}  // namespace
}  // namespace weir::test
