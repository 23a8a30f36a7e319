// enrich.dedupe: the first one goes on, the same again does not, and nothing is remembered for ever.
#include "stateful_fixture.h"

namespace weir::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class Dedupe : public StatefulEnrichTest {
 protected:
  static TestEvent at(int64_t seconds, double value = 1, const std::string& device = "d") {
    TestEvent event;
    event.device_id = device;
    event.timestamp_ns = kNoon + seconds * kSecond;
    event.value = value;
    return event;
  }
  static int64_t now(int64_t seconds) { return kNoon + seconds * kSecond; }
};

TEST_F(Dedupe, DropsTheSameContentAgain) {
  make("enrich.dedupe");
  EXPECT_THAT(process({at(0), at(0), at(0, 2), at(1), at(0, 1, "e")}, now(1)), SizeIs(4));
  EXPECT_EQ(verdicts_[1].reason, "duplicate");
  EXPECT_THAT(process({at(0), at(1)}, now(2)), IsEmpty());
}

TEST_F(Dedupe, KeepsAnEventAsItIs) {
  make("enrich.dedupe");
  TestEvent event = at(0);
  event.unit = "Cel";
  event.metadata = {{"site", "north"}};
  std::vector<TestEvent> out = process({event}, now(0));
  ASSERT_THAT(out, SizeIs(1));
  EXPECT_EQ(out[0].unit, "Cel");
  EXPECT_EQ(out[0].metadata, event.metadata);
  EXPECT_EQ(out[0].value, event.value);
}

TEST_F(Dedupe, RemembersAfterARestart) {
  make("enrich.dedupe");
  EXPECT_THAT(process({at(0)}, now(0)), SizeIs(1));
  restart();
  EXPECT_THAT(process({at(0)}, now(1)), IsEmpty());
}

TEST_F(Dedupe, ForgetsWhatIsOlderThanTheWindowAndTakesItsKeyBack) {
  make("enrich.dedupe", R"({"window": "60s", "lateness": "10s"})");
  process({at(0)}, now(0));
  process({at(30)}, now(30));
  EXPECT_THAT(state_, SizeIs(2));
  // At 60 + 10 the first one is forgotten; until then it is known.
  EXPECT_THAT(process({at(0)}, now(69)), IsEmpty());
  process({at(70)}, now(70));
  EXPECT_THAT(state_, SizeIs(2));
}

TEST_F(Dedupe, ALateEventIsKeptAndNotRemembered) {
  make("enrich.dedupe", R"({"window": "60s", "lateness": "0s"})");
  EXPECT_THAT(process({at(0), at(0)}, now(60)), SizeIs(2));
  EXPECT_THAT(state_, IsEmpty());
}

TEST_F(Dedupe, ALateEventIsDroppedWhereThatIsWanted) {
  make("enrich.dedupe", R"({"window": "60s", "lateness": "0s", "on_late": "drop"})");
  EXPECT_THAT(process({at(0)}, now(60)), IsEmpty());
  EXPECT_EQ(verdicts_[0].reason, "late");
}

TEST_F(Dedupe, ByIdItIsTheMessageThatCounts) {
  make("enrich.dedupe", R"({"by": "id"})");
  TestEvent first = at(0), other = at(0);
  first.id_byte = 1;
  other.id_byte = 2;
  EXPECT_THAT(process({first, other, first}, now(0)), SizeIs(2));
  EXPECT_EQ(verdicts_[2].reason, "duplicate");
}

TEST_F(Dedupe, RemembersNoMoreThanItMay) {
  make("enrich.dedupe", R"({"max_keys": 2})");
  process({at(0), at(1), at(2)}, now(2));
  EXPECT_THAT(state_, SizeIs(2));
  EXPECT_THAT(process({at(0), at(2)}, now(2)), SizeIs(1));  // the oldest was forgotten, the newest was not
}

TEST_F(Dedupe, ATimestampAtTheEndOfTimeDoesNoHarm) {
  make("enrich.dedupe");
  TestEvent event = at(0);
  for (int64_t timestamp : {INT64_MAX, INT64_MIN}) {
    event.timestamp_ns = timestamp;
    EXPECT_THAT(process({event}, now(0)), SizeIs(1));
  }
}

TEST_F(Dedupe, DeclinesAStateOfAnotherFormat) {
  make("enrich.dedupe");
  try {
    instance_->restore(2, "key", "1");
    ADD_FAILURE() << "it was taken";
  } catch (const CallFailed& failure) {
    EXPECT_EQ(failure.code, WEIR_E_UNSUPPORTED);
  }
}

TEST_F(Dedupe, RefusesAWrongConfiguration) {
  expect_refused("enrich.dedupe", R"({"by": "name"})", "/by");
  expect_refused("enrich.dedupe", R"({"window": "soon"})", "/window");
  expect_refused("enrich.dedupe", R"({"lateness": 5})", "/lateness");
  expect_refused("enrich.dedupe", R"({"max_keys": 0})", "/max_keys");
  expect_refused("enrich.dedupe", R"({"on_late": "wait"})", "/on_late");
}

}  // namespace
}  // namespace weir::test
