#include "manifest/gateway_config.h"

#include <unistd.h>

#include "manifests.h"

namespace weir::manifest {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> complaints(std::string_view gateway) {
  return Manifests().write("gateway.json", gateway).complaints();
}

TEST(GatewayConfig, HasDefaultsWithoutAFile) {
  Manifests manifests;
  const LoadedSet set = manifests.load();
  EXPECT_EQ(text(set.problems), "");
  char host[256] = {};
  ASSERT_EQ(::gethostname(host, sizeof host - 1), 0);
  EXPECT_EQ(set.gateway.gateway_id, std::string(host).substr(0, 64));
  EXPECT_EQ(set.gateway.data_dir, manifests.home() / "data");
  EXPECT_THAT(set.gateway.plugin_dirs, ElementsAre(manifests.home() / "plugins"));
  EXPECT_EQ(set.gateway.admin.listen, "127.0.0.1:9600");
  EXPECT_EQ(set.gateway.journal.max_bytes, uint64_t{1} << 30);
  EXPECT_EQ(set.gateway.journal.retention, std::chrono::hours(24));
  EXPECT_EQ(set.gateway.journal.segment_bytes, uint64_t{64} << 20);
  EXPECT_EQ(set.gateway.memory.max_bytes, uint64_t{64} << 20);
}

TEST(GatewayConfig, ReadsEverySetting) {
  Manifests manifests;
  manifests.write("gateway.json", R"({ // where we are
    "gateway_id": "site-a-1", "data_dir": "/var/lib/weir/", "plugin_dirs": ["p", "/q"],
    "admin": { "listen": "[::1]:0" },
    "journal": { "max_bytes": "2GiB", "retention": "90m", "segment_bytes": 1048576 },
    "memory": { "max_bytes": "32MiB" } })");
  const LoadedSet set = manifests.load();
  EXPECT_EQ(text(set.problems), "");
  EXPECT_EQ(set.gateway.gateway_id, "site-a-1");
  EXPECT_EQ(set.gateway.data_dir, "/var/lib/weir/");
  EXPECT_THAT(set.gateway.plugin_dirs, ElementsAre(manifests.home() / "p", "/q"));
  EXPECT_EQ(set.gateway.admin.listen, "[::1]:0");
  EXPECT_EQ(set.gateway.journal.max_bytes, uint64_t{2} << 30);
  EXPECT_EQ(set.gateway.journal.retention, std::chrono::minutes(90));
  EXPECT_EQ(set.gateway.journal.segment_bytes, uint64_t{1} << 20);
  EXPECT_EQ(set.gateway.memory.max_bytes, uint64_t{32} << 20);
}

TEST(GatewayConfig, CutsASmallJournalIntoSmallerSegments) {
  Manifests manifests;
  manifests.write("gateway.json", R"({ "journal": { "max_bytes": "8MiB" } })");
  EXPECT_EQ(manifests.load().gateway.journal.segment_bytes, uint64_t{2} << 20);
}

TEST(GatewayConfig, RefusesAnIdThatIsNone) {
  EXPECT_THAT(
      complaints(R"({ "gateway_id": "site a" })"),
      ElementsAre(
          "manifests/gateway.json:1:17: /gateway_id: \"site a\" cannot be a gateway's id (expected 1 to "
          "64 of the characters a-z A-Z 0-9 . _ -)"));
}

TEST(GatewayConfig, RefusesAnAdminAddressThatIsNone) {
  for (const char* listen :
       {"9600", "localhost", "127.0.0.1:", ":9600", "127.0.0.1:65536", "::1:9600", "127.0.0.1:1x"}) {
    EXPECT_THAT(complaints("{ \"admin\": { \"listen\": \"" + std::string(listen) + "\" } }"),
                ElementsAre("manifests/gateway.json:1:24: /admin/listen: \"" + std::string(listen) +
                            "\" is not an address with a port (expected for example \"127.0.0.1:9600\")"));
  }
}

TEST(GatewayConfig, RefusesAnAdminAddressThatOthersReach) {
  EXPECT_THAT(
      complaints(R"({ "admin": { "listen": "0.0.0.0:9600" } })"),
      ElementsAre(
          "manifests/gateway.json:1:24: /admin/listen: \"0.0.0.0:9600\" can be reached from outside, and "
          "this version has no TLS and no token for it (expected a loopback address, for example "
          "\"127.0.0.1:9600\")"));
  EXPECT_THAT(complaints(R"({ "admin": { "listen": "localhost:9600" } })"), IsEmpty());
}

TEST(GatewayConfig, RefusesQuantitiesThatAreNone) {
  EXPECT_THAT(
      complaints(
          R"({ "journal": { "max_bytes": "1 gig", "retention": "a day" }, "memory": { "max_bytes": -1 } })"),
      ElementsAre(
          "manifests/gateway.json:1:29: /journal/max_bytes: \"1 gig\" is not a size (expected for example "
          "\"64MiB\" or \"1GiB\")",
          "manifests/gateway.json:1:51: /journal/retention: \"a day\" is not a time (expected for example "
          "\"250ms\", \"30s\" or \"24h\")",
          "manifests/gateway.json:1:87: /memory/max_bytes: -1 is out of range (expected a size from 4.0 "
          "MiB to 1.0 TiB)"));
}

TEST(GatewayConfig, RefusesASegmentOfMoreThanHalfTheJournal) {
  EXPECT_THAT(
      complaints(R"({ "journal": { "max_bytes": "64MiB", "segment_bytes": "64MiB" } })"),
      ElementsAre(
          "manifests/gateway.json:1:55: /journal/segment_bytes: a segment of 64.0 MiB is more than half of "
          "the journal's 64.0 MiB (expected at most 32.0 MiB, or a larger /journal/max_bytes)"));
}

TEST(GatewayConfig, RefusesUnknownKeysAndWrongTypes) {
  EXPECT_THAT(
      complaints("{ \"gatewayid\": \"x\",\n  \"plugin_dirs\": \"plugins\" }"),
      ElementsAre(
          "manifests/gateway.json:1:3: /gatewayid: unknown key 'gatewayid', did you mean 'gateway_id'? "
          "(expected 'admin', 'data_dir', 'gateway_id', 'journal', 'memory' or 'plugin_dirs')",
          "manifests/gateway.json:2:18: /plugin_dirs: the value is a string (expected an array)"));
}

}  // namespace
}  // namespace weir::manifest
