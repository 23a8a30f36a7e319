#include "plugin/instance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "plugin/control_thread.h"
#include "support/result.h"
#include "test_plugins.h"
#include "weir/sink.h"

namespace weir::plugin {
namespace {

using namespace std::chrono_literals;
using State = Instance::State;

base::Monotonic in(base::Duration time) { return base::now() + time; }

std::shared_ptr<Library> library() {
  const std::string path = test_plugin("fault-none");
  auto opened = Library::open(path, *read_note(path), 20s);
  EXPECT_OK(opened);
  return std::move(opened).value();
}

std::unique_ptr<Instance> instance(std::shared_ptr<Library> of, base::Duration grace = Instance::kGrace) {
  auto bound = bind_library(std::move(of), "fault.sink");
  EXPECT_OK(bound);
  return std::make_unique<Instance>("store", std::move(bound).value(), bare_host(), grace);
}

void run_to_running(Instance& it) {
  ASSERT_OK(it.create("{}").status);
  ASSERT_OK(it.prepare(in(20s)).status);
  ASSERT_OK(it.start(in(20s)).status);
}

TEST(Instance, GoesThroughItsLife) {
  auto it = instance(library());
  EXPECT_EQ(it->state(), State::kNew);
  run_to_running(*it);
  EXPECT_EQ(it->state(), State::kRunning);
  EXPECT_NE(it->self(), nullptr);
  EXPECT_NE(it->sink(), nullptr);
  EXPECT_EQ(it->source(), nullptr);
  EXPECT_EQ(it->transform(), nullptr);
  EXPECT_OK(it->pause(in(20s)).status);
  EXPECT_EQ(it->state(), State::kPaused);
  EXPECT_OK(it->resume(in(20s)).status);
  EXPECT_OK(it->drain(in(20s)).status);
  EXPECT_EQ(it->state(), State::kDrained);
  EXPECT_OK(it->stop(in(20s)).status);
  EXPECT_EQ(it->state(), State::kStopped);
  EXPECT_OK(it->destroy().status);
  EXPECT_EQ(it->state(), State::kDestroyed);
  EXPECT_EQ(it->self(), nullptr);
}

TEST(Instance, RefusesACallThatIsOutOfOrderWithoutMakingIt) {
  auto it = instance(library());
  EXPECT_EQ(it->start(in(20s)).status.error().text(), "store: start is not possible, the instance is new");
  ASSERT_OK(it->create("{}").status);
  EXPECT_FALSE(it->create("{}").ok());
  EXPECT_EQ(it->resume(in(20s)).status.error().text(),
            "store: resume is not possible, the instance is created");
  EXPECT_EQ(it->state(), State::kCreated);
}

TEST(Instance, IsDestroyedFromWhereverItIs) {
  for (int calls = 0; calls < 4; ++calls) {
    auto it = instance(library());
    if (calls > 0) {
      ASSERT_OK(it->create("{}").status);
    }
    if (calls > 1) {
      ASSERT_OK(it->prepare(in(20s)).status);
    }
    if (calls > 2) {
      ASSERT_OK(it->start(in(20s)).status);
    }
  }
  EXPECT_FALSE(is_mapped(test_plugin("fault-none")));
}

TEST(Instance, ShowsThePluginsTextAndPointerAndStaysWhereItWas) {
  auto it = instance(library());
  ASSERT_OK(it->create(R"({"fail": "prepare"})").status);
  CallResult prepared = it->prepare(in(20s));
  ASSERT_FALSE(prepared.ok());
  EXPECT_EQ(prepared.status.error().text(), "store: prepare failed: it was told to fail");
  EXPECT_EQ(prepared.status.error().code, base::Code::kInvalid);
  EXPECT_EQ(prepared.pointer, "/fail");
  EXPECT_EQ(prepared.retry_after_ms, 250u);
  EXPECT_EQ(it->state(), State::kCreated);
}

TEST(Instance, HasNoSelfWhenItsConfigurationIsRefused) {
  auto it = instance(library());
  EXPECT_FALSE(it->create(R"({"fail": "create"})").ok());
  EXPECT_EQ(it->state(), State::kNew);
  EXPECT_EQ(it->self(), nullptr);
}

TEST(Instance, OfAnUnknownComponentIsRefused) {
  auto bound = bind_library(library(), "fault.other");
  ASSERT_FALSE(bound.ok());
  EXPECT_EQ(bound.error().text(), "the plugin 'fault' has no component 'fault.other'");
}

TEST(Instance, ReportsHealth) {
  auto it = instance(library());
  EXPECT_EQ(it->health().state, uint32_t{WEIR_HEALTH_FAILED});
  run_to_running(*it);
  EXPECT_EQ(it->health().state, uint32_t{WEIR_HEALTH_OK});
  EXPECT_EQ(it->health().text, "1.0.0");
}

TEST(Instance, RunsOtherCallsOnItsControlThreadToo) {
  auto it = instance(library());
  run_to_running(*it);
  std::thread::id first, second;
  EXPECT_OK(it->call("first", in(20s), [&](void*, weir_error*) {
                return first = std::this_thread::get_id(), WEIR_OK;
              }).status);
  EXPECT_OK(it->call("second", in(20s), [&](void* self, weir_error*) {
                second = std::this_thread::get_id();
                return self == it->self() ? WEIR_OK : WEIR_E_INTERNAL;
              }).status);
  EXPECT_EQ(first, second);
  EXPECT_NE(first, std::this_thread::get_id());
}

TEST(Instance, TurnsAnExceptionThatCrossesTheBorderIntoAnError) {
  auto it = instance(library());
  run_to_running(*it);
  CallResult thrown = it->call("restore", in(20s), [](void*, weir_error*) -> weir_status { throw 1; });
  EXPECT_EQ(thrown.status.error().text(),
            "store: restore failed: threw a C++ exception across the plugin border");
}

TEST(Instance, LeavesNoThreadBehindThatPinsItsLibrary) {
  const std::string path = test_plugin("thread-local");
  auto opened = Library::open(path, *read_note(path), 20s);
  ASSERT_OK(opened);
  std::shared_ptr<Library> shared = std::move(opened).value();
  auto bound = bind_library(shared, "pin.sink");
  ASSERT_OK(bound);
  Instance it("pin", std::move(bound).value(), bare_host());
  ASSERT_OK(it.create("{}").status);
  ASSERT_OK(it.prepare(in(20s)).status);
  ASSERT_OK(it.destroy().status);
  EXPECT_OK(shared->close());
}

// Each of these leaves one thread and one copy of the library in this process for ever, as in a gateway.
class HangingInstance : public testing::TestWithParam<const char*> {};

TEST_P(HangingInstance, IsAbandonedAtItsDeadlineAndTheOthersRunOn) {
  std::shared_ptr<Library> shared = library();
  auto other = instance(shared);
  run_to_running(*other);
  const size_t abandoned = abandoned_threads();

  const std::string call = GetParam();
  auto it = instance(shared, 20ms);
  CallResult last = it->create(R"({"hang": ")" + call + R"("})", call == "create" ? 30ms : 20s);
  using Step = CallResult (Instance::*)(base::Monotonic);
  for (auto [name, step] : {std::pair<const char*, Step>("prepare", &Instance::prepare),
                            {"start", &Instance::start},
                            {"pause", &Instance::pause},
                            {"resume", &Instance::resume},
                            {"drain", &Instance::drain},
                            {"stop", &Instance::stop}}) {
    if (!last.ok()) break;
    last = (it.get()->*step)(in(call == name ? base::Duration(30ms) : 20s));
  }
  if (last.ok()) last = it->destroy(30ms);

  ASSERT_FALSE(last.ok());
  EXPECT_EQ(last.status.error().code, base::Code::kTimeout);
  EXPECT_EQ(last.status.error().text(),
            "store: " + call +
                " did not return by its deadline; the instance hangs and was abandoned "
                "(the plugin's author has to mend it)");
  EXPECT_TRUE(it->hung());
  EXPECT_EQ(abandoned_threads(), abandoned + 1);
  EXPECT_EQ(it->stop(in(20s)).status.error().text(), "store: stop is not possible, the instance hangs");
  EXPECT_EQ(it->health().text, "does not answer: a call of the plugin hangs");
  it.reset();  // waits for nobody

  EXPECT_EQ(other->health().text, "1.0.0");
  EXPECT_OK(other->pause(in(20s)).status);
  EXPECT_OK(other->resume(in(20s)).status);
  auto successor = instance(shared);
  run_to_running(*successor);
}

INSTANTIATE_TEST_SUITE_P(EachCall, HangingInstance,
                         testing::Values("create", "prepare", "start", "pause", "resume", "drain", "stop",
                                         "destroy"),
                         [](const auto& call) { return std::string(call.param); });

TEST(HungInstance, KeepsItsLibraryInMemory) {
  const std::string path = test_plugin("fault-none-2");
  auto opened = Library::open(path, *read_note(path), 20s);
  ASSERT_OK(opened);
  auto it = instance(std::move(opened).value(), 10ms);
  ASSERT_FALSE(it->create(R"({"hang": "create"})", 10ms).ok());
  it.reset();
  EXPECT_TRUE(is_mapped(path));
}

}  // namespace
}  // namespace weir::plugin
