// plugin-sdk/examples/line-sink: a plugin in plain C, built with make and pkg-config.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>

#include "sdk/outsider.h"

namespace weir::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;

class LineSink : public ::testing::TestWithParam<std::string> {
 protected:
  static void SetUpTestSuite() {
    built_ = std::make_unique<Outsider>("line-sink");
    built_->run({"make"});
  }
  static void TearDownTestSuite() { built_.reset(); }

  LineSink() {
    site_.use(installed_weir(), {built_->folder() + "/build"});
    site_.main_line();
    add_sink("lines", site_.path("lines.jsonl"));
  }
  void add_sink(const std::string& name, const std::string& path) {
    site_.manifest(name, {{"plugin", "line.sink"},
                          {"from", {"api"}},
                          {"isolation", GetParam()},
                          {"retry", {{"initial", "10ms"}, {"max", "50ms"}}},
                          {"config", {{"path", path}}}});
  }
  // The file's lines, each of which must be JSON.
  static std::vector<json> lines(const std::string& path) {
    std::vector<json> all;
    std::istringstream text(read_file(path));
    for (std::string line; std::getline(text, line);) all.push_back(json::parse(line));
    return all;
  }
  std::vector<json> lines() const { return lines(site_.path("lines.jsonl")); }

  static inline std::unique_ptr<Outsider> built_;
  Site site_;
};

TEST_P(LineSink, WritesTheSameJsonAsTheGatewayItself) {
  site_.start();
  json event = {{"device_id", "a \"quoted\"\n\\ name µ"}, {"sensor_type", "text"},   {"value", "tab\t"},
                {"unit", "1"},                            {"metadata", {{"k", "v\x01"}}}, {"timestamp", 1700000000123456789}};
  HttpResponse answer = site_.post(json::array({event, events(1)[0]}));
  ASSERT_EQ(answer.status, 202) << answer.body;
  ASSERT_TRUE(site_.wait_settled("lines", 2));
  ASSERT_EQ(lines().size(), 2u);
  for (const json& line : lines()) {
    json expected = site_.get("/api/v1/trace/" + line["id"].get<std::string>())["event"];
    // Times with fewer digits are the same times.
    for (const char* time : {"timestamp", "received_at"}) {
      EXPECT_EQ(line[time].get<std::string>().substr(0, 20), expected[time].get<std::string>().substr(0, 20));
      expected[time] = line[time];
    }
    if (!expected.contains("metadata")) expected["metadata"] = json::object();
    EXPECT_EQ(line, expected);
  }
  EXPECT_THAT(lines()[0]["timestamp"], "2023-11-14T22:13:20.123456789Z");
}

TEST_P(LineSink, HasEveryEventAndOnlyWholeLinesAfterAKill) {
  site_.start();
  ASSERT_EQ(site_.post(events(50)).status, 202);
  site_.kill();
  std::ofstream(site_.path("lines.jsonl"), std::ios::app) << R"({"id":"cut off by the pow)";
  site_.start();
  ASSERT_EQ(site_.post(events(50, 50)).status, 202);
  ASSERT_TRUE(site_.wait_settled("lines", 100));
  std::set<int64_t> values;
  for (const json& line : lines()) values.insert(line["value"].get<int64_t>());
  EXPECT_EQ(values.size(), 100u);
}

TEST_P(LineSink, BeginsANewFileWhenTheOldOneWasRenamed) {
  site_.start();
  ASSERT_EQ(site_.post(events(1)).status, 202);
  ASSERT_TRUE(site_.wait_settled("lines", 1));
  fs::rename(site_.path("lines.jsonl"), site_.path("lines.jsonl.1"));
  ASSERT_EQ(site_.post(events(2, 1)).status, 202);
  ASSERT_TRUE(site_.wait_settled("lines", 3));
  EXPECT_EQ(lines(site_.path("lines.jsonl.1")).size(), 1u);
  EXPECT_EQ(lines().size(), 2u);
}

TEST_P(LineSink, SaysThatAnotherInstanceHasTheFile) {
  site_.start();
  add_sink("second", site_.path("lines.jsonl"));
  EXPECT_TRUE(site_.process().wait_for_errors("give each a file of its own")) << site_.log() << site_.status();
}

TEST_P(LineSink, IsInstalledWhereAGatewayOfTheSamePrefixLooks) {
  TempDir root;
  built_->run({"make", "install", "DESTDIR=" + root.path().string()});
  EXPECT_TRUE(fs::exists(fs::canonical(root.path().string() + installed_prefix() + "/lib") / "weir/plugins/line-sink.so"));
}

INSTANTIATE_TEST_SUITE_P(Isolation, LineSink, ::testing::ValuesIn(kIsolations), isolation_name);

TEST(LineSinkContract, IsKept) {
  Outsider built("line-sink");
  built.run({"make"});
  TempDir folder;
  const std::string config = folder.write("config.json", json{{"path", folder / "lines.jsonl"}}.dump());
  Finished check = weir({"plugin", "check", built.folder() + "/build/line-sink.so", "--config", config, "--cycles", "100"});
  EXPECT_EQ(check.exit.code, 0) << check.output << check.errors;
}

}  // namespace
}  // namespace weir::test
