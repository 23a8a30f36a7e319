// What the tests of the stateful engine share: a transform that remembers, a journal on a disk that loses power, the
// engine between them, and what a run without any fault would have made of the same journal.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "delivery/stateful.h"
#include "support/crash_vfs.h"
#include "support/result.h"
#include "support/wait.h"
#include "weir/plugin.hpp"

namespace weir::delivery {

// Sums the values of each device over windows of ten units of event time, and gives a window out, with the sensor type
// "sum", when the time has passed its end by kLateness, be it by an event or by a tick. What comes later is dropped as
// "late". Negative values are rejected, the sensor type "pass" is kept with a note, "fail" makes the call fail.
class Sums final : public sdk::StatefulTransform {
 public:
  static constexpr uint32_t kStateFormat = 3;
  static constexpr int64_t kWindow = 10, kLateness = 5;

  void process(const weir_transform_context& context, const weir_batch* batch, sdk::Output& output) override;
  void tick(const weir_transform_context& context, sdk::Output& output) override;
  void restore(uint32_t format_version, std::string_view key, std::string_view value) override;

  static graph::TransformCall call(Sums* self) { return {&sdk::detail::stateful_of<Sums>, self, nullptr}; }

 private:
  using Window = std::pair<int64_t, std::string>;  // its start, the device
  void close(uint32_t cause, int64_t now_ns, sdk::Output& output);
  std::map<Window, int64_t> sums_;
};

// One event as a test offers it.
struct Reading {
  std::string device = "d";
  int64_t timestamp = 0;
  int64_t value = 0;
  std::string sensor = "t";
  // 0: when its row was. Only rows of derived events hold several times, so such a row is stored as one.
  int64_t received = 0;
};

class StatefulTest : public testing::Test, public journal::SettlementListener {
 protected:
  static constexpr const char* kName = "sums";
  // All times of these tests lie near here, so that the clock counts as plausible.
  static constexpr int64_t kBase = 1'800'000'000'000'000'000;

  StatefulTest() : StatefulTest(1) {}
  explicit StatefulTest(uint64_t seed);
  ~StatefulTest() override { close(); }

  void open();
  // The engine and its transform, restored as the runtime does it. False when the journal does not let it.
  bool start();
  void stop();
  void close();
  void restart_after_cut(test::CutMode mode = test::CutMode::kDropUnsynced);

  // One row, with kBase added to every time; true when it is durable.
  bool store(const std::vector<Reading>& readings, int64_t received, const std::string& source = "api");
  // Waits until everything in the journal is worked.
  void drain();
  ConsumerStatus status() { return engine_->status(); }

  // Every derived event in the journal, in order, with all that belongs to it but its own sequence.
  std::vector<std::string> derived();
  // What one instance that is fed event by event makes of the journal's inputs, and how it counts them.
  struct Reference {
    std::vector<std::string> derived;
    journal::Counts counts;
  };
  Reference reference();
  // The events as "device sensor value @timestamp cause", without kBase.
  std::vector<std::string> brief();
  void expect_as_without_fault();

  void settled(std::vector<journal::Settlement> settlements) override;

  test::CrashVfs machine_;
  journal::Options options_;
  StatefulConsumer::Options engine_options_;
  std::atomic<int64_t> clock_{0};  // what ticks say, without kBase; 0: none
  std::vector<graph::Edge> from_{"api"};
  std::unique_ptr<journal::Journal> journal_;
  std::shared_ptr<TransformState> state_;
  std::unique_ptr<Sums> sums_;
  std::unique_ptr<StatefulConsumer> engine_;

 private:
  std::vector<journal::StoredBatch> rows();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<uint64_t, bool> settled_;
  uint64_t tokens_ = 0;
};

}  // namespace weir::delivery
