// http.sink over TLS, to OpenSSL as the server.
#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <mutex>

#include "http/tls_door.h"
#include "sink_fixture.h"
#include "support/certificates.h"
#include "support/process.h"

namespace weir::http::sink {
namespace {

namespace fs = std::filesystem;
using test::Authority;
using test::Pair;
using ::testing::HasSubstr;

void replace(const std::string& from, const std::string& to) {
  fs::copy_file(from, to + ".new", fs::copy_options::overwrite_existing);
  fs::rename(to + ".new", to);
}

class HttpsSink : public HttpSink {
 protected:
  ~HttpsSink() override { sink_.reset(); }

  HttpReceiver::DoorMaker door(TlsDoorOptions options) {
    return [this, options = std::move(options)](int fd) {
      auto door = std::make_unique<TlsDoor>(fd, options);
      const std::lock_guard lock(mutex_);
      versions_.push_back(door->version());
      names_.push_back(door->asked_for());
      return door;
    };
  }
  void serve(TlsDoorOptions options, HttpReceiver::Answer answer = accepting(), uint16_t port = 0) {
    receiver_.reset();
    receiver_ = std::make_unique<HttpReceiver>(std::move(answer), port, door(std::move(options)));
  }
  static HttpReceiver::Answer accepting() {
    return [](const ReceivedRequest&, size_t) { return ReceiverAnswer{}; };
  }
  test::Instance& start_tls(json tls = json::object(), const std::string& host = "127.0.0.1") {
    if (!tls.contains("ca")) tls["ca"] = authority_.file();
    return start_to(url(host), {{"tls", tls}});
  }
  std::string url(const std::string& host) const {
    return "https://" + host + ":" + std::to_string(receiver_->port()) + "/events";
  }
  // Delivers nothing, and the reason of it is `why`: in the completion, in health and in the log.
  void expect_refused(test::Instance& sink, const std::string& why) {
    const Completion completion = sink.deliver(numbers(2));
    EXPECT_EQ(outcomes(completion, 2), "YY");
    EXPECT_THAT(completion.of(0).reason, HasSubstr(why));
    EXPECT_EQ(sink.health().state, static_cast<uint32_t>(WEIR_HEALTH_DEGRADED));
    EXPECT_THAT(sink.health().text, HasSubstr(why));
    EXPECT_TRUE(host_.logged(why));
    EXPECT_TRUE(receiver_->requests().empty());
  }
  std::vector<std::string> versions() {
    const std::lock_guard lock(mutex_);
    return versions_;
  }
  std::vector<std::string> names() {
    const std::lock_guard lock(mutex_);
    return names_;
  }

