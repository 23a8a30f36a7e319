// A plugin in the gateway that does not return is named while it does not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "site.h"
#include "support/wait.h"

namespace weir::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST(Watchdog, NamesAnInstanceWhoseCallOverruns) {
  Site site;
  site.main_line();
  // In the gateway, whichever way the suite is run: a process of its own is ended instead.
  site.manifest("slow", {{"plugin", "test.transform"},
                         {"from", "api"},
                         {"isolation", "in-process"},
                         {"config", {{"hang", "process"}}}});
  site.manifest("copy", {{"plugin", "sqlite.sink"}, {"from", "slow"}, {"config", {{"path", "data/copy.db"}}}});
  site.start();
  ASSERT_EQ(site.post(events(2)).status, 202);
  ASSERT_TRUE(site.wait_settled("store", 2)) << "the others do not notice";
  EXPECT_TRUE(wait_until([&] { return site.instance("slow")["call_overruns"] == 1; }));
  EXPECT_THAT(site.instance("slow")["reason"].get<std::string>(), HasSubstr("process() has not returned for"));
  EXPECT_THAT(site.log(), HasSubstr("[slow] process() has not returned for"));
  EXPECT_THAT(http_request(site.admin_port(), "GET", "/metrics").value().body,
              HasSubstr("weir_instance_call_overruns_total{instance=\"slow\"} 1"));
  EXPECT_EQ(site.instance("store")["call_overruns"], 0);
}

}  // namespace
}  // namespace weir::test
