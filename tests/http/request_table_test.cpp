// Requests and their ids: a late answer must find nobody rather than somebody else.
#include "http/request_table.h"

#include <gtest/gtest.h>

namespace weir::http {
namespace {

// Only their addresses count.
Connection* client(uintptr_t n) { return reinterpret_cast<Connection*>(n * 64); }

TEST(RequestTable, LeadsToTheClientOnce) {
  RequestTable table;
  const uint64_t id = table.open(client(1));
  Connection* found = nullptr;
  EXPECT_TRUE(table.close(id, &found));
  EXPECT_EQ(found, client(1));
  EXPECT_FALSE(table.close(id, &found));
  EXPECT_EQ(table.open_count(), 0u);
}

TEST(RequestTable, DoesNotTakeALateAnswerForTheNextRequests) {
  RequestTable table;
  const uint64_t old = table.open(client(1));
  Connection* found = nullptr;
  table.close(old, &found);
  const uint64_t fresh = table.open(client(2));
  EXPECT_NE(old, fresh);
  EXPECT_FALSE(table.close(old, &found));
  EXPECT_TRUE(table.close(fresh, &found));
  EXPECT_EQ(found, client(2));
}

TEST(RequestTable, KeepsARequestOpenWhoseClientHasGone) {
  RequestTable table;
  const uint64_t id = table.open(client(1));
  table.detach(id);
  EXPECT_EQ(table.open_count(), 1u);
  Connection* found = client(1);
  EXPECT_TRUE(table.close(id, &found));
  EXPECT_EQ(found, nullptr);
}

TEST(RequestTable, KnowsNoIdThatItDidNotGive) {
  RequestTable table;
  Connection* found = nullptr;
  EXPECT_FALSE(table.close(0, &found));
  EXPECT_FALSE(table.close(UINT64_MAX, &found));
  table.detach(17);
}

}  // namespace
}  // namespace weir::http
