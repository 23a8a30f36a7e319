// Cuts the power at random moments in the middle of windows, and holds what was derived in the end against what one run
// without any fault makes of the same inputs.
#include <random>

#include "stateful_fixture.h"

namespace weir::delivery {
namespace {

class StatefulPowerCuts : public StatefulTest, public testing::WithParamInterface<std::tuple<uint64_t, test::CutMode>> {
 protected:
  StatefulPowerCuts() : StatefulTest(std::get<0>(GetParam())), random_(std::get<0>(GetParam())) {
    options_.segment_bytes = pick(2) == 0 ? 48 << 10 : 64 << 20;
    options_.tail_bytes = pick(2) == 0 ? 0 : 1 << 20;
    engine_options_.tick_every = std::chrono::milliseconds(1);
  }
  uint64_t pick(uint64_t n) { return random_() % n; }

  // Sources and the clock go on until the power goes, or for so many steps.
  void live(int steps) {
    for (int step = 0; step < steps && !machine_.disk().off(); ++step) {
      now_ += static_cast<int64_t>(pick(4));
      if (pick(3) == 0) clock_ = now_;
      std::vector<Reading> readings;
      for (uint64_t n = 1 + pick(6); n > 0; --n) {
        Reading reading;
        reading.device = std::string(1, static_cast<char>('a' + pick(3)));
        reading.timestamp = std::max<int64_t>(0, now_ - static_cast<int64_t>(pick(20)));
        reading.value = static_cast<int64_t>(pick(100)) - 1;
        if (pick(6) == 0) reading.sensor = "pass";
        readings.push_back(reading);
      }
      (void)store(readings, now_, pick(8) == 0 ? "elsewhere" : "api");
      if (pick(10) == 0) (void)journal_->state().sync(std::chrono::milliseconds(5));
      if (pick(12) == 0 && !machine_.disk().off()) {
        stop();
        if (!start()) return;
      }
    }
  }

  std::mt19937_64 random_;
  int64_t now_ = 10;
};

TEST_P(StatefulPowerCuts, LeaveTheSameBytesAsNoCut) {
  constexpr int kCuts = 6;
  open();
  ASSERT_TRUE(start());
  for (int cut = 0; cut < kCuts && !HasFailure(); ++cut) {
    machine_.disk().power_off_at(pick(200));
    live(60);
    clock_ = 0;
    restart_after_cut(std::get<1>(GetParam()));
    if (HasFailure()) return;
    if (pick(2) != 0) continue;
    drain();
    expect_as_without_fault();
  }
  live(20);
  drain();  // or what is not worked yet could fill windows after none was seen
  clock_ = now_ + 100;
  ASSERT_TRUE(test::wait_until([&] { return engine_->state_size().second == 0; }));
  drain();
  expect_as_without_fault();
}

INSTANTIATE_TEST_SUITE_P(Disk, StatefulPowerCuts,
                         testing::Combine(testing::Range<uint64_t>(1, 21), testing::ValuesIn(test::kAllCutModes)));

}  // namespace
}  // namespace weir::delivery
