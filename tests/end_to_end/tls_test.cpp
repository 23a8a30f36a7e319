// HTTPS through the whole gateway: files named relative to the manifests' parent, and the client's name in the sink.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "end_to_end/site.h"
#include "support/certificates.h"

namespace weir::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;

class SecureSite : public ::testing::Test {
 protected:
  SecureSite() {
    site_.main_line();
    fs::create_directories(site_.path("tls"));
    install("server", authority_.issue("server", {.subject = "/CN=first"}));
    fs::copy_file(authority_.file(), site_.path("tls/ca.pem"));
    site_.manifest("api", {{"plugin", "http.source"},
                           {"config",
                            {{"listen", "127.0.0.1:" + std::to_string(site_.http_port())},
                             {"tls",
                              {{"certificate", "tls/server.pem"},
                               {"key", "tls/server.key"},
                               {"client_ca", "tls/ca.pem"}}}}}});
  }

  void install(const std::string& name, const Pair& pair) {
    for (const auto& [from, end] : {std::pair{pair.certificate, ".pem"}, {pair.key, ".key"}}) {
      const std::string to = site_.path("tls/" + name + end);
      fs::copy_file(from, to + ".new", fs::copy_options::overwrite_existing);
      fs::rename(to + ".new", to);
    }
  }

  Finished post(const std::string& metadata = "{}") {
    return run({"curl", "-sS", "-i", "--max-time", "20", "--cacert", authority_.file(), "--cert", meter_.certificate,
                "--key", meter_.key, "-H", "Content-Type: application/json", "-d",
                R"({"device_id":"d1","sensor_type":"t","value":1,"metadata":)" + metadata + "}",
                "https://127.0.0.1:" + std::to_string(site_.http_port()) + "/v1/events"});
  }

  const Authority authority_;
  const Pair meter_ = authority_.issue("meter", {.subject = "/O=Plant/CN=meter-7"});
  Site site_;
};

TEST_F(SecureSite, BringsTheClientsNameToTheSqliteFile) {
  site_.start();
  const Finished done = post(R"({"site":"a"})");
  EXPECT_THAT(done.output, HasSubstr("HTTP/1.1 202")) << done.errors << site_.log();
  ASSERT_TRUE(site_.wait_settled("store", 1));
  const json metadata = json::parse(*site_.stored("metadata").begin());
  EXPECT_EQ(metadata, json({{"site", "a"}, {"weir.auth.subject", "CN=meter-7,O=Plant"}}));
  EXPECT_THAT(site_.weir({"tail", "--once", "--json"}).output, HasSubstr("\"weir.auth.subject\":\"CN=meter-7,O=Plant\""));
  EXPECT_EQ(site_.status()["balanced"], true);
}

TEST_F(SecureSite, DoesNotLetADeviceSayWhoItIs) {
  site_.start();
  EXPECT_THAT(post(R"({"weir.auth.subject":"CN=root"})").output, HasSubstr("HTTP/1.1 400"));
}

TEST_F(SecureSite, LogsAndCountsWhoIsRefused) {
  site_.start();
  const Finished done = run({"curl", "-sS", "--cacert", authority_.file(),
                             "https://127.0.0.1:" + std::to_string(site_.http_port()) + "/v1/health"});
  EXPECT_NE(done.exit.code, 0);
  EXPECT_TRUE(site_.process().wait_for_errors("the client showed no certificate")) << site_.log();
  EXPECT_THAT(HttpClient(site_.admin_port()).request("GET", "/metrics")->body, HasSubstr("tls_handshakes_refused_total"));
}

TEST_F(SecureSite, TakesUpAReplacedCertificate) {
  site_.start();
  install("server", authority_.issue("next", {.subject = "/CN=second"}));
  EXPECT_TRUE(site_.process().wait_for_errors("took up replaced certificates: CN=second")) << site_.log();
  EXPECT_THAT(post().output, HasSubstr("HTTP/1.1 202"));
}

TEST_F(SecureSite, RefusesAManifestWhoseKeyIsMissingAndGoesOn) {
  site_.start();
  json wrong = {{"plugin", "http.source"},
                {"config",
                 {{"listen", "127.0.0.1:" + std::to_string(site_.http_port())},
                  {"tls", {{"certificate", "tls/server.pem"}, {"key", "tls/missing.key"}}}}}};
  site_.manifest("api", wrong);
  EXPECT_TRUE(site_.process().wait_for_errors("tls/missing.key cannot be read")) << site_.log();
  EXPECT_THAT(post().output, HasSubstr("HTTP/1.1 202"));
}

// From one gateway to another, each of which looks at the other's certificate.
TEST_F(SecureSite, TakesEventsOfAnotherGatewayUnderItsName) {
  site_.start();
  Site sending;
  sending.main_line();
  const Pair own = authority_.issue("gateway", {.subject = "/O=Plant/CN=gateway-1"});
  sending.manifest("cloud", {{"plugin", "http.sink"},
                             {"from", {"api"}},
                             {"retry", {{"initial", "10ms"}, {"max", "100ms"}}},
                             {"config",
                              {{"url", "https://127.0.0.1:" + std::to_string(site_.http_port()) + "/v1/events"},
                               {"fields", "input"},
                               {"tls",
                                {{"ca", authority_.file()},
                                 {"certificate", own.certificate},
                                 {"key", own.key},
                                 {"minimum_version", "1.3"}}}}}});
  sending.start();
  ASSERT_EQ(sending.post(events(50)).status, 202);
  ASSERT_TRUE(sending.wait_settled("cloud", 50)) << sending.status().dump(2);
  ASSERT_TRUE(site_.wait_settled("store", 50));
  const auto all = site_.stored("metadata");
  EXPECT_EQ(all.size(), 50u);
  for (const std::string& metadata : all)
    EXPECT_EQ(json::parse(metadata)["weir.auth.subject"], "CN=gateway-1,O=Plant");
}

TEST_F(SecureSite, KeepsTheEventsOfAGatewayWithoutACertificateUntilItHasOne) {
  site_.start();
  Site sending;
  sending.main_line();
  json cloud = {{"plugin", "http.sink"},
                {"from", {"api"}},
                {"retry", {{"initial", "10ms"}, {"max", "100ms"}}},
                {"config",
                 {{"url", "https://127.0.0.1:" + std::to_string(site_.http_port()) + "/v1/events"},
                  {"fields", "input"},
                  {"tls", {{"ca", authority_.file()}}}}}};
  sending.manifest("cloud", cloud);
  sending.start();
  ASSERT_EQ(sending.post(events(10)).status, 202);
  EXPECT_TRUE(sending.process().wait_for_errors("the server said that it wants a certificate of ours")) << sending.log();
  EXPECT_EQ(sending.consumer("cloud")["delivered"], 0);
  cloud["config"]["tls"]["certificate"] = meter_.certificate;
  cloud["config"]["tls"]["key"] = meter_.key;
  sending.manifest("cloud", cloud);
  ASSERT_TRUE(sending.wait_settled("cloud", 10)) << sending.status().dump(2);
  ASSERT_TRUE(site_.wait_settled("store", 10));
  EXPECT_EQ(site_.stored("metadata").size(), 10u);
}

}  // namespace
}  // namespace weir::test
