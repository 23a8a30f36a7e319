// http.source from create to unloading: configuration, pause, drain, stop, and that nothing of it stays
// behind.
#include <filesystem>
#include <future>

#include "source_fixture.h"

namespace weir::http {
namespace {

size_t entries_of(const char* folder) {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}
size_t open_descriptors() { return entries_of("/proc/self/fd"); }
size_t threads() { return entries_of("/proc/self/task"); }

TEST_F(HttpSource, RefusesAWrongConfigurationByItsKey) {
  struct Case {
    const char *config, *pointer, *message;
  };
  for (const Case& c :
       {Case{R"({"listen": 8080})", "/listen", "must be text, not empty"},
        Case{R"({"listen": ""})", "/listen", "must be text, not empty"},
        Case{R"({"max_connections": 0})", "/max_connections", "must be a whole number from 1 to 100000"},
        Case{R"({"max_body_bytes": 1.5})", "/max_body_bytes", "must be a whole number from 1 to 67108864"},
        Case{R"({"header_timeout_ms": "1s"})", "/header_timeout_ms",
             "must be a whole number from 1 to 3600000"},
        Case{R"({"idle_timeout_ms": null})", "/idle_timeout_ms",
             "must not be null; leave the key out for its default"},
        Case{R"({"lisen": "x"})", "/lisen", "unknown key \"lisen\""},
        Case{"[]", "", "the configuration must be a JSON object"}}) {
    try {
      test::Instance instance(library_, host_, "http.source", c.config);
      ADD_FAILURE() << c.config << " was taken";
    } catch (const test::CallFailed& failure) {
      EXPECT_EQ(failure.code, WEIR_E_INVALID) << c.config;
      EXPECT_EQ(failure.pointer, c.pointer) << c.config;
      EXPECT_STREQ(failure.what(), c.message) << c.config;
    }
  }
}

TEST_F(HttpSource, DocumentsEveryKeyInItsSchema) {
  const weir_descriptor* descriptor = library_.descriptor("http.source");
  ASSERT_NE(descriptor, nullptr);
  const auto schema = nlohmann::json::parse(descriptor->config_schema);
  EXPECT_EQ(schema["additionalProperties"], false);
  nlohmann::json all_defaults;
  for (const auto& [key, property] : schema["properties"].items()) {
    EXPECT_TRUE(property.contains("description")) << key;
    if (property.contains("default")) all_defaults[key] = property["default"];
    if (!property.contains("maximum")) continue;
    // The schema and the reader agree about the limits.
    for (const char* limit : {"minimum", "maximum"}) {
      nlohmann::json config = {{key, property[limit]}};
      EXPECT_NO_THROW(test::Instance(library_, host_, "http.source", config.dump())) << config;
    }
    nlohmann::json config = {{key, property["maximum"].get<int64_t>() + 1}};
    EXPECT_THROW(test::Instance(library_, host_, "http.source", config.dump()), test::CallFailed) << config;
  }
  EXPECT_EQ(all_defaults.size() + 2, schema["properties"].size()) << "all but mapping and tls";
  for (const auto& [key, property] : schema["properties"]["tls"]["properties"].items()) {
    EXPECT_TRUE(property.contains("description")) << key;
  }
  EXPECT_NO_THROW(test::Instance(library_, host_, "http.source", all_defaults.dump()));
}

TEST_F(HttpSource, SaysThatItsAddressIsTaken) {
  host_.fail_listen(WEIR_E_UNAVAILABLE);
  test::Instance instance(library_, host_, "http.source", "{}");
  try {
    instance.prepare();
    ADD_FAILURE() << "prepared without a socket";
  } catch (const test::CallFailed& failure) {
    EXPECT_EQ(failure.code, WEIR_E_UNAVAILABLE);
    EXPECT_EQ(failure.pointer, "/listen");
  }
}

TEST_F(HttpSource, AcceptsNobodyBeforeItIsStarted) {
  instance_.emplace(library_, host_, "http.source", R"({"listen": "127.0.0.1:0"})");
  instance_->prepare();
  HttpClient early = connect();
  ASSERT_TRUE(early.send(kHealthRequest));
  EXPECT_EQ(host_.metric("connections"), 0);
  instance_->start();
  EXPECT_EQ(early.read()->status, 200) << "who came early waits in the socket's queue";
}

TEST_F(HttpSource, LeavesNewClientsInTheQueueWhilePaused) {
  settle_at_once();
  start();
  HttpClient open = connect();
  ASSERT_EQ(post(open, kEvent)->status, 202);
  instance_->pause();
  HttpClient queued = connect();
  ASSERT_TRUE(queued.send(kHealthRequest));
  const auto last = post(open, kEvent);
  EXPECT_EQ(last->status, 202) << "who is connected is served once more";
  EXPECT_EQ(last->header("Connection"), "close");
  EXPECT_TRUE(open.wait_for_close());
  EXPECT_FALSE(has_bytes(queued));
  instance_->resume();
  EXPECT_EQ(queued.read()->status, 200);
  EXPECT_EQ(queued.request("GET", "/v1/health")->header("Connection"), "");
}

TEST_F(HttpSource, CanBePausedAndResumedQuickly) {
  start();
  for (int i = 0; i < 100; ++i) {
    instance_->pause();
    instance_->resume();
  }
  EXPECT_EQ(connect().request("GET", "/v1/health")->status, 200);
}

TEST_F(HttpSource, DrainsWhenWhatItTookIsSettledAndAnswered) {
  start();
  HttpClient waiting = connect();
  ASSERT_TRUE(waiting.send(post_of(kEvent)));
  ASSERT_TRUE(host_.ingress.wait_for_batches(1));
  HttpClient late = connect();
  ASSERT_EQ(late.request("GET", "/v1/health")->status, 200);
  try {
    instance_->drain(std::chrono::milliseconds(50));
    ADD_FAILURE() << "drained with a request in flight";
  } catch (const test::CallFailed& failure) {
    EXPECT_EQ(failure.code, WEIR_E_TIMEOUT);
    EXPECT_STREQ(failure.what(), "requests are still waiting for their settlement");
  }
  const auto refused = post(late, kEvent);
  EXPECT_EQ(refused->status, 503);
  EXPECT_EQ(refused->header("Retry-After"), "1");
  EXPECT_EQ(refused->header("Connection"), "close");
  EXPECT_EQ(error_part(refused, "message"),
            "the server is about to stop; send the request again on a new connection");

  auto drained = std::async(std::launch::async, [&] { instance_->drain(); });
  host_.ingress.settle_all();
  drained.get();
  EXPECT_TRUE(has_bytes(waiting)) << "the answer has left when drain() returns";
  const auto response = waiting.read();
  EXPECT_EQ(response->status, 202);
  EXPECT_EQ(response->header("Connection"), "close");
  EXPECT_EQ(host_.ingress.accepted_events(), 1u);
}

TEST_F(HttpSource, DrainsThoughTheClientHasGone) {
  start();
  {
    HttpClient gone = connect();
    ASSERT_TRUE(gone.send(post_of(kEvent)));
    ASSERT_TRUE(host_.ingress.wait_for_batches(1));
  }
  EXPECT_THROW(instance_->drain(std::chrono::milliseconds(50)), test::CallFailed);
  host_.ingress.settle_all();
  instance_->drain();
}

TEST_F(HttpSource, GoesOnAfterADrainThatWasTakenBack) {
  settle_at_once();
  start();
  instance_->drain();
  HttpClient queued = connect();
  ASSERT_TRUE(queued.send(post_of(kEvent)));
  instance_->resume();
  EXPECT_EQ(queued.read()->status, 202);
}

TEST_F(HttpSource, HandsItsQueueToASuccessor) {
  settle_at_once();
  start();
  test::PluginHost next_host(host_);
  next_host.ingress.settle_mode(test::Settle::kFromAnotherThread);
  test::Instance next(library_, next_host, "http.source", R"({"listen": "127.0.0.1:0"})");
  next.prepare();
  instance_->pause();
  HttpClient queued = connect();
  ASSERT_TRUE(queued.send(post_of(kEvent)));
  instance_->drain();
  next.start();
  instance_->stop();
  EXPECT_EQ(queued.read()->status, 202);
  EXPECT_EQ(next_host.ingress.accepted_events(), 1u);
  EXPECT_EQ(host_.ingress.accepted_events(), 0u);
  EXPECT_TRUE(next_host.ingress.wait_for_batches(1));
}

TEST_F(HttpSource, StopsWithClientsInEveryState) {
  start();
  HttpClient silent = connect();
  HttpClient partial = connect();
  ASSERT_TRUE(partial.send("POST /v1/ev"));
  HttpClient waiting = connect();
  ASSERT_TRUE(waiting.send(post_of(kEvent)));
  HttpClient refused = connect();
  ASSERT_TRUE(refused.send("nonsense\r\n\r\n"));
  ASSERT_EQ(refused.read()->status, 400);
  ASSERT_TRUE(host_.ingress.wait_for_batches(1));
  instance_->stop();
  for (HttpClient* client : {&silent, &partial, &waiting, &refused}) EXPECT_TRUE(client->wait_for_close());
  EXPECT_EQ(host_.metric("connections"), 0);
  host_.ingress.settle_all();  // too late: must be ignored
}

TEST_F(HttpSource, LeavesNoThreadAndNoDescriptorBehind) {
  settle_at_once();
  start();  // opens the host's socket and starts its thread, which stay
  instance_.reset();
  const size_t descriptors = open_descriptors();
  const size_t tasks = threads();
  for (int i = 0; i < 20; ++i) {
    start();
    HttpClient client = connect();
    ASSERT_EQ(post(client, kEvent)->status, 202);
    EXPECT_EQ(threads(), tasks + 1);
    instance_->drain();
    instance_->stop();
    // A thread that has been joined leaves /proc a moment later.
    EXPECT_TRUE(test::wait_until([&] { return threads() == tasks; })) << "stop() joins";
    instance_.reset();
  }
  EXPECT_EQ(open_descriptors(), descriptors);
}

TEST(HttpPlugin, IsUnmappedWhenItIsClosed) {
  const std::string path = test::plugin_path("http");
  for (int i = 0; i < 3; ++i) {
    {
      test::PluginLibrary library(path);
      test::PluginHost host;
      host.ingress.settle_mode(test::Settle::kFromAnotherThread);
      test::Instance source(library, host, "http.source", R"({"listen": "127.0.0.1:0"})");
      source.prepare();
      source.start();
      HttpClient client(host.port());
      ASSERT_EQ(client.request("POST", "/v1/events", kEvent, kJsonContent)->status, 202);
      ASSERT_EQ(client.request("POST", "/v1/events", "{", kJsonContent)->status, 400);
      ASSERT_TRUE(test::is_mapped(path));
      source.stop();
    }
    EXPECT_FALSE(test::is_mapped(path));
  }
}

}  // namespace
}  // namespace weir::http
