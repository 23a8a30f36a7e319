// http.sink in a gateway: outages, kill -9, refusals, and real servers that were not made for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "end_to_end/load.h"
#include "end_to_end/site.h"
#include "support/http_receiver.h"

namespace weir::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class HttpSink : public ::testing::Test {
 protected:
  // api -> cloud (http.sink to `url`), and api -> store beside it.
  void write_manifests(const std::string& url, json config = json::object()) {
    config["url"] = url;
    site_.main_line();
    site_.manifest("cloud", {{"plugin", "http.sink"},
                             {"from", {"api"}},
                             {"retry", {{"initial", "10ms"}, {"max", "50ms"}}},
                             {"config", config}});
  }
  Site site_;
};

bool busy_at(size_t index) { return index % 7 == 3; }

// By the ids of the events that the server took, the keys under which they came. `refused` says which
// requests it did not take.
std::map<std::string, std::multiset<std::string>> keys_by_id(const HttpReceiver& receiver,
                                                             bool (*refused)(size_t index) = nullptr) {
  std::map<std::string, std::multiset<std::string>> keys;
  const auto requests = receiver.requests();
  for (size_t i = 0; i < requests.size(); ++i) {
    if (refused != nullptr && refused(i)) continue;
    for (const json& event : requests[i].events()) keys[event["id"]].insert(event["idempotency_key"]);
  }
  return keys;
}

TEST_F(HttpSink, DeliversEveryEventOnceWhileNothingGoesWrong) {
  HttpReceiver receiver;
  write_manifests(receiver.url(), {{"compression", "zstd"}, {"format", "ndjson"}});
  site_.start();
  for (int i = 0; i < 20; ++i) ASSERT_EQ(site_.post(events(10, i * 10)).status, 202);
  ASSERT_TRUE(site_.wait_settled("cloud", 200)) << site_.status().dump(2);
  EXPECT_EQ(site_.consumer("cloud")["delivered"], 200);
  std::map<std::string, std::vector<int64_t>> by_device;
  for (const ReceivedRequest& request : receiver.requests()) {
    for (const json& event : request.events()) by_device[event["device_id"]].push_back(event["value"]);
  }
  size_t count = 0;
  for (const auto& [device, values] : by_device) {
    EXPECT_TRUE(std::is_sorted(values.begin(), values.end())) << device;
    count += values.size();
  }
  EXPECT_EQ(count, 200u);
}

TEST_F(HttpSink, KeepsEverythingWhileTheServerIsAwayAndDeliversItAfterwards) {
  const uint16_t port = HttpReceiver().port();
  write_manifests("http://127.0.0.1:" + std::to_string(port) + "/events");
  site_.start();
  for (int i = 0; i < 10; ++i) ASSERT_EQ(site_.post(events(10, i * 10)).status, 202);
  ASSERT_TRUE(site_.wait_settled("store", 100)) << "the other sink noticed";
  ASSERT_TRUE(wait_until([&] { return site_.consumer("cloud").value("breaker", "") == "open"; }));
  EXPECT_TRUE(wait_until([&] {
    return site_.instance("cloud").value("reason", "").find("no connection to 127.0.0.1") !=
           std::string::npos;
  })) << site_.instance("cloud");
  HttpReceiver receiver([](const ReceivedRequest&, size_t) { return ReceiverAnswer{}; }, port);
  ASSERT_TRUE(site_.wait_settled("cloud", 100));
  EXPECT_EQ(keys_by_id(receiver).size(), 100u);
  EXPECT_EQ(site_.consumer("cloud")["dead"], 0);
}

TEST_F(HttpSink, BuriesOnlyTheEventThatTheServerRefuses) {
  HttpReceiver receiver([](const ReceivedRequest& request, size_t) {
    for (const json& event : request.events()) {
      if (event["value"] == 13) return ReceiverAnswer{.status = 422, .body = "thirteen is unlucky"};
    }
    return ReceiverAnswer{};
  });
  write_manifests(receiver.url());
  site_.start();
  ASSERT_EQ(site_.post(events(30)).status, 202);
  ASSERT_TRUE(site_.wait_settled("cloud", 30));
  EXPECT_EQ(site_.consumer("cloud")["delivered"], 29);
  EXPECT_EQ(site_.consumer("cloud")["dead"], 1);
  EXPECT_THAT(site_.weir({"dead", "list"}).output, HasSubstr("thirteen is unlucky"));
  EXPECT_EQ(site_.status()["balanced"], true);
}

