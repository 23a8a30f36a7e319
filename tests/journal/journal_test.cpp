#include "journal/journal.h"

#include <gtest/gtest.h>

#include <condition_variable>

#include "support/temp_dir.h"
#include "weir/batch.hpp"

namespace weir::journal {
namespace {

class Waiter : public SettlementListener {
 public:
  void settled(std::vector<Settlement> settlements) override {
    std::lock_guard lock(mutex_);
    for (auto& s : settlements) settled_.push_back(std::move(s));
    wake_.notify_all();
  }
  std::vector<Settlement> wait(size_t n) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(wake_.wait_for(lock, std::chrono::seconds(10), [&] { return settled_.size() >= n; }));
    return settled_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Settlement> settled_;
};

event::Block batch(uint32_t events, const std::string& key = "") {
  sdk::BatchBuilder builder;
  for (uint32_t i = 0; i < events; ++i) {
    weir_event_v1& event = builder.add();
    event.device_id = builder.text("device-" + std::to_string(i % 7));
    event.sensor_type = builder.text("temperature");
    event.dedupe_key = builder.text(key);
    event.value_type = WEIR_I64;
    event.value.i64 = i;
  }
  return event::Block::copy(builder.finish());
}

TEST(Journal, ReadsBackWhatItSettledAfterARestart) {
  test::TempDir dir;
  Options options;
  options.data_dir = dir.path().string();
  uint64_t epoch = 0;
  {
    auto journal = Journal::open(options);
    ASSERT_TRUE(journal.ok()) << journal.error().text();
    Waiter waiter;
    for (uint64_t token = 1; token <= 3; ++token) {
      Offer offer;
      offer.listener = &waiter;
      offer.source = (*journal)->intern("api");
      offer.block = batch(100, token == 1 ? "" : "same");
      offer.token = token;
      offer.received_ns = base::wall_ns();
      (*journal)->offer(std::move(offer));
    }
    auto settled = waiter.wait(3);
    ASSERT_EQ(settled.size(), 3u);
    EXPECT_TRUE(settled[0].durable && settled[1].durable && settled[2].durable);
    EXPECT_EQ(settled[0].first_sequence, 1u);
    EXPECT_EQ(settled[1].first_sequence, 101u);
    EXPECT_EQ(settled[2].first_sequence, 101u);
    EXPECT_EQ(settled[2].duplicates, 100u);
    EXPECT_EQ(settled[2].ids.at(0).first, settled[1].ids.at(0).first);
    EXPECT_EQ((*journal)->head(), 200u);
    epoch = (*journal)->epoch();
    (*journal)->stop();
  }
  auto journal = Journal::open(options);
  ASSERT_TRUE(journal.ok()) << journal.error().text();
  EXPECT_EQ((*journal)->head(), 200u);
  EXPECT_EQ((*journal)->epoch(), epoch);
  Reader reader(**journal);
  std::vector<StoredBatch> batches;
  for (uint64_t at = 1; at <= 200; at = batches.back().last() + 1) {
    auto done = reader.read(at, 1, &batches);
    ASSERT_TRUE(done.ok()) << done.error().text();
    ASSERT_FALSE(batches.empty());
  }
  ASSERT_EQ(batches.size(), 2u);
  EXPECT_EQ(batches[1].first, 101u);
  EXPECT_EQ(batches[1].block->event(99)->sequence, 200u);
  EXPECT_EQ(batches[1].source, "api");
}

}  // namespace
}  // namespace weir::journal
