// The plugin that other tests build their scenarios from does what its head comment says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/plugin_host.h"
#include "test_plugins.h"

namespace weir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ProbeKit : public testing::Test {
 protected:
  test::TempDir folder_;
  test::PluginLibrary library_{plugin::test_plugin("probe-kit")};
  test::PluginHost host_;
};

test::TestEvent from(const std::string& device, double value, uint64_t sequence = 1) {
  test::TestEvent event;
  event.device_id = device;
  event.value = value;
  event.sequence = sequence;
  return event;
}

TEST_F(ProbeKit, SinkDecidesByDeviceAndLogsEachEventWithItsOutcome) {
  const std::string log = folder_ / "log";
  test::Instance sink(
      library_, host_, "test.sink",
      R"({"retry_devices": ["b"], "reject_devices": ["c"], "retry_after_ms": 70, "log": ")" + log + "\"}");
  sink.prepare();
  sink.start();
  test::Completion done =
      sink.deliver(test::make_batch({from("a", 1.5, 7), from("b", 2, 8), from("c", 3, 9)}));
  EXPECT_EQ(done.of(0).outcome, uint32_t{WEIR_DELIVERED});
  EXPECT_EQ(done.of(1).outcome, uint32_t{WEIR_RETRY});
  EXPECT_EQ(done.of(1).retry_after_ms, 70u);
  EXPECT_EQ(done.of(2).outcome, uint32_t{WEIR_REJECT});
  const std::string lines = test::read_file(log);
  EXPECT_THAT(lines, HasSubstr(" 7 0 a 1.5 deliver\n"));
  EXPECT_THAT(lines, HasSubstr(" 8 0 b 2 retry\n"));
  EXPECT_THAT(lines, HasSubstr(" 9 0 c 3 reject\n"));
}

TEST_F(ProbeKit, SinkFollowsItsControlFileWithEachBatch) {
  const std::string control = folder_ / "control.json";
  test::Instance sink(library_, host_, "test.sink", R"({"control": ")" + control + "\"}");
  sink.prepare();
  sink.start();
  test::Block batch = test::make_batch({from("a", 1)});
  EXPECT_EQ(sink.deliver(batch).of(0).outcome, uint32_t{WEIR_DELIVERED});
  folder_.write("control.json", R"({"mode": "reject"})");
  EXPECT_EQ(sink.deliver(batch).of(0).outcome, uint32_t{WEIR_REJECT});
  folder_.write("control.json", R"({"mode": "refuse"})");
  EXPECT_THROW(sink.deliver(batch), test::CallFailed);
  folder_.write("control.json", R"({"mode": "twice"})");
  sink.deliver(batch);
  EXPECT_EQ(host_.delivery.repeated(), 1u);
}

TEST_F(ProbeKit, SlowSinkCompletesLaterInOrderAndDrains) {
  test::Instance sink(library_, host_, "test.sink", R"({"slow_ms": 20})");
  sink.prepare();
  sink.start();
  test::Block first = test::make_batch({from("a", 1)});
  test::Block second = test::make_batch({from("a", 2)});
  sink.submit(first, 1);
  sink.submit(second, 2);
  sink.drain();
  EXPECT_TRUE(host_.delivery.wait_for(1, std::chrono::nanoseconds(0)).has_value());
  EXPECT_TRUE(host_.delivery.wait_for(2, std::chrono::nanoseconds(0)).has_value());
  sink.stop();
}

TEST_F(ProbeKit, TransformDecidesByDevice) {
  test::Instance transform(library_, host_, "test.transform",
                           R"({"drop_devices": ["b"], "reject_devices": ["c"], "undecided_devices": ["d"],
                               "add": 10, "unit": "K"})");
  transform.prepare();
  transform.start();
  test::Block batch = test::make_batch({from("a", 1), from("b", 2), from("c", 3), from("d", 4)});
  test::TransformOutput output(batch);
  transform.process(batch, output);
  EXPECT_EQ(output.verdicts()[0].decision, test::Decision::kKept);
  EXPECT_EQ(output.verdicts()[1].reason, "unwanted");
  EXPECT_EQ(output.verdicts()[2].code, 42u);
  EXPECT_EQ(output.verdicts()[3].decision, test::Decision::kNone);
  ASSERT_EQ(output.result().size(), 1u);
  EXPECT_EQ(output.result()[0].value, test::TestValue(11.0));
  EXPECT_EQ(output.result()[0].unit, "K");
}

TEST_F(ProbeKit, TransformCopiesEventsAndFailsWhenItIsTold) {
  test::Instance transform(library_, host_, "test.transform", R"({"copies": 3, "status_devices": ["bad"]})");
  transform.prepare();
  transform.start();
  test::Block batch = test::make_batch({from("a", 1)});
  test::TransformOutput output(batch);
  transform.process(batch, output);
  std::vector<test::TestValue> values;
  for (const test::TestEvent& event : output.result()) values.push_back(event.value);
  EXPECT_THAT(values, ElementsAre(1.0, 2.0, 3.0));
  test::Block bad = test::make_batch({from("bad", 1)});
  test::TransformOutput none(bad);
  EXPECT_THROW(transform.process(bad, none), test::CallFailed);
}

TEST_F(ProbeKit, SourceEmitsAllItsEventsThroughBusyTimesAndLogsWhatIsDurable) {
  const std::string log = folder_ / "log";
  std::atomic<int> calls = 0;
  host_.ingress.settle_mode(test::Settle::kFromAnotherThread);
  host_.ingress.on_emit([&](const weir_batch*) {
    test::EmitAnswer answer;
    if (calls++ == 1) answer.verdict = WEIR_BUSY;
    return answer;
  });
  test::Instance source(library_, host_, "test.source",
                        R"({"count": 25, "batch": 10, "devices": 2, "log": ")" + log + "\"}");
  source.prepare();
  source.start();
  ASSERT_TRUE(host_.ingress.wait_for_events(25));
  source.drain();
  std::vector<test::TestEvent> events = host_.ingress.events();
  for (size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i].value, test::TestValue(static_cast<double>(i)));
    EXPECT_EQ(events[i].device_id, "device-" + std::to_string(i % 2));
  }
  const std::string lines = test::read_file(log);
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 3);
  EXPECT_THAT(lines, HasSubstr(" 21 5 20\n"));
}

TEST_F(ProbeKit, FailsTheCallThatItIsToldToFail) {
  test::Instance sink(library_, host_, "test.sink", R"({"fail": "start"})");
  sink.prepare();
  EXPECT_THROW(sink.start(), test::CallFailed);
}

}  // namespace
}  // namespace weir
