// http.source with TLS and the real peers: curl, openssl s_client, and clients that say nothing.
#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "http/tls_client.h"
#include "source_fixture.h"
#include "support/certificates.h"
#include "support/process.h"

namespace weir::http {
namespace {

namespace fs = std::filesystem;
using test::Authority;
using test::Pair;
using ::testing::HasSubstr;

class HttpsSource : public HttpSource {
 protected:
  void start_tls(const std::string& more = "", const std::string& beside = "") {
    start(R"("tls": {"certificate": ")" + pair_.certificate + R"(", "key": ")" + pair_.key + "\"" +
          (more.empty() ? "" : ", " + more) + "}" + (beside.empty() ? "" : ", " + beside));
    settle_at_once();
  }
  std::string client_ca() const { return R"("client_ca": ")" + authority_.file() + "\""; }
  std::string url(const std::string& path = "/v1/health") const {
    return "https://127.0.0.1:" + std::to_string(host_.port()) + path;
  }
  test::Finished curl(std::vector<std::string> more) const {
    std::vector<std::string> all = {"curl", "-sS", "--max-time", "20", "--cacert", authority_.file()};
    all.insert(all.end(), more.begin(), more.end());
    return test::run(all);
  }
  std::vector<std::string> as(const Pair& pair) const {
    return {"--cert", pair.certificate, "--key", pair.key, url()};
  }
  std::shared_ptr<const tls::Credentials> trusting() const {
    tls::Fault fault;
    return tls::Credentials::load({tls::Role::kClient, "", "", authority_.file(),
                                   tls::PeerCertificate::kRequired, tls::Version::kTls12},
                                  &fault);
  }
  void replace(const std::string& from, const std::string& to) const {
    fs::copy_file(from, to + ".new", fs::copy_options::overwrite_existing);
    fs::rename(to + ".new", to);
  }

  const Authority authority_;
  const Pair pair_ = authority_.issue("server", {.subject = "/CN=first"});
};

TEST_F(HttpsSource, AnswersCurlOverTls12AndTls13) {
  start_tls();
  for (const auto& [option, version] : {std::pair{"--tlsv1.3", "TLSv1.3"}, {"--tls-max", "TLSv1.2"}}) {
    std::vector<std::string> arguments = {"-v", option};
    if (std::string(option) == "--tls-max") arguments.push_back("1.2");
    arguments.push_back(url());
    const auto done = curl(arguments);
    EXPECT_EQ(done.exit.code, 0) << done.errors;
    EXPECT_THAT(done.output, HasSubstr("\"status\":\"ok\""));
    EXPECT_THAT(done.errors, HasSubstr(std::string("SSL connection using ") + version));
  }
}

TEST_F(HttpsSource, TakesALargeBodyOfEvents) {
  start_tls();
  std::string body = "[";
  for (int i = 0; i < 5000; ++i) body += std::string(i == 0 ? "" : ",") + kEvent;
  const std::string file = authority_.path("body.json");
  std::ofstream(file) << body + "]";
  const auto done = curl({"-H", "Content-Type: application/json", "-H", "Expect: 100-continue",
                          "--data-binary", "@" + file, url("/v1/events")});
  EXPECT_EQ(done.exit.code, 0) << done.errors;
  EXPECT_THAT(done.output, HasSubstr("\"accepted\":5000"));
  EXPECT_EQ(host_.ingress.accepted_events(), 5000u);
}

TEST_F(HttpsSource, SpeaksOnlyTls13WhenThatIsTheMinimum) {
  start_tls(R"("minimum_version": "1.3")");
  const auto old = curl({"--tls-max", "1.2", url()});
  EXPECT_EQ(old.exit.code, 35) << old.errors;
  EXPECT_EQ(curl({"--tlsv1.3", url()}).exit.code, 0);
  EXPECT_TRUE(host_.wait_for_log("speaks no TLS version that is allowed here"));
  EXPECT_TRUE(wait_for_metric("tls_handshakes_refused_total", 1));
}

TEST_F(HttpsSource, AnswersOpenssl) {
  start_tls();
  const auto done = test::run(
      {"/bin/sh", "-c",
       "printf 'GET /v1/health HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n' | openssl "
       "s_client -quiet -verify_return_error -CAfile " +
           authority_.file() + " -connect 127.0.0.1:" + std::to_string(host_.port()) + " -ign_eof"});
  EXPECT_THAT(done.output, HasSubstr("HTTP/1.1 200")) << done.errors;
}

TEST_F(HttpsSource, IsNotTrustedUnderAnotherNameOrByAnotherAuthority) {
  start_tls();
  const Authority stranger("Stranger");
  EXPECT_EQ(test::run({"curl", "-sS", "--cacert", stranger.file(), url()}).exit.code, 60);
  EXPECT_TRUE(host_.wait_for_log("the client said that it does not know the authority of our certificate"))
      << (host_.log_lines().empty() ? "nothing was logged" : host_.log_lines().back().text);
  const std::string port = std::to_string(host_.port());
  const auto other = curl({"--connect-to", "gateway.example:" + port + ":127.0.0.1:" + port,
                           "https://gateway.example:" + port + "/v1/health"});
  EXPECT_EQ(other.exit.code, 60) << other.errors;
}

