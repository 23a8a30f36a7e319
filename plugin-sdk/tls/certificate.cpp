#include "weir/tls/certificate.h"

#include <ctime>
#include <vector>

#include "der.h"
#include "distinguished_name.h"
#include "wolfssl.h"

namespace weir::tls {
namespace {

// RFC 5280 section 4.1.2.5: YYMMDDHHMMSSZ up to 2049, YYYYMMDDHHMMSSZ after.
std::optional<int64_t> time_of(const Der& der) {
  const bool is_short = der.tag == kUtcTime;
  const size_t digits = is_short ? 12 : 14;
  if ((!is_short && der.tag != kGeneralizedTime) || der.content.size() != digits + 1 ||
      der.content.back() != 'Z') {
    return std::nullopt;
  }
  const char* const century = !is_short ? "" : der.content[0] < '5' ? "20" : "19";
  const std::string text = century + std::string(der.content.substr(0, digits));
  int parts[7] = {};  // century, year, month, day, hour, minute, second
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    parts[i / 2] = parts[i / 2] * 10 + (text[i] - '0');
  }
  std::tm tm{};
  tm.tm_year = parts[0] * 100 + parts[1] - 1900;
  tm.tm_mon = parts[2] - 1;
  tm.tm_mday = parts[3];
  tm.tm_hour = parts[4];
  tm.tm_min = parts[5];
  tm.tm_sec = parts[6];
  return ::timegm(&tm);
}

}  // namespace

std::optional<Certificate> read_certificate(std::string_view der) {
  const auto whole = take_der(&der);
  if (!whole || whole->tag != kSequence) return std::nullopt;
  std::string_view inside = whole->content;
  const auto signed_part = take_der(&inside);
  if (!signed_part || signed_part->tag != kSequence) return std::nullopt;
  // version (absent in version 1), serialNumber, signature, issuer, validity, subject
  std::string_view fields = signed_part->content;
  auto field = take_der(&fields);
  if (field && field->tag == kVersion) field = take_der(&fields);
  take_der(&fields);
  const auto issuer = take_der(&fields), validity = take_der(&fields), subject = take_der(&fields);
  if (!field || !issuer || !validity || !subject) return std::nullopt;
  std::string_view times = validity->content;
  const auto from = take_der(&times), to = take_der(&times);
  const auto issuer_text = name_text(issuer->content), subject_text = name_text(subject->content);
  if (!from || !to || !issuer_text || !subject_text) return std::nullopt;
  const auto not_before = time_of(*from), not_after = time_of(*to);
  if (!not_before || !not_after) return std::nullopt;
  return Certificate{*subject_text, *issuer_text, *not_before, *not_after};
}

std::optional<Certificate> read_certificate_pem(std::string_view pem) {
  std::vector<unsigned char> der(pem.size());  // PEM is a third longer
  const int bytes =
      wc_CertPemToDer(reinterpret_cast<const unsigned char*>(pem.data()), static_cast<int>(pem.size()),
                      der.data(), static_cast<int>(der.size()), CERT_TYPE);
  if (bytes <= 0) return std::nullopt;
  return read_certificate({reinterpret_cast<const char*>(der.data()), static_cast<size_t>(bytes)});
}

std::string utc_text(int64_t unix_seconds) {
  const std::time_t time = unix_seconds;
  std::tm tm{};
  char text[32] = "";
  ::gmtime_r(&time, &tm);
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
  return text;
}

}  // namespace weir::tls
