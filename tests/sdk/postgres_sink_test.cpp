// plugin-sdk/examples/postgres-sink against a real PostgreSQL server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "sdk/outsider.h"
#include "sdk/postgres_server.h"

namespace weir::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class PostgresSink : public ::testing::TestWithParam<std::string> {
 protected:
  static void SetUpTestSuite() {
    built_ = std::make_unique<Outsider>("postgres-sink");
    built_->build_with_cmake();
    server_ = std::make_unique<PostgresServer>();
  }
  static void TearDownTestSuite() {
    server_.reset();
    built_.reset();
  }

  PostgresSink() {
    site_.use(installed_weir(), {built_->built_plugins()});
    site_.main_line();
    add_sink("database");
  }
  ~PostgresSink() override { server_->stop(); }

  // Each test has a table of its own in the one database.
  void add_sink(const std::string& name, const std::string& start = "now") {
    site_.manifest(name, {{"plugin", "postgres.sink"},
                          {"from", {"api"}},
                          {"start", start},
                          {"isolation", GetParam()},
                          {"retry", {{"initial", "10ms"}, {"max", "50ms"}}},
                          {"config", {{"connection", server_->connection()}, {"table", table_}}}});
  }
  std::string query(const std::string& columns) { return server_->query("SELECT " + columns + " FROM " + table_); }

  static inline std::unique_ptr<Outsider> built_;
  static inline std::unique_ptr<PostgresServer> server_;
  static inline int tables_ = 0;
  const std::string table_ = "events_" + std::to_string(++tables_);
  Site site_;
};

TEST_P(PostgresSink, StoresEveryFieldOfAnEvent) {
  server_->start();
  site_.start();
  HttpResponse answer = site_.post({{"device_id", "d'1"},
                                    {"sensor_type", "temperature"},
                                    {"value", 21.5},
                                    {"unit", "Cel"},
                                    {"timestamp", 1700000000123456789},
                                    {"metadata", {{"site", "a \"b\" µ"}}}});
  ASSERT_EQ(answer.status, 202);
  ASSERT_TRUE(site_.wait_settled("database", 1));
  EXPECT_EQ(query("gateway_id, sequence, part, device_id, timestamp, sensor_type, value, unit, metadata->>'site'"),
            "test-site|" + query("sequence") + "|0|d'1|1700000000123456789|temperature|21.5|Cel|a \"b\" µ");
  EXPECT_EQ(query("id"), json::parse(answer.body)["ids"][0]);
  EXPECT_EQ(query("epoch"), site_.status()["journal"]["epoch"]);
}

TEST_P(PostgresSink, StoresAnEventOnceHoweverOftenItIsDelivered) {
  server_->start();
  site_.start();
  ASSERT_EQ(site_.post(events(40)).status, 202);
  site_.kill();  // perhaps before the sink's answer is on disk
  site_.start();
  ASSERT_EQ(site_.post(events(40, 40)).status, 202);
  ASSERT_TRUE(site_.wait_settled("database", 80));
  add_sink("again", "oldest");  // everything once more, into the same table
  ASSERT_TRUE(site_.wait_settled("again", 80));
  EXPECT_EQ(site_.consumer("again")["delivered"], 80);
  EXPECT_EQ(query("count(*), count(DISTINCT value)"), "80|80");
}

TEST_P(PostgresSink, WaitsForADatabaseThatIsAway) {
  site_.start();
  ASSERT_EQ(site_.post(events(10)).status, 202);
  ASSERT_TRUE(wait_until([&] { return site_.consumer("database").value("breaker", "") == "open"; }));
  EXPECT_THAT(site_.consumer("database")["last_failure"].get<std::string>(), HasSubstr("connection to server"));
  for (uint64_t round : {1, 2}) {  // and once more, with a connection that breaks
    server_->start();
    ASSERT_TRUE(site_.wait_settled("database", round * 10)) << site_.consumer("database");
    server_->stop();
    ASSERT_EQ(site_.post(events(10, static_cast<int64_t>(round) * 10)).status, 202);
  }
  EXPECT_EQ(site_.consumer("database")["dead"], 0);
}

TEST_P(PostgresSink, RejectsTheEventThatTheTableRefusesAndNoOther) {
  server_->start();
  site_.start();
  ASSERT_TRUE(site_.wait_settled("database"));
  server_->query("ALTER TABLE " + table_ + " ADD CHECK (value::float < 100)");
  json list = events(10);
  list[3]["value"] = 1000;
  ASSERT_EQ(site_.post(list).status, 202);
  ASSERT_TRUE(site_.wait_settled("database", 10));
  EXPECT_EQ(site_.consumer("database")["delivered"], 9);
  json dead = site_.get("/api/v1/dead")["dead_letters"];
  ASSERT_EQ(dead.size(), 1u);
  EXPECT_THAT(dead[0]["reason"].get<std::string>(), HasSubstr("23514: "));
  EXPECT_EQ(query("count(*)"), "9");
}

TEST_P(PostgresSink, KeepsEventsUntilSomebodyHasPutTheTableRight) {
  server_->start();
  site_.start();
  ASSERT_EQ(site_.post(events(1)).status, 202);
  ASSERT_TRUE(site_.wait_settled("database", 1));
  server_->query("ALTER TABLE " + table_ + " RENAME unit TO einheit");
  ASSERT_EQ(site_.post(events(5, 1)).status, 202);
  ASSERT_TRUE(wait_until([&] { return site_.consumer("database").value("breaker", "") == "open"; }));
  EXPECT_THAT(site_.consumer("database")["last_failure"].get<std::string>(), HasSubstr("42703"));
  server_->query("ALTER TABLE " + table_ + " RENAME einheit TO unit");
  ASSERT_TRUE(site_.wait_settled("database", 6));
  EXPECT_EQ(site_.consumer("database")["dead"], 0);
  EXPECT_EQ(query("count(*)"), "6");
}

INSTANTIATE_TEST_SUITE_P(Isolation, PostgresSink, ::testing::ValuesIn(kIsolations), isolation_name);

TEST(PostgresSinkContract, IsKept) {
  Outsider built("postgres-sink");
  built.build_with_cmake();
  PostgresServer server;
  server.start();
  TempDir folder;
  const json config = {{"connection", server.connection()}, {"table", "checked"}};
  Finished check = weir({"plugin", "check", built.built_plugins() + "/postgres-sink.so", "--cycles", "150", "--config",
                         folder.write("config.json", config.dump())});
  EXPECT_EQ(check.exit.code, 0) << check.output << check.errors;
  server.stop();
}

}  // namespace
}  // namespace weir::test
