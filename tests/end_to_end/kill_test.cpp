// kill -9 at random moments under load: what was acknowledged is in the sink, once, and the ledger says the same (P1, P2).
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <thread>

#include "end_to_end/load.h"
#include "end_to_end/site.h"

namespace weir::test {
namespace {

using nlohmann::json;

// 50 in the suite; WEIR_KILL_ROUNDS=500 for the long run.
int rounds() {
  const char* wanted = std::getenv("WEIR_KILL_ROUNDS");
  return wanted != nullptr ? std::atoi(wanted) : 50;
}

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
