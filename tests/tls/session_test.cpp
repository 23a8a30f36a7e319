// A client and a server of ours over memory: who is let through, who is not, and what is said about it.
#include "weir/tls/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/certificates.h"
#include "tls/peers.h"

namespace weir::tls {
namespace {

using test::Authority;
using test::CertificateWish;
using test::Pair;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class TlsSession : public testing::Test {
 protected:
  Settings server(const Pair& pair, PeerCertificate peer = PeerCertificate::kNone) const {
    return {Role::kServer, pair.certificate, pair.key, authority_.file(), peer, Version::kTls12};
  }
  Settings client(const Pair& pair = {}) const {
    return {Role::kClient,     pair.certificate,           pair.key,
            authority_.file(), PeerCertificate::kRequired, Version::kTls12};
  }
  Pair meter() const { return authority_.issue("meter", {.subject = "/O=Plant/CN=meter-7"}); }

  const Authority authority_;
  const Pair pair_ = authority_.issue("server");
};

TEST_F(TlsSession, CarriesDataBothWaysOverTls13) {
  Session one(load(client()), "localhost"), other(load(server(pair_)));
  const Outcome outcome = shake_hands(one, other);
  ASSERT_EQ(outcome.client, Status::kDone) << one.problem().text;
  ASSERT_EQ(outcome.server, Status::kDone) << other.problem().text;
  EXPECT_EQ(one.version(), "TLSv1.3");
  EXPECT_EQ(other.peer_subject(), "");
  EXPECT_EQ(one.peer_subject(), "CN=someone,O=Weir");
  const std::string sent(100'000, 'x');
  ASSERT_TRUE(one.write(sent));
  EXPECT_THAT(std::string(one.output()), Not(HasSubstr("xxxx")));
  carry(one, other);
  std::string received;
  char piece[5000];
  size_t bytes = 0;
  while (other.read(piece, sizeof piece, &bytes) == Status::kDone) received.append(piece, bytes);
  EXPECT_EQ(received, sent);
  ASSERT_TRUE(other.write("answer"));
  other.close();
  carry(other, one);
  ASSERT_EQ(one.read(piece, sizeof piece, &bytes), Status::kDone);
  EXPECT_EQ(std::string(piece, bytes), "answer");
  EXPECT_EQ(one.read(piece, sizeof piece, &bytes), Status::kEnd);
}

TEST_F(TlsSession, TakesBytesOneByOne) {
  Session one(load(client()), "localhost"), other(load(server(pair_)));
  while (!one.established() || !other.established()) {
    for (Session* from : {&one, &other}) {
      Session& to = from == &one ? other : one;
      ASSERT_NE(from->handshake(), Status::kFailed) << from->problem().text;
      const std::string bytes(from->output());
      from->sent(bytes.size());
      for (const char byte : bytes) {
        to.feed({&byte, 1});
        ASSERT_NE(to.handshake(), Status::kFailed) << to.problem().text;
      }
    }
  }
}

TEST_F(TlsSession, KnowsTheClientByItsCertificate) {
  Session one(load(client(meter())), "localhost"), other(load(server(pair_, PeerCertificate::kRequired)));
  const Outcome outcome = shake_hands(one, other);
  ASSERT_EQ(outcome.server, Status::kDone) << other.problem().text;
  EXPECT_EQ(other.peer_subject(), "CN=meter-7,O=Plant");
}

TEST_F(TlsSession, LetsAClientWithoutACertificateInWhereItIsOptional) {
  Session one(load(client()), "localhost"), other(load(server(pair_, PeerCertificate::kOptional)));
  ASSERT_EQ(shake_hands(one, other).server, Status::kDone) << other.problem().text;
  EXPECT_EQ(other.peer_subject(), "");
}

TEST_F(TlsSession, SaysThatTheClientShowedNoCertificate) {
  Session one(load(client()), "localhost"), other(load(server(pair_, PeerCertificate::kRequired)));
  const Outcome outcome = shake_hands(one, other);
  EXPECT_EQ(outcome.server, Status::kFailed);
  EXPECT_EQ(other.problem().cause, Cause::kNoCertificate);
  EXPECT_EQ(other.problem().text, "the client showed no certificate");
  EXPECT_EQ(outcome.client, Status::kFailed);
  EXPECT_EQ(one.problem().cause, Cause::kRefusedByPeer);
  EXPECT_THAT(one.problem().text, StartsWith("the server said that"));
}

TEST_F(TlsSession, SaysWhoseAuthorityIsNotTrusted) {
  const Authority stranger("Stranger");
  const Pair foreign = stranger.issue("meter", {.subject = "/CN=intruder"});
  Session one(load(client(foreign)), "localhost"), other(load(server(pair_, PeerCertificate::kOptional)));
  EXPECT_EQ(shake_hands(one, other).server, Status::kFailed);
  EXPECT_EQ(other.problem().cause, Cause::kUnknownAuthority);
  EXPECT_EQ(
      other.problem().text,
      "the client's certificate CN=intruder is not signed by an authority that is trusted here; it names "
      "CN=Stranger,O=Weir");
}

TEST_F(TlsSession, RefusesAForgedAuthorityOfTheSameName) {
  const Authority forger;  // the same name, another key
  const Pair forged = forger.issue("meter", {.subject = "/CN=meter-7"});
  Session one(load(client(forged)), "localhost"), other(load(server(pair_, PeerCertificate::kRequired)));
  EXPECT_EQ(shake_hands(one, other).server, Status::kFailed);
  EXPECT_EQ(other.problem().cause, Cause::kUnknownAuthority) << other.problem().text;
}

TEST_F(TlsSession, SaysSinceWhenACertificateHasExpired) {
  const Pair old = authority_.issue("old", {.subject = "/CN=old", .days = -1});
  Session one(load(client(old)), "localhost"), other(load(server(pair_, PeerCertificate::kRequired)));
  EXPECT_EQ(shake_hands(one, other).server, Status::kFailed);
  EXPECT_EQ(other.problem().cause, Cause::kExpired);
  EXPECT_THAT(other.problem().text, StartsWith("the client's certificate CN=old has expired at 20"));
}

TEST_F(TlsSession, RefusesAServerThatItDoesNotTrust) {
  const Authority stranger("Stranger");
  const Pair foreign = stranger.issue("server");
  Session one(load(client()), "localhost"), other(load(server(foreign)));
  const Outcome outcome = shake_hands(one, other);
  EXPECT_EQ(outcome.client, Status::kFailed);
  EXPECT_EQ(one.problem().cause, Cause::kUnknownAuthority) << one.problem().text;
  EXPECT_EQ(outcome.server, Status::kFailed);
  EXPECT_EQ(other.problem().text, "the client said that it does not know the authority of our certificate");
}

TEST_F(TlsSession, RefusesAServerOfAnotherName) {
  for (const char* name : {"gateway.example", "127.0.0.2", "::1"}) {
    Session one(load(client()), name), other(load(server(pair_)));
    EXPECT_EQ(shake_hands(one, other).client, Status::kFailed) << name;
    EXPECT_EQ(one.problem().cause, Cause::kWrongName) << one.problem().text;
    EXPECT_THAT(one.problem().text, HasSubstr(std::string("is not for ") + name));
  }
  for (const char* name : {"localhost", "127.0.0.1"}) {
    Session one(load(client()), name), other(load(server(pair_)));
    EXPECT_EQ(shake_hands(one, other).client, Status::kDone) << name << ": " << one.problem().text;
  }
}

TEST_F(TlsSession, TakesAServerByItsIpv6Address) {
  const Pair pair = authority_.issue("six", {.names = "IP:2001:db8::7,IP:::1"});
  for (const char* name : {"2001:db8::7", "::1"}) {
    Session one(load(client()), name), other(load(server(pair)));
    EXPECT_EQ(shake_hands(one, other).client, Status::kDone) << name << ": " << one.problem().text;
  }
  Session one(load(client()), "2001:db8::8"), other(load(server(pair)));
  EXPECT_EQ(shake_hands(one, other).client, Status::kFailed);
}

TEST_F(TlsSession, SaysThatTheVersionIsTooOld) {
  Settings modern = server(pair_);
  modern.minimum_version = Version::kTls13;
  // What a client of TLS 1.2 says, up to where its versions stand.
  const std::string hello("\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03", 11);
  Session other(load(modern));
  other.feed(hello + std::string(32, 'r') + std::string("\x00\x00\x04\xc0\x2b\xc0\x2f\x01\x00", 9));
  EXPECT_EQ(other.handshake(), Status::kFailed);
  EXPECT_EQ(other.problem().cause, Cause::kOldVersion) << other.problem().text;
  EXPECT_THAT(other.output(), StartsWith("\x15"));  // it is told by an alert
}

TEST_F(TlsSession, SaysThatWhatComesIsNoTls) {
  Session other(load(server(pair_)));
  other.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(other.handshake(), Status::kFailed);
  EXPECT_EQ(other.problem().cause, Cause::kNotTls) << other.problem().text;
}

TEST_F(TlsSession, SaysThatThePeerWentAwayDuringTheHandshake) {
  Session one(load(client()), "localhost"), other(load(server(pair_)));
  one.handshake();
  carry(one, other);
  ASSERT_EQ(other.handshake(), Status::kMore);
  other.feed_end();
  EXPECT_EQ(other.handshake(), Status::kFailed);
  EXPECT_EQ(other.problem().cause, Cause::kClosed) << other.problem().text;
}

TEST_F(TlsSession, GoesOnWithCredentialsThatNobodyElseHasAnyMore) {
  auto credentials = load(server(pair_));
  Session one(load(client()), "localhost"), other(credentials);
  credentials.reset();
  EXPECT_EQ(shake_hands(one, other).server, Status::kDone);
}

}  // namespace
}  // namespace weir::tls
