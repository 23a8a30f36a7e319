#include "isolation/suspects.h"

#include <gtest/gtest.h>

#include "event/block.h"
#include "weir/batch.hpp"

namespace weir::isolation {
namespace {

// Events with the sequences first .. first + n - 1.
event::Block batch(uint64_t first, uint32_t n) {
  sdk::BatchBuilder builder;
  for (uint32_t i = 0; i < n; ++i) {
    builder.add();
    builder.event(i).sequence = first + i;
  }
  return event::Block::copy(builder.finish());
}

TEST(Suspects, AnEventIsGuiltyThatWasThereInThreeDeathsInARow) {
  Suspects suspects;
  event::Block all = batch(10, 4);
  EXPECT_FALSE(suspects.any(all.batch()));
  suspects.note_death(all.batch(), 0, 4, false);
  EXPECT_TRUE(suspects.any(all.batch()));
  EXPECT_FALSE(suspects.any(batch(20, 4).batch())) << "others were not there";
  suspects.note_death(all.batch(), 2, 1, true);
  EXPECT_FALSE(suspects.guilty(all.batch(), 2));
  suspects.note_death(all.batch(), 2, 1, true);
  EXPECT_TRUE(suspects.guilty(all.batch(), 2));
  EXPECT_FALSE(suspects.guilty(all.batch(), 1));
}

TEST(Suspects, OneThatWasDealtWithIsInnocentAgain) {
  Suspects suspects;
  event::Block all = batch(10, 2);
  for (int i = 0; i < 2; ++i) {
    suspects.note_death(all.batch(), 0, 1, true);
    suspects.note_death(all.batch(), 1, 1, true);
  }
  suspects.clear(all.batch(), 0, 1);
  suspects.note_death(all.batch(), 0, 1, true);
  suspects.note_death(all.batch(), 1, 1, true);
  EXPECT_FALSE(suspects.guilty(all.batch(), 0));
  EXPECT_TRUE(suspects.guilty(all.batch(), 1));
}

TEST(Suspects, NobodyIsGuiltyInCompany) {
  Suspects suspects;
  event::Block all = batch(10, 2);
  for (int i = 0; i < 10; ++i) suspects.note_death(all.batch(), 0, 2, false);
  EXPECT_FALSE(suspects.guilty(all.batch(), 0));
  EXPECT_TRUE(suspects.any(all.batch()));
}

TEST(Suspects, RemembersABoundedNumber) {
  Suspects suspects;
  for (uint64_t first = 1; first < 400'000; first += 50'000) {
    event::Block many = batch(first, 50'000);
    suspects.note_death(many.batch(), 0, 50'000, false);
  }
  EXPECT_FALSE(suspects.any(batch(1, 10).batch())) << "the oldest are forgotten";
  EXPECT_TRUE(suspects.any(batch(399'000, 10).batch()));
}

}  // namespace
}  // namespace weir::isolation
