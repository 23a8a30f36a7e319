// The consumer's thread with a real journal and a sink made of functions.
#include "delivery/consumer.h"

#include <gtest/gtest.h>

#include <future>

#include "support/temp_dir.h"
#include "support/wait.h"
#include "weir/batch.hpp"

namespace weir::delivery {
namespace {

// A sink that delivers within submit, after `before` has looked at the batch.
struct Sink {
  std::function<void(const weir_batch*)> before = [](const weir_batch*) {};
  Consumer* consumer = nullptr;
  std::atomic<int> submissions{0};

  static void limits(void*, weir_sink_limits*) {}
  static weir_status submit(void* self, const weir_batch* batch, uint64_t token, int64_t, weir_error*) {
    auto& sink = *static_cast<Sink*>(self);
    ++sink.submissions;
    sink.before(batch);
    weir_sink_result delivered{};
    delivered.outcome = WEIR_DELIVERED;
    sink.consumer->complete(token, &delivered, 1);
    return WEIR_OK;
  }
  static void cancel(void*, uint64_t) {}
};
constexpr weir_sink_v1 kTable{&Sink::limits, &Sink::submit, &Sink::cancel};

// Nobody waits for settlements here.
struct Ignored : journal::SettlementListener {
  void settled(std::vector<journal::Settlement>) override {}
};

class ConsumerTest : public ::testing::Test {
 protected:
  ConsumerTest() {
    journal::Options options;
    options.data_dir = folder_.path().string();
    journal_ = std::move(journal::Journal::open(options).value());
    Consumer::Options settings;
    settings.queue.limits.max_batch_events = 1;
    journal::ConsumerState state;
    state.name = "store";
    state.origin = 1;
    consumer_ = std::make_shared<Consumer>(
        *journal_, state, std::make_unique<graph::Pipeline>(std::vector<graph::NodeSpec>(), std::vector<graph::Edge>{"api"}),
        SinkCall{&kTable, &sink_}, settings);
    sink_.consumer = consumer_.get();
  }

  void accept(uint32_t events) {
    sdk::BatchBuilder builder;
    for (uint32_t i = 0; i < events; ++i) {
      weir_event_v1& event = builder.add();
      event.device_id = builder.text("d" + std::to_string(i));
      event.sensor_type = builder.text("t");
      event.value_type = WEIR_BOOL;
    }
    uint64_t head = journal_->head() + events;
    journal::Offer offer;
    offer.listener = &ignored_;
    offer.source = journal_->intern("api");
    offer.block = event::Block::copy(builder.finish());
    offer.received_ns = base::wall_ns();
    journal_->offer(std::move(offer));
    ASSERT_TRUE(test::wait_until([&] { return journal_->head() == head; }));
  }
  journal::ConsumerState posted() {
    for (const journal::ConsumerState& state : journal_->state().consumers()) {
      if (state.name == "store") return state;
    }
    return {};
  }

  test::TempDir folder_;
  Sink sink_;
  Ignored ignored_;  // told by the journal's thread until that ends
  std::unique_ptr<journal::Journal> journal_;
  std::shared_ptr<Consumer> consumer_;
};

TEST_F(ConsumerTest, DeliversWhatWasAcceptedAndBalances) {
  accept(20);
  consumer_->start();
  EXPECT_TRUE(test::wait_until([&] { return consumer_->status().pending == 0; }));
  ConsumerStatus status = consumer_->status();
  EXPECT_EQ(status.committed, 20u);
  EXPECT_EQ(status.state.counts.delivered, 20u);
  EXPECT_EQ(sink_.submissions, 20);
  EXPECT_TRUE(consumer_->stop(test::kPatience));
  EXPECT_EQ(posted().cursor.floor(), 21u);
}

TEST_F(ConsumerTest, PausesBetweenTwoSubmissionsOfAFullWindow) {
  accept(50);
  sink_.before = [&](const weir_batch*) {
    if (sink_.submissions == 3) consumer_->pause(true);
  };
  consumer_->start();
  EXPECT_TRUE(test::wait_until([&] { return sink_.submissions == 3; }));
  EXPECT_TRUE(consumer_->wait_idle(test::kPatience));
  EXPECT_EQ(sink_.submissions, 3) << "what was read before the pause was submitted all the same";
  consumer_->pause(false);
  EXPECT_TRUE(test::wait_until([&] { return consumer_->status().pending == 0; }));
  EXPECT_TRUE(consumer_->stop(test::kPatience));
}

TEST_F(ConsumerTest, PostsNothingAnyMoreWhenItWasLeftBehind) {
  accept(3);
  std::promise<void> entered, go_on;
  std::shared_future<void> free = go_on.get_future().share();
  sink_.before = [&](const weir_batch*) {
    if (sink_.submissions == 1) entered.set_value();
    free.wait();
  };
  consumer_->start();
  entered.get_future().wait();
  EXPECT_FALSE(consumer_->stop(std::chrono::milliseconds(10))) << "a sink that hangs is reported, not waited for";
  // What `weir forget` did meanwhile, or where a successor is by now.
  journal_->state().forget("store");
  go_on.set_value();
  EXPECT_TRUE(consumer_->stop(test::kPatience));
  EXPECT_EQ(posted().name, "") << "it came back and took the place again";
}

TEST_F(ConsumerTest, IgnoresAndCountsLateAnswers) {
  accept(2);
  consumer_->start();
  EXPECT_TRUE(test::wait_until([&] { return consumer_->status().pending == 0; }));
  // An answer for a token that was answered before, and one with more results than a batch can have.
  weir_sink_result rejected{};
  rejected.outcome = WEIR_REJECT;
  consumer_->complete(1, &rejected, 1);
  consumer_->complete(2, &rejected, UINT32_MAX);
  EXPECT_TRUE(test::wait_until([&] { return consumer_->status().late_completions == 2; }));
  EXPECT_EQ(consumer_->status().state.counts.dead, 0u);
  EXPECT_EQ(consumer_->status().state.counts.delivered, 2u);
  EXPECT_TRUE(consumer_->stop(test::kPatience));
}

}  // namespace
}  // namespace weir::delivery
