// Files of credentials: what is said about wrong ones, and how replaced ones are taken up.
#include "weir/tls/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "support/certificates.h"
#include "support/process.h"
#include "tls/peers.h"
#include "weir/tls/refusal_log.h"
#include "weir/tls/reloading.h"

namespace weir::tls {
namespace {

namespace fs = std::filesystem;
using test::Authority;
using test::Pair;
using ::testing::HasSubstr;

class TlsCredentials : public testing::Test {
 protected:
  Settings settings() const {
    return {Role::kServer, pair_.certificate, pair_.key, "", PeerCertificate::kNone, Version::kTls12};
  }
  Fault fault_of(const Settings& settings) const {
    Fault fault;
    EXPECT_EQ(Credentials::load(settings, &fault), nullptr);
    return fault;
  }
  // As an operator does it: under another name first.
  void replace(const std::string& from, const std::string& to) const {
    fs::copy_file(from, to + ".new", fs::copy_options::overwrite_existing);
    fs::rename(to + ".new", to);
  }

  const Authority authority_;
  const Pair pair_ = authority_.issue("server");
  const Pair next_ = authority_.issue("next", {.subject = "/CN=next"});
};

TEST_F(TlsCredentials, SayWhichFileIsWrongAndWhy) {
  using Where = Fault::Where;
  Settings wrong = settings();
  wrong.certificate = authority_.path("missing.pem");
  EXPECT_EQ(fault_of(wrong).where, Where::kCertificate);
  EXPECT_THAT(fault_of(wrong).text, HasSubstr("missing.pem cannot be read: No such file or directory"));
  wrong.certificate = pair_.key;
  EXPECT_EQ(fault_of(wrong).where, Where::kCertificate);
  EXPECT_THAT(fault_of(wrong).text, HasSubstr("holds no certificate in PEM form"));
  wrong = settings();
  wrong.key = pair_.certificate;
  EXPECT_EQ(fault_of(wrong).where, Where::kKey);
  EXPECT_THAT(fault_of(wrong).text, HasSubstr("holds no private key in PEM form"));
  wrong.key = next_.key;
  EXPECT_EQ(fault_of(wrong).where, Where::kKey);
  EXPECT_THAT(fault_of(wrong).text, HasSubstr("is not the key of the certificate in"));
  wrong = settings();
  wrong.peer_certificate = PeerCertificate::kRequired;
  EXPECT_EQ(fault_of(wrong).where, Where::kAuthorities);
  wrong.authorities = pair_.key;
  EXPECT_EQ(fault_of(wrong).where, Where::kAuthorities);
  EXPECT_THAT(fault_of(wrong).text, HasSubstr("holds no sound certificate"));
}

TEST_F(TlsCredentials, SayItInOneLineWhateverAFileIsCalled) {
  Settings wrong = settings();
  wrong.certificate = "two\nlines.pem";
  EXPECT_EQ(fault_of(wrong).text, "two?lines.pem cannot be read: No such file or directory");
}

TEST_F(TlsCredentials, RefuseAKeyWithAPassPhrase) {
  const std::string locked = authority_.path("locked.key");
  test::run({"openssl", "pkcs8", "-topk8", "-in", pair_.key, "-passout", "pass:secret", "-out", locked});
  Settings wrong = settings();
  wrong.key = locked;
  EXPECT_THAT(fault_of(wrong).text, HasSubstr("is encrypted; store the key without a pass phrase"));
}

TEST_F(TlsCredentials, TakeRsaToo) {
  const Pair rsa = authority_.issue("rsa", {.rsa = true});
  Settings client{Role::kClient, "", "", authority_.file(), PeerCertificate::kRequired, Version::kTls12};
  Settings server = settings();
  server.certificate = rsa.certificate;
  server.key = rsa.key;
  Session one(load(client), "localhost"), other(load(server));
  EXPECT_EQ(shake_hands(one, other).client, Status::kDone) << one.problem().text;
}

TEST_F(TlsCredentials, AreReplacedOnceBothFilesAreThere) {
  Fault fault;
  auto credentials = ReloadingCredentials::load(settings(), &fault);
  ASSERT_NE(credentials, nullptr) << fault.text;
  using Change = ReloadingCredentials::Change;
  EXPECT_EQ(credentials->look(&fault), Change::kNone);
  const auto first = credentials->current();
  replace(next_.certificate, pair_.certificate);
  EXPECT_EQ(credentials->look(&fault), Change::kNone) << "it has only just changed";
  replace(next_.key, pair_.key);
  EXPECT_EQ(credentials->look(&fault), Change::kNone) << "it has only just changed";
  EXPECT_EQ(credentials->look(&fault), Change::kReplaced) << fault.text;
  EXPECT_NE(credentials->current(), first);
  EXPECT_EQ(credentials->current()->certificate().subject, "CN=next");
  EXPECT_EQ(credentials->look(&fault), Change::kNone);
}

TEST_F(TlsCredentials, StayWhenTheReplacementIsWrongUntilItIsMended) {
  Fault fault;
  auto credentials = ReloadingCredentials::load(settings(), &fault);
  ASSERT_NE(credentials, nullptr) << fault.text;
  using Change = ReloadingCredentials::Change;
  const auto first = credentials->current();
  replace(next_.certificate, pair_.certificate);
  credentials->look(&fault);
  EXPECT_EQ(credentials->look(&fault), Change::kRefused);
  EXPECT_EQ(fault.where, Fault::Where::kKey);
  EXPECT_THAT(fault.text, HasSubstr("is not the key of the certificate"));
  EXPECT_EQ(credentials->look(&fault), Change::kNone) << "it is said once";
  EXPECT_EQ(credentials->current(), first);
  replace(next_.key, pair_.key);
  credentials->look(&fault);
  EXPECT_EQ(credentials->look(&fault), Change::kReplaced) << fault.text;
}

TEST_F(TlsCredentials, StayWhenAFileIsRemoved) {
  Fault fault;
  auto credentials = ReloadingCredentials::load(settings(), &fault);
  ASSERT_NE(credentials, nullptr) << fault.text;
  fs::remove(pair_.key);
  credentials->look(&fault);
  EXPECT_EQ(credentials->look(&fault), ReloadingCredentials::Change::kRefused);
  EXPECT_THAT(fault.text, HasSubstr("server.key cannot be read"));
  EXPECT_NE(credentials->current(), nullptr);
}

TEST(RefusalLog, WritesOneLineACauseAndMinuteAndSaysHowManyThereWere) {
  RefusalLog log;
  const RefusalLog::Clock::time_point start{};
  const Problem none{Cause::kNoCertificate, "the client showed no certificate"};
  EXPECT_EQ(log.note(none, "192.0.2.7:1", start),
            "refused the TLS handshake of 192.0.2.7:1: the client showed no certificate");
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(log.note(none, "192.0.2.7:1", start + std::chrono::seconds(i)));
  EXPECT_TRUE(log.note({Cause::kExpired, "old"}, "192.0.2.7:1", start)) << "another cause is news";
  EXPECT_THAT(*log.note(none, "192.0.2.8:1", start + RefusalLog::kQuietTime), HasSubstr("(and 5 more"));
}

}  // namespace
}  // namespace weir::tls
