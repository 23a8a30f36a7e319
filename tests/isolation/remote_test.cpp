// An instance in a real child process: the built weir, real plugins, a host in this process.
#include "isolation/remote.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <future>

#include "plugin/catalog.h"
#include "support/plugin_host.h"
#include "support/result.h"
#include "support/temp_dir.h"
#include "support/wait.h"

namespace weir::isolation {
namespace {

using namespace std::chrono_literals;
using test::make_batch;
using testing::HasSubstr;

base::Monotonic in(base::Duration time) { return base::now() + time; }

std::filesystem::path build_folder() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path();
}

class RemoteInstance : public testing::Test {
 protected:
  RemoteOptions options(const std::string& component) {
    plugin::Catalog::Options where;
    where.folders = {build_folder() / "lib/weir/test-plugins"};
    where.cache_folder = folder_ / "cache";
    where.probe.program = build_folder() / "bin/weir";
    plugin::Catalog catalog(where);
    catalog.scan();
    auto offer = catalog.offer(component, [](std::string_view) { return true; });
    EXPECT_OK(offer);
    RemoteOptions options;
    options.name = "it";
    options.program = build_folder() / "bin/weir";
    options.library = offer->library;
    options.version = offer->note.version;
    options.component = offer->component;
    options.gateway_id = "test-gateway";
    options.first_restart = 10ms;
    options.last_restart = 100ms;
    return options;
  }
  // The handle of a PluginHost, shared as an instance wants it.
  std::shared_ptr<weir_host> handle() { return {host_.handle(), [](weir_host*) {}}; }
  std::unique_ptr<plugin::Instance> make(const RemoteOptions& options) {
    return std::make_unique<plugin::Instance>("it", bind_remote(options), handle());
  }
  void run(plugin::Instance& instance, const std::string& config = "{}") {
    ASSERT_OK(instance.create(config).status);
    ASSERT_OK(instance.prepare(in(20s)).status);
    ASSERT_OK(instance.start(in(20s)).status);
  }
  test::Completion submit(plugin::Instance& sink, const weir_batch* batch, uint64_t token) {
    weir_status status = sink.sink()->submit(sink.self(), batch, token, base::monotonic_ns(in(20s)), nullptr);
    EXPECT_EQ(status, WEIR_OK);
    auto completion = host_.delivery.wait_for(token);
    EXPECT_TRUE(completion.has_value()) << "no completion";
    return completion.value_or(test::Completion{{{WEIR_RETRY, 0, 0, ""}}});
  }
  bool wait_until_up(plugin::Instance& instance, int not_pid) {
    return test::wait_until([&] { return instance.process()->pid != 0 && instance.process()->pid != not_pid; });
  }

  test::TempDir folder_;
  test::PluginHost host_;
};

TEST_F(RemoteInstance, LivesItsLifeInAProcessOfItsOwn) {
  auto it = make(options("test.sink"));
  run(*it);
  int pid = it->process()->pid;
  EXPECT_TRUE(std::filesystem::exists("/proc/" + std::to_string(pid)));
  test::Block batch = make_batch({{.value = 1.0}, {.value = 2.0}});
  EXPECT_EQ(submit(*it, batch, 7).of(1).outcome, uint32_t{WEIR_DELIVERED});
  ASSERT_OK(it->stop(in(20s)).status);
  ASSERT_OK(it->destroy().status);
  EXPECT_FALSE(std::filesystem::exists("/proc/" + std::to_string(pid)));
}

TEST_F(RemoteInstance, BringsBackWhatThePluginSaysOfAWrongConfiguration) {
  auto it = make(options("test.sink"));
  plugin::CallResult made = it->create(R"({"fail": "create"})");
  ASSERT_FALSE(made.ok());
  EXPECT_THAT(made.status.error().text(), HasSubstr("create"));
}

TEST_F(RemoteInstance, ACallThatOverrunsIsEndedAndTheInstanceIsNotGivenUp) {
  auto it = make(options("test.sink"));
  ASSERT_OK(it->create(R"({"hang": "prepare"})").status);
  plugin::CallResult late = it->prepare(in(50ms));
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.status.error().code, base::Code::kTimeout);
  EXPECT_THAT(late.status.error().text(), HasSubstr("did not return from prepare() in time and was ended"));
  EXPECT_FALSE(it->hung());
  EXPECT_EQ(it->process()->pid, 0);
}

TEST_F(RemoteInstance, AProcessThatDiesIsStartedAgainAndGivenItsBatchAgain) {
  auto it = make(options("test.sink"));
  run(*it, R"({"mode": "never"})");
  int pid = it->process()->pid;
  test::Block batch = make_batch({{}, {}});
  ASSERT_EQ(it->sink()->submit(it->self(), batch, 3, base::monotonic_ns(in(20s)), nullptr), WEIR_OK);
  ::kill(pid, SIGKILL);
  auto completion = host_.delivery.wait_for(3);
  ASSERT_TRUE(completion);
  EXPECT_EQ(completion->of(0).outcome, uint32_t{WEIR_RETRY});
  EXPECT_EQ(completion->of(1).reason, "its process was killed by SIGKILL");
  EXPECT_TRUE(wait_until_up(*it, pid));
  EXPECT_EQ(host_.metric("process_restarts_total"), 1);
  EXPECT_TRUE(host_.logged("its process was killed by SIGKILL; it is started again"));
  EXPECT_EQ(it->state(), plugin::Instance::State::kRunning);
  ASSERT_OK(it->stop(in(20s)).status);
}

