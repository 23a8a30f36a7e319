// What the sink says about itself, and what it refuses before it has begun.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sink_fixture.h"

namespace weir::test {
namespace {

struct Wrong {
  const char* config;
  const char* pointer;
  const char* text;
};

class WrongConfiguration : public SqliteSink, public ::testing::WithParamInterface<Wrong> {};

TEST_P(WrongConfiguration, IsRefusedWithTheKeyAndTheReason) {
  try {
    Instance sink(library_, host_, "sqlite.sink", GetParam().config);
    FAIL() << "was taken";
  } catch (const CallFailed& failure) {
    EXPECT_EQ(failure.code, WEIR_E_INVALID);
    EXPECT_EQ(failure.pointer, GetParam().pointer);
    EXPECT_NE(std::string(failure.what()).find(GetParam().text), std::string::npos) << failure.what();
  }
}

INSTANTIATE_TEST_SUITE_P(
    Each, WrongConfiguration,
    ::testing::Values(Wrong{"{}", "/path", "path is missing"},
                      Wrong{R"({"path": ""})", "/path", "a file name"},
                      Wrong{R"({"path": 5})", "/path", "a file name"},
                      Wrong{R"({"path": "x", "busy_timeout_ms": -1})", "/busy_timeout_ms", "0 to 60000"},
                      Wrong{R"({"path": "x", "synchronous": "off"})", "/synchronous",
                            "\"full\" or \"normal\""},
                      Wrong{R"({"path": "x", "pat": 1})", "/pat", "unknown key"},
                      Wrong{"[]", "", "must be a JSON object"}, Wrong{"{", "", "must be a JSON object"}));

TEST_F(SqliteSink, DescribesItsConfigurationInASchemaThatExplainsEachKey) {
  const weir_descriptor* descriptor = library_.descriptor("sqlite.sink");
  ASSERT_NE(descriptor, nullptr);
  EXPECT_EQ(descriptor->kind, WEIR_KIND_SINK);
  EXPECT_EQ(descriptor->capabilities, WEIR_CAP_FS);
  const auto schema = nlohmann::json::parse(descriptor->config_schema);
  EXPECT_EQ(schema["additionalProperties"], false);
  for (const char* key : {"path", "busy_timeout_ms", "synchronous"}) {
    EXPECT_FALSE(schema["properties"][key]["description"].get<std::string>().empty()) << key;
  }
}

TEST_F(SqliteSink, RefusesAHostThatDoesNotSayItsGatewayId) {
  host_.withhold(WEIR_GATEWAY);
  try {
    start();
    FAIL() << "was taken";
  } catch (const CallFailed& failure) {
    EXPECT_EQ(failure.code, WEIR_E_UNSUPPORTED);
  }
}

TEST_F(SqliteSink, OpensNothingBeforePrepare) {
  Instance sink(library_, host_, "sqlite.sink", R"({"path": ")" + file() + "\"}");
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(SqliteSink, TakesAPathForAFileNameWhateverItLooksLike) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder_.path());
  expect_delivered(start(":memory:").deliver(make_batch({{}})));
  std::filesystem::current_path(before);
  EXPECT_EQ(Connection(folder_ / ":memory:").value("SELECT count(*) FROM events"), "1");
}

TEST_F(SqliteSink, AsksForOneBatchAtATime) {
  const weir_sink_limits limits = start().limits();
  EXPECT_EQ(limits.max_in_flight, 1u);
  EXPECT_EQ(limits.max_batch_events, 1000u);
}

TEST_F(SqliteSink, SyncsEachCommitUnlessToldOtherwise) {
  expect_delivered(start(file(), R"(, "synchronous": "normal")").deliver(make_batch({{}})));
  end();
  expect_delivered(start(file(), R"(, "synchronous": "full")").deliver(make_batch({{}})));
  EXPECT_EQ(count(), "1");
}

// Its statics and thread-locals must not pin it: a swap could not retire it.
TEST(SqlitePlugin, UnloadsAfterItHasWorked) {
  const TempDir folder;
  const std::string path = plugin_path("sqlite");
  {
    const PluginLibrary library(path);
    PluginHost host;
    Instance sink(library, host, "sqlite.sink", R"({"path": ")" + (folder / "x.db") + "\"}");
    sink.prepare();
    sink.start();
    EXPECT_EQ(sink.deliver(make_batch({{}, {.value = UnknownValue{}}})).of(0).outcome, WEIR_DELIVERED);
    EXPECT_TRUE(is_mapped(path));
  }
  EXPECT_FALSE(is_mapped(path));
}

}  // namespace
}  // namespace weir::test
