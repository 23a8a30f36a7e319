// The simulated devices, and how they behave towards a gateway that is there, busy, away or unwilling.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "simulator/device.h"
#include "support/process.h"
#include "support/stub_gateway.h"

namespace weir::simulator {
namespace {

using test::StubAnswer;
using test::StubGateway;
using test::StubRequest;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr int64_t kNoon = 1'700'049'600'000'000'000;  // 2023-11-15T12:00:00Z
constexpr int64_t kSecond = 1'000'000'000;

std::vector<std::string> messages_of_a_fleet(uint64_t seed, int rounds) {
  std::vector<std::unique_ptr<Device>> fleet;
  for (int i = 0; i < kDeviceKinds; ++i) fleet.push_back(make_device(i, seed, 0.01));
  std::vector<std::string> bodies;
  for (int round = 0; round < rounds; ++round) {
    for (auto& device : fleet) bodies.push_back(device->next(kNoon + round * kSecond).body);
  }
  return bodies;
}

// All events of the bodies, arrays taken apart.
std::vector<Json> events_in(const std::vector<std::string>& bodies) {
  std::vector<Json> events;
  for (const std::string& body : bodies) {
    Json parsed = Json::parse(body);
    if (!parsed.is_array()) parsed = Json::array({parsed});
    for (Json& event : parsed) events.push_back(event);
  }
  return events;
}

std::string simulator_program() {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "weir-simulator").string();
}

test::Finished run_simulator(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), simulator_program());
  return test::run(arguments);
}

TEST(Devices, SayTheSameForTheSameSeed) {
  EXPECT_EQ(messages_of_a_fleet(7, 20), messages_of_a_fleet(7, 20));
  EXPECT_NE(messages_of_a_fleet(7, 20), messages_of_a_fleet(8, 20));
}

TEST(Devices, AreADozenWithDifferentNamesAndMoreAreNumberedOn) {
  std::set<std::string> names;
  for (int i = 0; i < 3 * kDeviceKinds; ++i) names.insert(make_device(i, 1, 0)->id());
  EXPECT_EQ(names.size(), 3u * kDeviceKinds);
  EXPECT_TRUE(names.contains("boiler-01"));
  EXPECT_TRUE(names.contains("boiler-03"));
}

TEST(Devices, SpeakInUnitsThatNeedConversion) {
  std::set<std::string> units;
  for (const Json& event : events_in(messages_of_a_fleet(1, 1))) units.insert(event.value("unit", ""));
  for (const char* unit : {"[degF]", "K", "Cel", "[psi]", "bar", "[mi_i]/h", "mV", "V", "W.h", "%", "[ppm]", "lx", "dBm"}) {
    EXPECT_TRUE(units.contains(unit)) << unit;
  }
}

TEST(Devices, SendNumbersCountersFlagsAndText) {
  std::set<Json::value_t> types;
  for (const Json& event : events_in(messages_of_a_fleet(1, 1))) types.insert(event["value"].type());
  EXPECT_TRUE(types.contains(Json::value_t::number_float));
  EXPECT_TRUE(types.contains(Json::value_t::number_unsigned));
  EXPECT_TRUE(types.contains(Json::value_t::boolean));
  EXPECT_TRUE(types.contains(Json::value_t::string));
}

TEST(Devices, TellTheTimeInTheirDifferentWays) {
  bool text = false, number = false, none = false;
  for (const Json& event : events_in(messages_of_a_fleet(1, 1))) {
    if (!event.contains("timestamp")) {
      none = true;
    } else if (event["timestamp"].is_string()) {
      text = event["timestamp"] == "2023-11-15T12:00:00.000Z";
    } else {
      number = event["timestamp"] == kNoon;
    }
  }
  EXPECT_TRUE(text);
  EXPECT_TRUE(number);
  EXPECT_TRUE(none);
}

TEST(Devices, FollowTheDay) {
  auto greenhouse = make_device(2, 1, 0);
  double night = Json::parse(greenhouse->next(kNoon - 9 * 3600 * kSecond).body)[0]["value"];      // 03:00
  double afternoon = Json::parse(greenhouse->next(kNoon + 3 * 3600 * kSecond).body)[0]["value"];  // 15:00
  EXPECT_GT(afternoon, night + 8);
}

TEST(Devices, DrainTheirBatteries) {
  auto tracker = make_device(9, 1, 0);
  double first = Json::parse(tracker->next(kNoon).body)[0]["value"];
  for (int i = 0; i < 50; ++i) tracker->next(kNoon);
  double later = Json::parse(tracker->next(kNoon).body)[0]["value"];
  EXPECT_LT(later, first - 20);
}