TEST_F(RemoteInstance, ADataCallThatHangsIsEnded) {
  RemoteOptions quick = options("hostile.transform");
  quick.data_call_limit = 100ms;
  auto it = make(quick);
  run(*it);
  test::Block batch = make_batch({{}, {.sensor_type = "hang"}, {}});
  test::TransformOutput output(batch);
  weir_transform_context context{};
  EXPECT_EQ(it->transform()->process(it->self(), &context, batch, output.get(), nullptr), WEIR_OK);
  EXPECT_EQ(output.verdicts()[0].decision, test::Decision::kKept);
  EXPECT_EQ(output.verdicts()[2].decision, test::Decision::kKept);
  EXPECT_EQ(output.verdicts()[1].decision, test::Decision::kRejected);
  EXPECT_THAT(output.verdicts()[1].reason, HasSubstr("hung in process() for"));
  EXPECT_THAT(output.verdicts()[1].reason, HasSubstr("3 times in a row with this event"));
}

TEST_F(RemoteInstance, AProcessThatDoesNotAnswerIsEnded) {
  RemoteOptions quick = options("test.sink");
  quick.silence_limit = 700ms;
  auto it = make(quick);
  run(*it);
  int pid = it->process()->pid;
  ::kill(pid, SIGSTOP);
  EXPECT_TRUE(wait_until_up(*it, pid));
  EXPECT_TRUE(host_.logged("did not answer for"));
  test::Block batch = make_batch({{}});
  EXPECT_EQ(submit(*it, batch, 1).of(0).outcome, uint32_t{WEIR_DELIVERED});
}

TEST_F(RemoteInstance, APluginThatCannotComeBackIsTriedAgainUntilItIsStopped) {
  auto it = make(options("test.sink"));
  run(*it);
  std::filesystem::remove_all(folder_ / "cache");  // its file
  int pid = it->process()->pid;
  ::kill(pid, SIGKILL);
  EXPECT_TRUE(host_.wait_for_log("its process cannot be started again"));
  test::Block batch = make_batch({{}});
  char text[256] = "";
  weir_error error{WEIR_OK, 0, text, sizeof text, 0, nullptr};
  EXPECT_EQ(it->sink()->submit(it->self(), batch, 1, base::monotonic_ns(in(1s)), &error), WEIR_E_UNAVAILABLE);
  EXPECT_THAT(text, HasSubstr("its process cannot be started again"));
  EXPECT_EQ(it->health().state, uint32_t{WEIR_HEALTH_FAILED});
  ASSERT_OK(it->stop(in(20s)).status);
  ASSERT_OK(it->destroy().status);
}

TEST_F(RemoteInstance, ASourceIsToldOfWhatItEmitted) {
  auto it = make(options("test.source"));
  ASSERT_OK(it->create(R"({"count": 20, "batch": 5, "in_flight": 1})").status);
  ASSERT_OK(it->prepare(in(20s)).status);
  host_.ingress.settle_mode(test::Settle::kFromAnotherThread);
  host_.ingress.bind(it->source(), it->self());
  ASSERT_OK(it->start(in(20s)).status);
  EXPECT_TRUE(host_.ingress.wait_for_events(20)) << "each batch waits for the one before";
  // The next one emits as soon as it is started, before it serves.
  for (size_t child = 2; child <= 5; ++child) {
    int pid = it->process()->pid;
    ::kill(pid, SIGKILL);
    EXPECT_TRUE(wait_until_up(*it, pid));
    EXPECT_TRUE(host_.ingress.wait_for_events(20 * child)) << "child " << child;
  }
  ASSERT_OK(it->drain(in(20s)).status);
  host_.ingress.unbind();
  ASSERT_OK(it->stop(in(20s)).status);
}

TEST_F(RemoteInstance, CountersGoOnOverARestart) {
  auto it = make(options("test.sink"));
  run(*it);
  for (int i = 1; i <= 3; ++i) {
    int pid = it->process()->pid;
    ::kill(pid, SIGKILL);
    EXPECT_TRUE(wait_until_up(*it, pid));
  }
  EXPECT_TRUE(test::wait_until([&] { return host_.metric("process_restarts_total") == 3; }));
  EXPECT_TRUE(test::wait_until([&] { return host_.metric("process_memory_bytes") > 0; }));
}

// Issue line: an idle child takes at most 6 MB of private memory.
TEST_F(RemoteInstance, AnIdleProcessIsSmall) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizers take more";
#endif
  auto it = make(options("hostile.sink"));
  run(*it);
  EXPECT_TRUE(test::wait_until([&] { return it->process()->memory_bytes != 0; }));
  std::printf("an idle process has %.1f MB of private memory (aim: at most 6 MB)\n",
              static_cast<double>(it->process()->memory_bytes) / 1e6);
  EXPECT_LE(it->process()->memory_bytes, 6'000'000u);
}

}  // namespace
}  // namespace weir::isolation
