#include "base/digest.h"

// First of all wolfSSL's headers: it says how the library was built.
#include <fcntl.h>
#include <unistd.h>
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include <cerrno>
#include <cstring>
#include <limits>

namespace weir::base {
namespace {

constexpr size_t kPieceBytes = 64 * 1024;  // large enough that system calls do not show beside the hashing

Error file_error(int number, const std::string& path) {
  Code code = number == ENOENT ? Code::kNotFound : number == EACCES ? Code::kDenied : Code::kUnavailable;
  return error(code, std::string("cannot be read: ") + std::strerror(number), path);
}

}  // namespace

struct Sha256::State {
  wc_Sha256 context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) { WEIR_CHECK(wc_InitSha256(&state_->context) == 0); }

Sha256::~Sha256() { wc_Sha256Free(&state_->context); }

void Sha256::update(std::span<const uint8_t> bytes) {
  constexpr size_t kMostAtOnce = std::numeric_limits<word32>::max();
  while (!bytes.empty()) {
    std::span<const uint8_t> piece = bytes.first(std::min(bytes.size(), kMostAtOnce));
    WEIR_CHECK(wc_Sha256Update(&state_->context, piece.data(), static_cast<word32>(piece.size())) == 0);
    bytes = bytes.subspan(piece.size());
  }
}

void Sha256::update(std::string_view bytes) {
  update(std::span(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()));
}

Digest Sha256::finish() {
  Digest digest;
  WEIR_CHECK(wc_Sha256Final(&state_->context, digest.data()) == 0);
  return digest;
}

Digest sha256(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

Result<Digest> sha256_file(const std::string& path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0) return file_error(errno, path);
  Sha256 hash;
  auto piece = std::make_unique<uint8_t[]>(kPieceBytes);
  for (;;) {
    ssize_t n = ::read(fd, piece.get(), kPieceBytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      int number = errno;
      ::close(fd);
      if (n < 0) return file_error(number, path);
      return hash.finish();
    }
    hash.update(std::span(piece.get(), static_cast<size_t>(n)));
  }
}

std::string hex(const Digest& digest) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(digest.size() * 2);
  for (uint8_t byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace weir::base