TEST_F(HttpsSource, LetsOnlyClientsWithACertificateOfItsAuthorityIn) {
  start_tls(client_ca());
  const Authority stranger("Stranger");
  const Pair good = authority_.issue("good", {.subject = "/O=Plant/CN=meter-7"});
  const Pair old = authority_.issue("old", {.subject = "/CN=old", .days = -1});
  const Pair foreign = stranger.issue("foreign", {.subject = "/CN=foreign"});
  EXPECT_EQ(curl(as(good)).exit.code, 0);
  auto tls12 = as(good);
  tls12.insert(tls12.end(), {"--tls-max", "1.2"});
  EXPECT_EQ(curl(tls12).exit.code, 0);
  EXPECT_NE(curl({url()}).exit.code, 0);
  EXPECT_TRUE(host_.wait_for_log("the client showed no certificate"));
  EXPECT_NE(curl(as(old)).exit.code, 0);
  EXPECT_TRUE(host_.wait_for_log("the client's certificate CN=old has expired at "));
  EXPECT_NE(curl(as(foreign)).exit.code, 0);
  EXPECT_TRUE(
      host_.wait_for_log("the client's certificate CN=foreign is not signed by an authority that is trusted "
                         "here; it names CN=Stranger"));
  EXPECT_TRUE(wait_for_metric("tls_handshakes_refused_total", 3));
}

TEST_F(HttpsSource, MarksEventsWithTheSubjectOfTheClientsCertificate) {
  start_tls(client_ca() + R"(, "client_auth": "optional")");
  const Pair good = authority_.issue("good", {.subject = "/O=Plant/CN=meter-7"});
  const std::string event =
      R"({"device_id":"d1","sensor_type":"t","value":1,"metadata":{"a":"1","zone":"z"}})";
  std::vector<std::string> post = {"-H", "Content-Type: application/json", "-d", event, url("/v1/events")};
  EXPECT_THAT(curl(post).output, HasSubstr("\"accepted\":1"));
  post.insert(post.end(), {"--cert", good.certificate, "--key", good.key});
  EXPECT_THAT(curl(post).output, HasSubstr("\"accepted\":1"));
  const auto events = host_.ingress.events();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].metadata.count("weir.auth.subject"), 0u);
  EXPECT_EQ(events[1].metadata.at("weir.auth.subject"), "CN=meter-7,O=Plant");
  EXPECT_EQ(events[1].metadata.at("a"), "1");
  EXPECT_EQ(events[1].metadata.at("zone"), "z");
}

TEST_F(HttpsSource, TellsAClientOfPlainHttpToUseHttps) {
  start_tls();
  const auto answer = test::http_request(host_.port(), "GET", "/v1/health");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 400);
  EXPECT_EQ(error_part(answer, "code"), "plain_on_tls_port");
  EXPECT_TRUE(host_.wait_for_log("does not speak TLS"));
}

TEST_F(HttpsSource, CutsASilentClientAtTheDeadline) {
  start_tls(R"("handshake_timeout_ms": 200)");
  HttpClient silent = connect(), half = connect();
  ASSERT_TRUE(half.send("\x16\x03\x01"));
  EXPECT_TRUE(silent.wait_for_close());
  EXPECT_TRUE(half.wait_for_close());
  EXPECT_TRUE(host_.wait_for_log("it was not over within 200 ms"));
  EXPECT_TRUE(wait_for_metric("tls_handshakes_refused_total", 2));
  EXPECT_EQ(host_.metric("connections"), 0);
}

TEST_F(HttpsSource, IsNotHeldUpBySilentClients) {
  // Far more of them than there may be connections, and none of them is cut off for being slow.
  start_tls(R"("handshake_timeout_ms": 3600000, "max_handshakes": 150)", R"("max_connections": 10)");
  std::vector<HttpClient> silent;
  for (int i = 0; i < 200; ++i) silent.push_back(connect());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(curl({url()}).exit.code, 0);
  EXPECT_TRUE(silent.front().wait_for_close()) << "the oldest makes way";
  EXPECT_TRUE(host_.wait_for_log("it was the oldest of 150 under way"));
  EXPECT_EQ(instance_->health().state, static_cast<uint32_t>(WEIR_HEALTH_OK));
}

TEST_F(HttpsSource, CountsOnlyConnectionsThatHaveShakenHands) {
  start_tls("", R"("max_connections": 1)");
  TlsClient first(host_.port(), trusting());
  ASSERT_TRUE(first.ask(kHealthRequest));
  const auto second = curl({"-i", url()});
  EXPECT_THAT(second.output, HasSubstr("503")) << second.errors;
  EXPECT_THAT(second.output, HasSubstr("too_many_connections"));
  EXPECT_TRUE(first.ask(kHealthRequest));
}

