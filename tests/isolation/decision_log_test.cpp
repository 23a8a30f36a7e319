#include "isolation/decision_log.h"

#include <gtest/gtest.h>

#include "support/events.h"
#include "support/transform_output.h"

namespace weir::isolation {
namespace {

using test::make_batch;
using test::TransformOutput;

weir_text text_of(std::string_view text) { return {text.data(), text.size()}; }

// Every kind of decision, as a transform makes them.
void decide_all(weir_output* output) {
  output->keep(output, 0);
  output->keep(output, 1);
  output->drop(output, 2, text_of("unwanted"));
  output->reject(output, 3, 42, text_of("wrong"));
  weir_amendment value{};
  value.field = WEIR_FIELD_VALUE;
  value.value_type = WEIR_STRING;
  value.text = text_of("warm");
  EXPECT_EQ(output->amend(output, 4, &value), WEIR_OK);
  weir_amendment metadata{};
  metadata.field = WEIR_FIELD_METADATA;
  metadata.key = text_of("room");
  metadata.text = text_of("attic");
  EXPECT_EQ(output->amend(output, 4, &metadata), WEIR_OK);
  weir_text pairs[] = {text_of("kind"), text_of("copy")};
  weir_new_event event{};
  event.sensor_type = text_of("humidity");
  event.value_type = WEIR_F64;
  event.value.f64 = 0.5;
  event.metadata = pairs;
  event.metadata_count = 1;
  EXPECT_EQ(output->emit(output, 5, &event), WEIR_OK);
}

std::string logged(const test::Block& batch, void (*decide)(weir_output*)) {
  static DecisionLog log;
  static event::Block block;
  block = event::Block::copy(batch);
  log.begin(block);
  decide(&log);
  return std::string(log.finish(WEIR_OK));
}

TEST(DecisionLog, TellsWhatWasDecided) {
  test::Block batch = make_batch(std::vector<test::TestEvent>(6));
  TransformOutput direct(batch), told(batch);
  decide_all(direct.get());
  ASSERT_TRUE(tell(logged(batch, decide_all), 0, 6, told.get()));
  EXPECT_EQ(told.verdicts(), direct.verdicts());
  EXPECT_EQ(told.result(), direct.result());
  EXPECT_TRUE(told.violations().empty());
}

TEST(DecisionLog, AnswersAsTheGatewayWould) {
  test::Block batch = make_batch({{}});
  std::string log = logged(batch, [](weir_output* output) {
    weir_amendment wrong{};
    wrong.field = WEIR_FIELD_VALUE;
    wrong.value_type = WEIR_F64;
    wrong.value.f64 = 0.0 / 0.0;
    EXPECT_EQ(output->amend(output, 0, &wrong), WEIR_E_INVALID);
    EXPECT_EQ(output->amend(output, 7, &wrong), WEIR_E_INVALID);
  });
  TransformOutput told(batch);
  ASSERT_TRUE(tell(log, 0, batch.count(), told.get()));
  EXPECT_EQ(told.verdicts()[0].decision, test::Decision::kNone);
}

TEST(DecisionLog, ALongRunOfKeptEventsIsShort) {
  test::Block batch = make_batch(std::vector<test::TestEvent>(5000));
  auto keep_all = [](weir_output* output) {
    for (uint32_t i = 0; i < 5000; ++i) output->keep(output, i);
  };
  std::string log = logged(batch, keep_all);
  EXPECT_LT(log.size(), 32u);
  TransformOutput told(batch);
  ASSERT_TRUE(tell(log, 0, batch.count(), told.get()));
  EXPECT_TRUE(told.untouched());
}

TEST(DecisionLog, IsAboutAPartOfABatch) {
  test::Block batch = make_batch(std::vector<test::TestEvent>(3));
  std::string log = logged(make_batch({{}}), [](weir_output* output) { output->drop(output, 0, text_of("late")); });
  TransformOutput told(batch);
  ASSERT_TRUE(tell(log, 2, 1, told.get()));
  EXPECT_EQ(told.verdicts()[2].reason, "late");
  EXPECT_EQ(told.verdicts()[0].decision, test::Decision::kNone);
  TransformOutput others(batch);
  EXPECT_FALSE(tell(logged(make_batch({{}, {}}), [](weir_output* output) { output->drop(output, 1, text_of("late")); }), 1, 1,
                    others.get()))
      << "it was asked about one event";
  EXPECT_EQ(others.verdicts()[2].decision, test::Decision::kNone);
}

// It comes from a process that is not trusted: every prefix, and every byte changed.
TEST(DecisionLog, DamagedOnesAreNoticedOrHarmless) {
  test::Block batch = make_batch(std::vector<test::TestEvent>(6));
  std::string whole = logged(batch, decide_all);
  for (size_t size = 0; size < whole.size(); ++size) {
    TransformOutput told(batch);
    tell(whole.substr(0, size), 0, 6, told.get());
  }
  for (size_t at = 0; at < whole.size(); ++at) {
    for (unsigned char flip : {0x01, 0x80, 0xff}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      TransformOutput told(batch);
      tell(damaged, 0, 6, told.get());
    }
  }
  EXPECT_FALSE(tell(whole.substr(0, whole.size() - 1), 0, 6, TransformOutput(batch).get()));
  EXPECT_FALSE(tell("nonsense", 0, 6, TransformOutput(batch).get()));
}

}  // namespace
}  // namespace weir::isolation