TEST_F(HttpSink, LosesNothingThatWasAcknowledgedWhenTheGatewayIsKilledUnderLoad) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  // Now and then a busy server, so that retries are under way too.
  HttpReceiver receiver([](const ReceivedRequest&, size_t index) {
    return ReceiverAnswer{.status = busy_at(index) ? 503 : 200};
  });
  write_manifests(receiver.url(), {{"linger_ms", 5}});
  std::vector<std::string> acknowledged;
  constexpr int kRounds = 8;
  for (int round = 0; round < kRounds; ++round) {
    site_.start();
    Load a(site_, 1), b(site_, 2);
    const size_t before = receiver.requests().size();
    ASSERT_TRUE(wait_until([&] {
      return a.acknowledged() + b.acknowledged() > 20 && receiver.requests().size() > before + 2;
    })) << site_.log();
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 30'000));  // any moment
    site_.kill();
    for (Load* load : {&a, &b}) load->collect(&acknowledged);
  }
  site_.start();
  ASSERT_TRUE(site_.wait_settled("cloud")) << site_.status().dump(2);
  ASSERT_GE(acknowledged.size(), size_t{kRounds} * 20) << "the load was no load";
  const auto arrived = keys_by_id(receiver, busy_at);
  size_t lost = 0;
  for (const std::string& id : acknowledged) lost += arrived.contains(id) ? 0 : 1;
  EXPECT_EQ(lost, 0u) << "of " << acknowledged.size();
  std::set<std::string> keys;
  size_t again = 0;
  for (const auto& [id, its_keys] : arrived) {
    EXPECT_EQ(its_keys.count(*its_keys.begin()), its_keys.size()) << id << " came under two keys";
    EXPECT_TRUE(keys.insert(*its_keys.begin()).second) << "two events have the key " << *its_keys.begin();
    again += its_keys.size() - 1;
  }
  EXPECT_EQ(site_.status()["balanced"], true);
  std::cout << acknowledged.size() << " events acknowledged, " << again << " came again\n";
}

TEST_F(HttpSink, FeedsAnotherGateway) {
  Site other;
  other.main_line();
  other.start();
  write_manifests("http://127.0.0.1:" + std::to_string(other.http_port()) + "/v1/events",
                  {{"fields", "input"}});
  site_.start();
  for (int i = 0; i < 5; ++i) ASSERT_EQ(site_.post(events(20, i * 20)).status, 202);
  ASSERT_TRUE(site_.wait_settled("cloud", 100)) << site_.status().dump(2);
  ASSERT_TRUE(other.wait_settled("store", 100)) << other.status().dump(2);
  EXPECT_EQ(other.stored("value"), site_.stored("value"));
  EXPECT_EQ(other.stored("timestamp"), site_.stored("timestamp"));
}

// Python's server and its gzip: neither shares a line with ours.
constexpr char kPythonServer[] = R"(
import gzip, http.server, json, sys
class Take(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        body = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
        for event in json.loads(body):
            print(event["idempotency_key"], event["value"], flush=True)
        self.send_response(204)
        self.end_headers()
    def log_message(self, *arguments):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Take)
print("port", server.server_address[1], flush=True)
server.serve_forever()
)";

TEST_F(HttpSink, IsUnderstoodByPythonsServer) {
  Process python({"python3", "-c", kPythonServer});
  ASSERT_TRUE(python.wait_for_output("\n")) << python.errors();
  const std::string port = python.output().substr(5, python.output().find('\n') - 5);
  write_manifests("http://127.0.0.1:" + port + "/", {{"compression", "gzip"}});
  site_.start();
  ASSERT_EQ(site_.post(events(50)).status, 202);
  ASSERT_TRUE(site_.wait_settled("cloud", 50)) << site_.status().dump(2) << python.errors();
  EXPECT_EQ(site_.consumer("cloud")["delivered"], 50);
  const std::string printed = python.output();
  EXPECT_EQ(std::count(printed.begin(), printed.end(), '\n'), 51);
  EXPECT_THAT(printed, HasSubstr("/0 49\n"));
}

}  // namespace
}  // namespace weir::test