TEST_F(HttpsSource, TakesUpReplacedCertificatesUnderLoadWithoutAFailedRequest) {
  start_tls();
  const Pair next = authority_.issue("next", {.subject = "/CN=second"});
  const auto credentials = trusting();
  TlsClient kept(host_.port(), credentials);
  EXPECT_EQ(kept.server(), "CN=first");
  std::atomic<bool> stop{false};
  std::atomic<int> failed{0}, done{0}, seen_second{0};
  std::thread load([&] {
    while (!stop) {
      try {
        TlsClient client(host_.port(), credentials);
        for (int i = 0; i < 3; ++i) client.ask(post_of(kEvent)) ? ++done : ++failed;
        if (client.server() == "CN=second") ++seen_second;
      } catch (const std::exception& error) {
        ++failed;
        ADD_FAILURE() << error.what();
      }
    }
  });
  EXPECT_TRUE(test::wait_until([&] { return done > 20; }));
  replace(next.certificate, pair_.certificate);
  EXPECT_TRUE(kept.ask(kHealthRequest));
  replace(next.key, pair_.key);
  EXPECT_TRUE(host_.wait_for_log("took up replaced certificates: CN=second, valid until 20"));
  EXPECT_TRUE(test::wait_until([&] { return seen_second > 3; }));
  stop = true;
  load.join();
  EXPECT_EQ(failed, 0);
  EXPECT_TRUE(kept.ask(kHealthRequest)) << "a connection of before goes on";
}

TEST_F(HttpsSource, KeepsItsCertificateWhenTheReplacementIsBroken) {
  start_tls();
  const double until = host_.metric("tls_certificate_not_after_seconds");
  EXPECT_GT(until, 0);
  const Pair next = authority_.issue("next", {.subject = "/CN=second"});
  replace(next.key, pair_.key);
  EXPECT_TRUE(host_.wait_for_log("replaced certificates are not taken, the old ones stay in use: "));
  EXPECT_TRUE(host_.logged("server.key is not the key of the certificate in "));
  EXPECT_EQ(TlsClient(host_.port(), trusting()).server(), "CN=first");
  replace(next.certificate, pair_.certificate);
  EXPECT_TRUE(host_.wait_for_log("took up replaced certificates: CN=second"));
  EXPECT_EQ(TlsClient(host_.port(), trusting()).server(), "CN=second");
}

TEST_F(HttpsSource, RefusesAWrongConfigurationByItsKey) {
  const std::string files = R"("certificate": ")" + pair_.certificate + R"(", "key": ")" + pair_.key + "\"";
  const Pair other = authority_.issue("other");
  struct Case {
    std::string tls, pointer, message;
  };
  for (const Case& c :
       {Case{"{}", "/tls/certificate", "is missing: name the file (PEM)"},
        Case{R"({"certificate": "x.pem"})", "/tls/key", "is missing: name the file (PEM)"},
        Case{R"("x.pem")", "/tls", "must be an object"},
        Case{R"({"certificate": "x.pem", "key": "x.key"})", "/tls/certificate",
             "x.pem cannot be read: No such file or directory"},
        Case{R"({"certificate": ")" + pair_.certificate + R"(", "key": ")" + other.key + "\"}", "/tls/key",
             "is not the key of the certificate in"},
        Case{"{" + files + R"(, "client_auth": "required"})", "/tls/client_ca", "is missing"},
        Case{"{" + files + R"(, "client_auth": "maybe"})", "/tls/client_auth",
             "must be one of \"none\", \"optional\", \"required\""},
        Case{"{" + files + ", " + client_ca() + R"(, "client_auth": "none"})", "/tls/client_auth",
             "so client_ca has no use"},
        Case{"{" + files + R"(, "minimum_version": "1.1"})", "/tls/minimum_version",
             "must be one of \"1.2\", \"1.3\""},
        Case{"{" + files + R"(, "ciphers": "all"})", "/tls/ciphers", "unknown key \"ciphers\""}}) {
    try {
      test::Instance instance(library_, host_, "http.source", R"({"tls": )" + c.tls + "}");
      ADD_FAILURE() << c.tls << " was taken";
    } catch (const test::CallFailed& failure) {
      EXPECT_EQ(failure.code, WEIR_E_INVALID) << c.tls;
      EXPECT_EQ(failure.pointer, c.pointer) << c.tls;
      EXPECT_THAT(failure.what(), HasSubstr(c.message)) << c.tls;
    }
  }
}

// Six names of libwolfssl are OpenSSL's too, which Pistache brings; the first in the list wins.
TEST(HttpPlugin, FindsOpensslBeforeWolfssl) {
  const std::string needed = test::run({"readelf", "-d", test::plugin_path("http")}).output;
  ASSERT_NE(needed.find("[libwolfssl.so"), std::string::npos);
  ASSERT_NE(needed.find("[libssl.so"), std::string::npos);
  EXPECT_LT(needed.find("[libssl.so"), needed.find("[libwolfssl.so"));
}

}  // namespace
}  // namespace weir::http
