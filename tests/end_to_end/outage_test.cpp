// Sinks that are down, slow, flapping, silent or talking nonsense: nothing is lost, nobody else notices (P2, P6).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "end_to_end/site.h"

namespace weir::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

// api -> log (test.sink, told what to do by a control file), and api -> store beside it.
class Outage : public ::testing::Test {
 protected:
  void start(const json& extra = json::object()) {
    site_.main_line();
    json config{{"control", site_.path("control.json")}, {"log", site_.path("log.txt")}};
    config.update(extra);
    site_.manifest("log", {{"plugin", "test.sink"},
                           {"from", {"api"}},
                           {"retry", {{"initial", "10ms"}, {"max", "50ms"}}},
                           {"config", config}});
    site_.start();
  }
  void tell(const json& control) {
    std::string fresh = site_.path("control.json.tmp");
    std::ofstream(fresh) << control.dump();
    std::filesystem::rename(fresh, site_.path("control.json"));
  }
  // How often each sequence was delivered, by the sink's own log.
  std::map<uint64_t, int> delivered() {
    std::map<uint64_t, int> out;
    std::istringstream lines(read_file(site_.path("log.txt")));
    std::string epoch, part, device, value, outcome;
    for (uint64_t sequence; lines >> epoch >> sequence >> part >> device >> value >> outcome;) {
      if (outcome == "deliver") ++out[sequence];
    }
    return out;
  }
  Site site_;
};

TEST_F(Outage, KeepsEverythingWhileASinkRefusesAndDeliversItAfterwards) {
  tell({{"mode", "retry"}});
  start();
  for (int i = 0; i < 20; ++i) ASSERT_EQ(site_.post(events(5, i * 5)).status, 202);
  ASSERT_TRUE(site_.wait_settled("store", 100)) << "the other sink noticed";
  ASSERT_TRUE(wait_until([&] { return site_.consumer("log").value("breaker", "") == "open"; }));
  EXPECT_EQ(site_.consumer("log")["pending"], 100);
  EXPECT_EQ(site_.get("/health").value("network", "ok") == "ok", false);
  tell({{"mode", "deliver"}});
  ASSERT_TRUE(site_.wait_settled("log", 100));
  EXPECT_EQ(site_.consumer("log")["dead"], 0);
  EXPECT_EQ(delivered().size(), 100u);
}

TEST_F(Outage, SurvivesAGatewayKilledDuringTheOutage) {
  tell({{"mode", "refuse"}});
  start();
  ASSERT_EQ(site_.post(events(50)).status, 202);
  site_.kill();
  site_.start();
  tell({{"mode", "deliver"}});
  ASSERT_TRUE(site_.wait_settled("log", 50));
  EXPECT_EQ(delivered().size(), 50u);
  EXPECT_EQ(site_.status()["balanced"], true);
}

TEST_F(Outage, LetsNobodyElseWaitForASinkThatHangs) {
  tell({{"mode", "hang"}});
  start();
  for (int i = 0; i < 10; ++i) ASSERT_EQ(site_.post(events(10, i * 10)).status, 202);
  ASSERT_TRUE(site_.wait_settled("store", 100));
  EXPECT_EQ(site_.consumer("log")["pending"], 100);
  tell({{"mode", "deliver"}});
  ASSERT_TRUE(site_.wait_settled("log", 100));
}

TEST_F(Outage, CountsASecondCompletionAndIgnoresIt) {
  tell({{"mode", "twice"}});
  start();
  ASSERT_EQ(site_.post(events(10)).status, 202);
  ASSERT_TRUE(site_.wait_settled("log", 10));
  EXPECT_TRUE(wait_until([&] { return site_.consumer("log").value("late_completions", 0) >= 1; }));
  EXPECT_EQ(site_.consumer("log")["delivered"], 10);
  EXPECT_EQ(site_.consumer("log")["balanced"], true);
}

TEST_F(Outage, ParksARefusedDeviceAndKeepsItsOrder) {
  tell({{"retry_devices", {"device-1"}}});
  start();
  ASSERT_EQ(site_.post(events(40)).status, 202);
  ASSERT_TRUE(wait_until([&] { return site_.consumer("log").value("delivered", 0) == 30; })) << site_.consumer("log");
  EXPECT_EQ(site_.consumer("log")["pending"], 10);
  tell(json::object());
  ASSERT_TRUE(site_.wait_settled("log", 40));
  std::istringstream lines(read_file(site_.path("log.txt")));
  std::string epoch, part, device, outcome;
  double value = 0, last = -1;
  for (uint64_t sequence; lines >> epoch >> sequence >> part >> device >> value >> outcome;) {
    if (device != "device-1" || outcome != "deliver") continue;
    EXPECT_GT(value, last);
    last = value;
  }
}

TEST_F(Outage, BuriesWhatASinkRejectsWithItsReason) {
  tell({{"reject_devices", {"device-2"}}});
  start();
  ASSERT_EQ(site_.post(events(8)).status, 202);
  ASSERT_TRUE(site_.wait_settled("log", 8));
  EXPECT_EQ(site_.consumer("log")["dead"], 2);
  EXPECT_EQ(site_.consumer("log")["delivered"], 6);
  Finished list = site_.weir({"dead", "list"});
  EXPECT_EQ(list.exit.code, 0);
  EXPECT_THAT(list.output, HasSubstr("device-2"));
  EXPECT_EQ(site_.get("/api/v1/journal/recount")["agrees"], true);
}

TEST_F(Outage, StopsInTimeWhileASinkHangs) {
  tell({{"mode", "never"}});
  start();
  ASSERT_EQ(site_.post(events(5)).status, 202);
  ASSERT_TRUE(wait_until([&] { return site_.consumer("log").value("in_flight", 0) == 1; }));
  EXPECT_TRUE(site_.stopped_cleanly()) << site_.log();
  tell({{"mode", "deliver"}});
  site_.start();
  ASSERT_TRUE(site_.wait_settled("log", 5));
}

TEST_F(Outage, TellsDevicesToWaitWhenTheJournalIsFullAndTakesThemAgainLater) {
  tell({{"mode", "retry"}});
  site_.manifest("gateway", [&] {
    json gateway = json::parse(read_file(site_.manifests() + "/gateway.json"));
    gateway["journal"] = {{"max_bytes", "2MiB"}, {"segment_bytes", "512KiB"}, {"retention", "0s"}};
    return gateway;
  }());
  start();
  json noisy = events(50);
  uint64_t acknowledged = 0;
  HttpResponse answer;
  // A source in a process of its own hears a moment later why.
  auto turned_away = [&] { return answer.status == 503 && answer.body.find("full") != std::string::npos; };
  for (int i = 0; i < 5000 && !turned_away(); ++i) {
    // Text that does not compress, so that the bound comes soon.
    for (json& event : noisy) {
      event["value"] = "";
      for (int k = 0; k < 8; ++k) event["value"] = event["value"].get<std::string>() + std::to_string(rand());
    }
    answer = site_.post(noisy);
    if (answer.status == 202) acknowledged += 50;
  }
  ASSERT_EQ(answer.status, 503);
  EXPECT_GE(std::stoi(answer.header("Retry-After")), 1);
  EXPECT_THAT(answer.body, HasSubstr("full"));
  tell({{"mode", "deliver"}});
  ASSERT_TRUE(site_.wait_settled("log", acknowledged));
  EXPECT_TRUE(wait_until([&] { return site_.post(events(1)).status == 202; })) << site_.get("/api/v1/journal").dump(2);
  EXPECT_EQ(site_.status()["balanced"], true);
}

}  // namespace
}  // namespace weir::test
