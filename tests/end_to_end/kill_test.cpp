// kill -9 at random moments under load: what was acknowledged is in the sink, once, and the ledger says the same (P1, P2).
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <random>
#include <thread>

#include "end_to_end/site.h"

namespace weir::test {
namespace {

using nlohmann::json;

// 50 in the suite; WEIR_KILL_ROUNDS=500 for the long run.
int rounds() {
  const char* wanted = std::getenv("WEIR_KILL_ROUNDS");
  return wanted != nullptr ? std::atoi(wanted) : 50;
}

// Posts batches on a connection of its own until told to stop, and remembers the ids that were acknowledged.
class Load {
 public:
  Load(const Site& site, int number) : thread_([this, &site, number] { run(site, number); }) {}
  ~Load() {
    stop_ = true;
    thread_.join();
  }
  size_t acknowledged() const { return count_; }
  void collect(std::vector<std::string>* ids) {
    std::lock_guard lock(mutex_);
    ids->insert(ids->end(), ids_.begin(), ids_.end());
    ids_.clear();
  }

 private:
  void run(const Site& site, int number) {
    for (int64_t value = 0; !stop_; value += 5) {
      try {
        HttpClient client = site.http();
        std::string body = events(5, int64_t{number} * 1'000'000'000 + value).dump();
        while (!stop_) {
          auto answer = client.request("POST", "/v1/events", body, {{"Content-Type", "application/json"}});
          if (!answer) break;
          if (answer->status != 202) continue;
          const json receipt = json::parse(answer->body);
          std::lock_guard lock(mutex_);
          for (const json& id : receipt["ids"]) ids_.push_back(id);
          count_ += 5;
        }
      } catch (const std::exception&) {
        std::this_thread::yield();  // the gateway is down: that is what this is about
      }
    }
  }

  std::atomic<bool> stop_{false};
  std::atomic<size_t> count_{0};
  std::mutex mutex_;
  std::vector<std::string> ids_;
  std::thread thread_;
};

TEST(Kill, LosesNothingThatWasAcknowledgedInManyRoundsUnderLoad) {
  unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Site site;
  site.main_line();
  std::vector<std::string> acknowledged;
  for (int round = 0; round < rounds(); ++round) {
    site.start();
    {
      Load a(site, 1), b(site, 2), c(site, 3);
      // Some load first, so that a round is about something; then anywhere in a window of a few commits.
      ASSERT_TRUE(wait_until([&] { return a.acknowledged() + b.acknowledged() + c.acknowledged() > 20; })) << site.log();
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 30'000));
      site.kill();
      for (Load* load : {&a, &b, &c}) load->collect(&acknowledged);
    }
  }
  site.start();
  ASSERT_TRUE(site.wait_settled("store")) << site.status().dump(2);
  std::multiset<std::string> stored = site.stored("id");
  ASSERT_GE(acknowledged.size(), size_t(rounds()) * 20) << "the load was no load";
  size_t lost = 0;
  for (const std::string& id : acknowledged) lost += stored.contains(id) ? 0 : 1;
  EXPECT_EQ(lost, 0u) << "of " << acknowledged.size() << " acknowledged";
  EXPECT_EQ(std::set<std::string>(stored.begin(), stored.end()).size(), stored.size()) << "an id is stored twice";
  json status = site.status();
  EXPECT_EQ(status["balanced"], true) << status.dump(2);
  EXPECT_EQ(status["lost"].size(), 0u);
  EXPECT_EQ(site.get("/api/v1/journal/recount")["agrees"], true);
  // Nothing was made up either: every stored event was committed.
  EXPECT_EQ(stored.size(), site.consumer("store")["committed"].get<size_t>());
  std::cout << rounds() << " rounds, " << acknowledged.size() << " events acknowledged, " << stored.size() << " stored\n";
}

}  // namespace
}  // namespace weir::test