TEST(Devices, BreakNowAndThenAsOftenAsAsked) {
  auto boiler = make_device(0, 1, 0.25);
  int broken = 0;
  for (int i = 0; i < 400; ++i) broken += boiler->next(kNoon).implausible;
  EXPECT_GT(broken, 60);
  EXPECT_LT(broken, 140);
  auto sound = make_device(0, 1, 0);
  for (int i = 0; i < 400; ++i) EXPECT_FALSE(sound->next(kNoon).implausible);
}

TEST(Simulator, SendsWhatItWasAskedForAndSaysSo) {
  StubGateway gateway;
  auto run = run_simulator({"--url", gateway.url(), "--count", "36", "--rate", "0", "--faults", "0"});
  EXPECT_EQ(run.exit.code, 0) << run.errors;
  EXPECT_EQ(gateway.requests().size(), 36u);
  EXPECT_THAT(run.output, HasSubstr("sent 51 events in 36 messages, accepted 51, refused 0, retried 0"));
  for (const StubRequest& request : gateway.requests()) EXPECT_EQ(request.target, "/v1/events");
}

TEST(Simulator, GivesEveryMessageAKeyOfItsOwnInEveryRun) {
  StubGateway gateway;
  for (int i = 0; i < 2; ++i) {
    run_simulator({"--url", gateway.url(), "--count", "24", "--rate", "0", "--quiet"});
  }
  std::set<std::string> keys;
  for (const StubRequest& request : gateway.requests()) keys.insert(request.idempotency_key);
  EXPECT_EQ(keys.size(), 48u);
  EXPECT_FALSE(keys.contains(""));
}

TEST(Simulator, SendsAMessageAgainUnderTheSameKeyWhenTheGatewayIsBusy) {
  StubGateway gateway([](const StubRequest&, size_t index) {
    return index == 1 || index == 2 ? StubAnswer{503, "Retry-After: 0\r\n", "busy", false} : StubAnswer{};
  });
  auto run = run_simulator({"--url", gateway.url(), "--count", "3", "--rate", "0"});
  EXPECT_EQ(run.exit.code, 0);
  auto requests = gateway.requests();
  ASSERT_EQ(requests.size(), 5u);
  EXPECT_EQ(requests[1].idempotency_key, requests[2].idempotency_key);
  EXPECT_EQ(requests[1].idempotency_key, requests[3].idempotency_key);
  EXPECT_EQ(requests[1].body, requests[3].body);
  EXPECT_THAT(run.output, HasSubstr("the gateway is busy (503)"));
  EXPECT_THAT(run.output, HasSubstr("retried 2"));
}

TEST(Simulator, SendsAMessageAgainWhenTheConnectionBreaksBeforeTheAnswer) {
  StubGateway gateway([](const StubRequest&, size_t index) {
    StubAnswer answer;
    answer.hang_up = index == 1;
    return answer;
  });
  auto run = run_simulator({"--url", gateway.url(), "--count", "3", "--rate", "0"});
  EXPECT_EQ(run.exit.code, 0);
  auto requests = gateway.requests();
  ASSERT_EQ(requests.size(), 4u);
  EXPECT_EQ(requests[1].idempotency_key, requests[2].idempotency_key);
}

TEST(Simulator, DoesNotRepeatWhatWasRefusedAndEndsWithOne) {
  StubGateway gateway([](const StubRequest&, size_t index) {
    return index == 0 ? StubAnswer{400, "", "value is missing", false} : StubAnswer{};
  });
  auto run = run_simulator({"--url", gateway.url(), "--count", "2", "--rate", "0"});
  EXPECT_EQ(run.exit.code, 1);
  EXPECT_EQ(gateway.requests().size(), 2u);
  EXPECT_THAT(run.output, HasSubstr("refused with 400: value is missing"));
}

TEST(Simulator, WaitsForAGatewayThatIsAwayAndStopsOnCtrlC) {
  uint16_t nobody = StubGateway().port();  // free again by now
  test::Process simulator({simulator_program(), "--url", "http://127.0.0.1:" + std::to_string(nobody) + "/v1/events"});
  ASSERT_TRUE(simulator.wait_for_output("no gateway: cannot connect"));
  simulator.kill(SIGINT);
  auto end = simulator.wait();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->code, 0);
  EXPECT_THAT(simulator.output(), ContainsRegex("unsent 1"));
}

TEST(Simulator, RefusesAUrlItCannotUse) {
  auto run = run_simulator({"--url", "https://example.org/"});
  EXPECT_EQ(run.exit.code, 2);
  EXPECT_THAT(run.errors, HasSubstr("is not http://HOST[:PORT]/PATH"));
}

}  // namespace
}  // namespace weir::simulator