  const Authority authority_;
  const Authority stranger_{"Stranger"};
  const Pair pair_ = authority_.issue("server", {.subject = "/CN=cloud"});
  std::mutex mutex_;
  std::vector<std::string> versions_, names_;  // under mutex_: of the handshakes that went well
};

TEST_F(HttpsSink, DeliversOverTls13OnOneConnectionAndAsksForTheName) {
  serve({.pair = pair_});
  test::Instance& sink = start_tls({}, "localhost");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(outcomes(sink.deliver(numbers(3)), 3), "DDD");
  EXPECT_EQ(versions(), (std::vector<std::string>{"TLSv1.3"}));
  EXPECT_EQ(names(), (std::vector<std::string>{"localhost"}));
  EXPECT_EQ(receiver_->requests().at(9).events().size(), 3u);
  EXPECT_EQ(sink.health().state, static_cast<uint32_t>(WEIR_HEALTH_OK));
}

TEST_F(HttpsSink, DeliversOverTls12) {
  serve({.pair = pair_, .version = TLS1_2_VERSION});
  EXPECT_EQ(outcomes(start_tls().deliver(numbers(1)), 1), "D");
  EXPECT_EQ(versions(), (std::vector<std::string>{"TLSv1.2"}));
  EXPECT_EQ(names(), (std::vector<std::string>{""})) << "an address is no SNI";
}

TEST_F(HttpsSink, RefusesTls12WhenThatIsTooOld) {
  serve({.pair = pair_, .version = TLS1_2_VERSION});
  expect_refused(start_tls({{"minimum_version", "1.3"}}), "TLS version");
}

TEST_F(HttpsSink, SendsALargeBodyWhole) {
  serve({.pair = pair_});
  const std::string text(40'000, 'x');
  std::vector<TestEvent> events(100);
  for (TestEvent& event : events) event.value = text;
  test::Instance& sink =
      start_to(url("127.0.0.1"), {{"tls", {{"ca", authority_.file()}}}, {"batch_bytes", 16 << 20}});
  EXPECT_EQ(outcomes(sink.deliver(make_batch(events)), 100), std::string(100, 'D'));
  ASSERT_EQ(receiver_->requests().size(), 1u);
  ASSERT_EQ(receiver_->requests()[0].events().size(), 100u);
  for (const json& event : receiver_->requests()[0].events()) EXPECT_EQ(event["value"], text);
}

TEST_F(HttpsSink, RefusesAServerOfAnotherAuthority) {
  serve({.pair = stranger_.issue("server", {.subject = "/CN=cloud"})});
  expect_refused(start_tls(),
                 "the server's certificate CN=cloud is not signed by an authority that is trusted here; it names "
                 "CN=Stranger,O=Weir");
}

TEST_F(HttpsSink, TrustsASelfSignedCertificateThatIsItsCa) {
  const std::string certificate = authority_.path("self.pem"), key = authority_.path("self.key");
  const auto made = test::run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                               "-subj", "/CN=cloud", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out",
                               certificate});
  ASSERT_EQ(made.exit.code, 0) << made.errors;
  serve({.pair = {certificate, key}});
  EXPECT_EQ(outcomes(start_tls({{"ca", certificate}}).deliver(numbers(1)), 1), "D") << sink_->health().text;
}

// The status came whole and through TLS; what it says of single events did not.
TEST_F(HttpsSink, TakesAStatusButNoBodyThatIsCutShort) {
  serve({.pair = pair_}, [](const ReceivedRequest&, size_t index) {
    return index == 0 ? ReceiverAnswer{.raw = "HTTP/1.1 422 No\r\n\r\n{\"rejected\":[{\"index\":0}],\"others\":\"st",
                                       .then_close = true}
                      : ReceiverAnswer{};
  });
  EXPECT_EQ(outcomes(start_tls().deliver(numbers(2)), 2), "DD");
  EXPECT_EQ(receiver_->requests().size(), 3u) << "halved, as nothing was named";
}

TEST_F(HttpsSink, TrustsOnlyTheSystemsAuthoritiesWithoutACa) {
  ASSERT_TRUE(fs::exists("/etc/ssl/certs/ca-certificates.crt")) << "install ca-certificates (tools/packages.txt)";
  serve({.pair = pair_});
  expect_refused(start_to(url("127.0.0.1"), {}), "is not signed by an authority that is trusted here");
}

class HttpsSinkTo : public HttpsSink, public testing::WithParamInterface<const char*> {};
TEST_P(HttpsSinkTo, RefusesAServerThatIsAnotherOne) {
  serve({.pair = authority_.issue("other", {.subject = "/CN=other", .names = "DNS:other.example,IP:192.0.2.1"})});
  expect_refused(start_tls({}, GetParam()), std::string("the server's certificate CN=other is not for ") + GetParam());
}
INSTANTIATE_TEST_SUITE_P(, HttpsSinkTo, testing::Values("127.0.0.1", "localhost"));

TEST_F(HttpsSink, RefusesACertificateThatHasExpired) {
  serve({.pair = authority_.issue("old", {.subject = "/CN=cloud", .days = -1})});
  expect_refused(start_tls(), "the server's certificate CN=cloud has expired at 20");
}

TEST_F(HttpsSink, RefusesAServerWithoutTls) {
  receiver_ = std::make_unique<HttpReceiver>(accepting());
  EXPECT_EQ(outcomes(start_tls().deliver(numbers(1)), 1), "Y");
  EXPECT_THAT(sink_->health().text, HasSubstr("no connection to 127.0.0.1:"));
}

class HttpsSinkOfVersion : public HttpsSink, public testing::WithParamInterface<int> {};
TEST_P(HttpsSinkOfVersion, ShowsItsCertificate) {
  serve({.pair = pair_, .client_authority = authority_.file(), .version = GetParam()});
  const Pair own = authority_.issue("gateway", {.subject = "/CN=gateway-1"});
  test::Instance& sink = start_tls({{"certificate", own.certificate}, {"key", own.key}});
  EXPECT_EQ(outcomes(sink.deliver(numbers(2)), 2), "DD") << sink.health().text;
  EXPECT_GT(host_.metric("tls_certificate_not_after_seconds"), 0);
}
TEST_P(HttpsSinkOfVersion, IsToldThatItsCertificateIsMissing) {
  serve({.pair = pair_, .client_authority = authority_.file(), .version = GetParam()});
  // TLS 1.2 has no alert for it.
  expect_refused(start_tls(), GetParam() == TLS1_3_VERSION ? "the server said that it wants a certificate of ours"
                                                           : "the server said that there is nothing in common");
}
TEST_P(HttpsSinkOfVersion, IsToldThatItsCertificateIsNotTrusted) {
  serve({.pair = pair_, .client_authority = authority_.file(), .version = GetParam()});
  const Pair foreign = stranger_.issue("foreign", {.subject = "/CN=foreign"});
  expect_refused(start_tls({{"certificate", foreign.certificate}, {"key", foreign.key}}),
                 "the server said that it does not know the authority of our certificate");
}
INSTANTIATE_TEST_SUITE_P(, HttpsSinkOfVersion, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

TEST_F(HttpsSink, RefusesAKeyOfAnotherCertificate) {
  const Pair own = authority_.issue("gateway"), other = authority_.issue("other");
  serve({.pair = pair_});
  try {
    start_tls({{"certificate", own.certificate}, {"key", other.key}});
    FAIL();
  } catch (const test::CallFailed& failure) {
    EXPECT_EQ(failure.pointer, "/tls/key");
    EXPECT_THAT(failure.what(), HasSubstr("is not the key of the certificate in"));
  }
}

TEST_F(HttpsSink, TakesUpAReplacedAuthorityWhileItRuns) {
  serve({.pair = stranger_.issue("server")});
  const std::string file = authority_.path("trusted.pem");
  replace(authority_.file(), file);
  test::Instance& sink = start_tls({{"ca", file}});
  expect_refused(sink, "is not signed by an authority that is trusted here");
  replace(stranger_.file(), file);
  ASSERT_TRUE(host_.wait_for_log("took up replaced certificates of authorities"));
  EXPECT_EQ(outcomes(sink.deliver(numbers(2)), 2), "DD") << sink.health().text;
  EXPECT_EQ(sink.health().state, static_cast<uint32_t>(WEIR_HEALTH_OK));
}

TEST_F(HttpsSink, KeepsItsAuthoritiesWhenTheReplacementIsBroken) {
  serve({.pair = pair_});
  const std::string file = authority_.path("trusted.pem");
  replace(authority_.file(), file);
  test::Instance& sink = start_tls({{"ca", file}});
  replace(pair_.key, file);
  ASSERT_TRUE(host_.wait_for_log("replaced certificates are not taken, the old ones stay in use: "));
  EXPECT_TRUE(host_.logged("trusted.pem holds no sound certificate"));
  EXPECT_EQ(outcomes(sink.deliver(numbers(1)), 1), "D");
}

TEST_F(HttpsSink, TakesAnEndInTheMiddleOfAnAnswerForAFailure) {
  serve({.pair = pair_},
        [](const ReceivedRequest&, size_t) { return ReceiverAnswer{.raw = "HTTP/1.1 200 O", .then_close = true}; });
  EXPECT_EQ(outcomes(start_tls().deliver(numbers(2)), 2), "YY");
  EXPECT_THAT(sink_->health().text, HasSubstr("the server ended the connection without saying so"));
}

TEST_F(HttpsSink, SendsAgainWhenAKeptConnectionEndsWithoutAWord) {
  serve({.pair = pair_}, [](const ReceivedRequest&, size_t) { return ReceiverAnswer{.then_close = true}; });
  test::Instance& sink = start_tls();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(outcomes(sink.deliver(numbers(1)), 1), "D");
  EXPECT_EQ(host_.metric("request_failures_total"), 0);
}

TEST_F(HttpsSink, GivesAServerThatNeverShakesHandsTheTimeOfAConnection) {
  receiver_ = std::make_unique<HttpReceiver>(accepting(), 0, [](int fd) {
    char byte;
    while (::recv(fd, &byte, 1, 0) > 0) {
    }
    return std::unique_ptr<test::ReceiverDoor>();
  });
  test::Instance& sink = start_to(
      url("127.0.0.1"), {{"tls", {{"ca", authority_.file()}}}, {"connect_timeout_ms", 200}, {"timeout_ms", 20'000}});
  EXPECT_EQ(outcomes(sink.deliver(numbers(1)), 1), "Y");
  EXPECT_THAT(sink.health().text, HasSubstr("within 200 ms"));
}

TEST_F(HttpsSink, AnnouncesItsEnd) {
  std::atomic<bool> announced{false};
  struct Watched final : test::ReceiverDoor {
    Watched(std::unique_ptr<TlsDoor> door, std::atomic<bool>& said) : inner(std::move(door)), announced(said) {}
    size_t read(char* to, size_t size) override {
      const size_t bytes = inner->read(to, size);
      if (bytes == 0) announced = inner->announced_end();
      return bytes;
    }
    bool write(std::string_view bytes) override { return inner->write(bytes); }
    std::unique_ptr<TlsDoor> inner;
    std::atomic<bool>& announced;
  };
  receiver_ = std::make_unique<HttpReceiver>(accepting(), 0, [&](int fd) {
    return std::make_unique<Watched>(std::make_unique<TlsDoor>(fd, TlsDoorOptions{.pair = pair_}), announced);
  });
  EXPECT_EQ(outcomes(start_tls().deliver(numbers(1)), 1), "D");
  sink_.reset();
  EXPECT_TRUE(test::wait_until([&] { return announced.load(); }));
  receiver_.reset();
}

}  // namespace
}  // namespace weir::http::sink
