// What is read of certificates, with the openssl command as the second opinion.
#include "weir/tls/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/certificates.h"
#include "support/process.h"

namespace weir::tls {
namespace {

using test::Authority;
using test::read_file;

std::string openssl_subject(const std::string& file) {
  const auto said =
      test::run({"openssl", "x509", "-in", file, "-noout", "-subject", "-nameopt", "RFC2253,-esc_msb"});
  const std::string prefix = "subject=";
  return said.output.substr(prefix.size(), said.output.find('\n') - prefix.size());
}

TEST(Certificate, HasTheSubjectThatOpensslPrints) {
  const Authority authority;
  struct Case {
    const char *wish, *subject;
  };
  for (const Case& c : {Case{"/O=Plant/CN=meter-7", "CN=meter-7,O=Plant"},
                        Case{"/C=DE/ST=Hessen/L=Offenbach/O=Werk, Süd/OU=A\\+B/CN=Zähler \\\"7\\\"",
                             "CN=Zähler \\\"7\\\",OU=A\\+B,O=Werk\\, Süd,L=Offenbach,ST=Hessen,C=DE"},
                        Case{"/DC=org/DC=example/UID=17/CN=#x ", "CN=\\#x\\ ,UID=17,DC=example,DC=org"},
                        Case{"/CN=a<b>;c=d", "CN=a\\<b\\>\\;c=d"},
                        Case{"/serialNumber=0815/emailAddress=a@example.org",
                             "emailAddress=a@example.org,serialNumber=0815"}}) {
    const auto pair = authority.issue("one", {.subject = c.wish});
    const auto certificate = read_certificate_pem(read_file(pair.certificate));
    ASSERT_TRUE(certificate) << c.wish;
    EXPECT_EQ(certificate->subject, c.subject);
    EXPECT_EQ(certificate->subject, openssl_subject(pair.certificate));
    EXPECT_EQ(certificate->issuer, "CN=Weir Test Authority,O=Weir");
  }
}

TEST(Certificate, TellsPartsWithSeveralValuesFromSeveralParts) {
  const Authority authority;
  const auto pair = authority.issue("one", {.subject = "/O=Plant/CN=meter+UID=7"});
  EXPECT_EQ(read_certificate_pem(read_file(pair.certificate))->subject, openssl_subject(pair.certificate));
}

TEST(Certificate, WritesTypesWithoutAShortNameInHex) {
  const Authority authority;
  const auto pair = authority.issue("one", {.subject = "/postalCode=12345/CN=x"});
  EXPECT_EQ(read_certificate_pem(read_file(pair.certificate))->subject, "CN=x,2.5.4.17=#0C053132333435");
}

TEST(Certificate, EscapesWhatWouldBreakALogLine) {
  const Authority authority;
  const auto pair = authority.issue("one", {.subject = "/CN=a\nb\tc"});
  EXPECT_EQ(read_certificate_pem(read_file(pair.certificate))->subject, "CN=a\\0Ab\\09c");
}

TEST(Certificate, HasItsDates) {
  const Authority authority;
  const auto pair = authority.issue("one", {.days = 3});
  const auto certificate = read_certificate_pem(read_file(pair.certificate));
  ASSERT_TRUE(certificate);
  EXPECT_EQ(certificate->not_after - certificate->not_before, 3 * 86400);
  const auto said =
      test::run({"openssl", "x509", "-in", pair.certificate, "-noout", "-enddate", "-dateopt", "iso_8601"});
  std::string end = utc_text(certificate->not_after);
  end[10] = ' ';
  EXPECT_EQ(said.output, "notAfter=" + end + "\n");
}

TEST(Certificate, IsNotReadFromAnythingElse) {
  const Authority authority;
  const auto pair = authority.issue("one");
  EXPECT_FALSE(read_certificate_pem("no PEM"));
  EXPECT_FALSE(read_certificate_pem(read_file(pair.key)));
  test::run(
      {"openssl", "x509", "-in", pair.certificate, "-outform", "DER", "-out", authority.path("one.der")});
  const std::string der = read_file(authority.path("one.der"));
  ASSERT_TRUE(read_certificate(der));
  // Whatever is cut off or changed, nothing is read beyond the end (sanitizers look).
  for (size_t size = 0; size < der.size(); ++size) EXPECT_FALSE(read_certificate(std::string(der, 0, size)));
  for (size_t i = 0; i < der.size(); ++i) {
    std::string changed = der;
    changed[i] = static_cast<char>(~changed[i]);
    read_certificate(changed);
  }
}

}  // namespace
}  // namespace weir::tls
