// Instances in processes of their own: what they do to their process stays there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cerrno>
#include <filesystem>
#include <map>
#include <thread>

#include "base/time.h"
#include "site.h"
#include "support/wait.h"

namespace weir::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

std::string listen_at(uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

// Events of these kinds, one each.
json of_kinds(const std::vector<std::string>& kinds) {
  json out = json::array();
  for (size_t i = 0; i < kinds.size(); ++i) {
    out.push_back({{"device_id", "d" + std::to_string(i)}, {"sensor_type", kinds[i]}, {"value", i}});
  }
  return out;
}

bool process_runs(int pid) { return std::filesystem::exists("/proc/" + std::to_string(pid) + "/exe"); }

class Isolation : public testing::Test {
 protected:
  void isolated(const std::string& name, json manifest) {
    manifest["isolation"] = "process";
    site_.manifest(name, manifest);
  }
  int pid(const std::string& name) { return site_.instance(name)["process"]["pid"]; }
  json dead() { return site_.get("/api/v1/dead"); }

  Site site_;
};

TEST_F(Isolation, StatusSaysWhichProcess) {
  isolated("api", {{"plugin", "http.source"}, {"config", {{"listen", listen_at(site_.http_port())}}}});
  site_.manifest("out", {{"plugin", "hostile.sink"}, {"from", "api"}, {"isolation", "in-process"}});
  site_.start();
  json process = site_.instance("api")["process"];
  EXPECT_TRUE(process_runs(process["pid"]));
  EXPECT_EQ(process["restarts"], 0);
  EXPECT_FALSE(site_.instance("out").contains("process"));
  EXPECT_THAT(site_.weir({"status"}).output, HasSubstr("process " + std::to_string(process["pid"].get<int>())));
}

TEST_F(Isolation, AnEventThatKillsASinkBecomesADeadLetterAndTheOthersAreDelivered) {
  site_.main_line();
  isolated("out", {{"plugin", "hostile.sink"},
                   {"from", "api"},
                   {"retry", {{"initial", "50ms"}, {"max", "200ms"}}}});
  site_.start();
  ASSERT_EQ(site_.post(of_kinds({"ok", "ok", "crash", "ok", "fault", "ok"})).status, 202);
  ASSERT_TRUE(site_.wait_settled("out", 6)) << site_.log();
  EXPECT_TRUE(site_.wait_settled("store", 6)) << "the other sink has not noticed";
  json consumer = site_.consumer("out");
  EXPECT_EQ(consumer["delivered"], 4);
  EXPECT_EQ(consumer["dead"], 2);
  EXPECT_EQ(site_.status()["balanced"], true);
  std::string letters = dead().dump();
  EXPECT_THAT(letters, HasSubstr("was killed by SIGABRT, 3 times in a row with this event"));
  EXPECT_THAT(letters, HasSubstr("was killed by SIGSEGV, 3 times in a row with this event"));
  // Once in company and twice alone for each of the two at most, and not much less.
  EXPECT_TRUE(wait_until([&] {
    json instance = site_.instance("out");
    return instance["process"]["restarts"] >= 5 && instance["state"] == "running";
  })) << site_.instance("out");
}

TEST_F(Isolation, OnlyTheKillerIsGivenUpHoweverManyAreWithTheSink) {
  site_.main_line();
  isolated("out", {{"plugin", "hostile.sink"}, {"from", "api"}, {"retry", {{"initial", "50ms"}, {"max", "200ms"}}}});
  site_.start();
  std::vector<std::string> kinds(20, "ok");
  kinds[1] = "crash";
  ASSERT_EQ(site_.post(of_kinds(kinds)).status, 202);
  ASSERT_TRUE(site_.wait_settled("out", 20)) << site_.log();
  EXPECT_EQ(site_.consumer("out")["delivered"], 19);
  EXPECT_EQ(site_.consumer("out")["dead"], 1);
}

TEST_F(Isolation, AnEventThatKillsATransformBecomesADeadLetterAndTheOthersPass) {
  site_.main_line();
  isolated("change", {{"plugin", "hostile.transform"}, {"from", "api"}});
  site_.manifest("copy", {{"plugin", "sqlite.sink"}, {"from", "change"}, {"config", {{"path", "data/copy.db"}}}});
  site_.start();
  ASSERT_EQ(site_.post(of_kinds({"ok", "exit", "ok", "ok"})).status, 202);
  ASSERT_TRUE(site_.wait_settled("copy", 4)) << site_.log();
  EXPECT_EQ(site_.consumer("copy")["delivered"], 3);
  EXPECT_EQ(site_.consumer("copy")["dead"], 1);
  EXPECT_EQ(site_.consumer("store")["delivered"], 4);
  EXPECT_THAT(dead().dump(), HasSubstr("ended with exit code 3, 3 times in a row with this event"));
}

// Its process is killed, and what it is started from is gone: it cannot come back, and it holds two events.
class TransformThatStaysDown : public Isolation {
 protected:
  void start_and_take_down(const std::string& name) {
    site_.start();
    ASSERT_EQ(site_.post(of_kinds({"ok"})).status, 202);
    ASSERT_TRUE(wait_until([&] { return site_.stored("id").size() == 1; })) << site_.status().dump(2);
    const int victim = pid(name);
    ASSERT_NE(victim, 0);
    std::filesystem::remove_all(site_.path("data/plugins"));
    ::kill(victim, SIGKILL);
    json later = of_kinds({"ok", "ok"});
    for (json& event : later) event["timestamp"] = base::wall_ns();  // not the same as the first one
    ASSERT_EQ(site_.post(later).status, 202);
    ASSERT_TRUE(wait_until([&] { return site_.log().find("cannot be started again") != std::string::npos; }))
        << site_.log();
    EXPECT_EQ(site_.stored("id").size(), 1u);
  }
  void expect_a_clean_stop() {
    base::Monotonic before = base::now();
    EXPECT_TRUE(site_.stopped_cleanly());
    EXPECT_LT(base::now() - before, std::chrono::seconds(5)) << site_.log();
    EXPECT_THAT(site_.log(), testing::Not(HasSubstr("left behind")));
  }
  void expect_all_three() {
    EXPECT_TRUE(wait_until([&] { return site_.stored("id").size() == 3; })) << site_.status().dump(2) << site_.log();
    EXPECT_THAT(dead()["dead_letters"], testing::IsEmpty());
    EXPECT_EQ(site_.status()["balanced"], true);
  }
  void sink_behind(const std::string& name) {
    site_.manifest("store", {{"plugin", "sqlite.sink"}, {"from", name}, {"config", {{"path", "data/events.db"}}}});
  }
};

TEST_F(TransformThatStaysDown, HoldsNoStopUpAndLosesNothing) {
  site_.main_line();
  isolated("change", {{"plugin", "hostile.transform"}, {"from", "api"}});
  sink_behind("change");
  start_and_take_down("change");
  expect_a_clean_stop();
  site_.start();
  expect_all_three();
}

TEST_F(TransformThatStaysDown, IsReplacedWhileTheGatewayRuns) {
  site_.main_line();
  isolated("change", {{"plugin", "hostile.transform"}, {"from", "api"}});
  sink_behind("change");
  start_and_take_down("change");
  site_.manifest("change", {{"plugin", "hostile.transform"}, {"from", "api"}, {"isolation", "in-process"}});
  expect_all_three();
  expect_a_clean_stop();
}

TEST_F(TransformThatStaysDown, AStatefulOneHoldsNoStopUpAndGivesTheSame) {
  site_.main_line();
  isolated("once", {{"plugin", "enrich.dedupe"}, {"from", "api"}});
  sink_behind("once");
  start_and_take_down("once");
  expect_a_clean_stop();
  site_.start();
  expect_all_three();
}

TEST_F(TransformThatStaysDown, OneInFrontOfAStatefulOneHoldsNoStopUp) {
  site_.main_line();
  isolated("change", {{"plugin", "hostile.transform"}, {"from", "api"}});
  site_.manifest("once", {{"plugin", "enrich.dedupe"}, {"from", "change"}});
  sink_behind("once");
  start_and_take_down("change");
  expect_a_clean_stop();
  site_.start();
  expect_all_three();
}

TEST_F(Isolation, AProcessThatTakesTooMuchMemoryIsEndedAndSaysSo) {
  site_.main_line();
  isolated("out", {{"plugin", "hostile.sink"}, {"from", "api"}, {"limits", {{"memory_bytes", "48MiB"}}}});
  site_.start();
  int before = pid("out");
  ASSERT_NE(before, 0);
  ASSERT_EQ(site_.post(of_kinds({"leak"})).status, 202);
  ASSERT_TRUE(site_.wait_settled("out", 1)) << "what it had delivered is delivered";
  EXPECT_TRUE(wait_until([&] { return pid("out") != 0 && pid("out") != before; }));
  EXPECT_TRUE(wait_until([&] {
    return site_.log().find("MiB of memory, over its limit of 48 MiB, and was ended; it is started again") !=
           std::string::npos;
  })) << site_.log();
  ASSERT_EQ(site_.post(of_kinds({"ok"})).status, 202);
  EXPECT_TRUE(site_.wait_settled("out", 2));
}

TEST_F(Isolation, ForbidsWhatAPluginHasNoRightTo) {
  isolated("try", {{"plugin", "hostile.source"}});
  site_.manifest("store", {{"plugin", "sqlite.sink"}, {"from", "try"}, {"config", {{"path", "data/events.db"}}}});
  site_.start();
  ASSERT_TRUE(site_.wait_settled("store", 14));
  std::map<std::string, std::string> outcome;
  json tail = site_.get("/api/v1/tail?limit=20");
  for (const json& line : tail["events"]) {
    const json& event = line["event"];
    outcome[event["sensor_type"]] = event["value"].dump();
  }
  std::string denied = std::to_string(EPERM);
  for (const char* attempt : {"fork", "exec", "socket", "local", "kill", "owner", "nice", "truncate", "chmod", "hidden", "ptrace"}) EXPECT_EQ(outcome[attempt], denied) << attempt;
  EXPECT_EQ(outcome["read"], "0");
  EXPECT_EQ(outcome["thread"], "0");
  std::string lacking = site_.instance("try")["process"]["lacking"];
  if (lacking.empty()) {
    EXPECT_EQ(outcome["write"], std::to_string(EACCES));
  } else {
    EXPECT_THAT(lacking, HasSubstr("Landlock"));
    EXPECT_THAT(site_.log(), HasSubstr("cannot confine its process fully"));
  }
}

TEST_F(Isolation, NothingAcknowledgedIsLostWhenASourcesProcessIsKilledUnderLoad) {
  isolated("api", {{"plugin", "http.source"}, {"config", {{"listen", listen_at(site_.http_port())}}}});
  isolated("store", {{"plugin", "sqlite.sink"},
                     {"from", "api"},
                     {"config", {{"path", "data/events.db"}}},
                     {"retry", {{"initial", "50ms"}, {"max", "200ms"}}}});
  site_.start();
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> acknowledged{0};
  std::mutex mutex;
  std::set<std::string> ids;
  std::vector<std::thread> devices;
  for (int d = 0; d < 4; ++d) {
    devices.emplace_back([&, d] {
      for (int64_t i = 0; !stop; ++i) {
        try {
          HttpResponse answer = site_.post(events(10, d * 1'000'000 + i * 10));
          if (answer.status != 202) continue;
          acknowledged += 10;
          json receipt = json::parse(answer.body);
          std::lock_guard lock(mutex);
          for (const json& id : receipt["ids"]) ids.insert(id);
        } catch (const std::exception&) {  // the connection went with the process
        }
      }
    });
  }
  for (int round = 0; round < 6; ++round) {
    uint64_t seen = acknowledged;
    EXPECT_TRUE(wait_until([&] { return acknowledged > seen + 50; })) << site_.log();
    std::string victim = round % 2 == 0 ? "api" : "store";
    int victims = 0;
    EXPECT_TRUE(wait_until([&] { return (victims = pid(victim)) != 0; }));
    ::kill(victims, SIGKILL);
    EXPECT_TRUE(wait_until([&] { return pid(victim) != 0 && pid(victim) != victims; })) << site_.log();
  }
  stop = true;
  for (std::thread& device : devices) device.join();
  ASSERT_TRUE(site_.wait_settled("store", acknowledged)) << site_.consumer("store").dump(2) << site_.log();
  auto stored = site_.stored("id");
  EXPECT_GE(ids.size(), 300u);
  for (const std::string& id : ids) EXPECT_EQ(stored.count(id), 1u) << id;
  EXPECT_EQ(site_.status()["balanced"], true);
  EXPECT_TRUE(site_.stopped_cleanly());
}

TEST_F(Isolation, ProcessesGoWithTheGateway) {
  isolated("api", {{"plugin", "http.source"}, {"config", {{"listen", listen_at(site_.http_port())}}}});
  isolated("out", {{"plugin", "hostile.sink"}, {"from", "api"}});
  site_.start();
  int first = pid("api"), second = pid("out");
  site_.kill();
  EXPECT_TRUE(wait_until([&] { return !process_runs(first) && !process_runs(second); }));
  site_.start();
  first = pid("api");
  second = pid("out");
  EXPECT_TRUE(site_.stopped_cleanly());
  EXPECT_FALSE(process_runs(first));
  EXPECT_FALSE(process_runs(second));
}

}  // namespace
}  // namespace weir::test
