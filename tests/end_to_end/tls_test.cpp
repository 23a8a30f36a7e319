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

}  // namespace
}  // namespace weir::test
