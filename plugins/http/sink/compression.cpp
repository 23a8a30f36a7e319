#include "compression.h"

#include <zlib.h>
#include <zstd.h>

#include <new>
#include <stdexcept>

namespace weir::http::sink {
namespace {

// The libraries' own defaults: JSON of events shrinks to a tenth with either, and higher levels gain little.
constexpr int kGzipLevel = 6;
constexpr int kZstdLevel = 3;
// A window of 32 KiB, and a gzip head instead of zlib's (zlib.h, deflateInit2).
constexpr int kGzipWindowBits = 15 + 16;
constexpr int kMemoryLevel = 8;

std::string gzip(const std::string& body) {
  z_stream stream{};
  if (::deflateInit2(&stream, kGzipLevel, Z_DEFLATED, kGzipWindowBits, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  std::string out(::deflateBound(&stream, body.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));  // it is only read
  stream.avail_in = static_cast<uInt>(body.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = ::deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  if (code != Z_STREAM_END) throw std::runtime_error("the body could not be compressed by zlib");
  return out;
}

std::string zstd(const std::string& body) {
  std::string out(::ZSTD_compressBound(body.size()), '\0');
  const size_t size = ::ZSTD_compress(out.data(), out.size(), body.data(), body.size(), kZstdLevel);
  if (::ZSTD_isError(size) != 0) {
    throw std::runtime_error(std::string("the body could not be compressed by zstd: ") + ::ZSTD_getErrorName(size));
  }
  out.resize(size);
  return out;
}

}  // namespace

const char* content_encoding(Compression compression) {
  switch (compression) {
    case Compression::kGzip:
      return "gzip";
    case Compression::kZstd:
      return "zstd";
    case Compression::kNone:
      break;
  }
  return "";
}

std::string compress(Compression compression, std::string body) {
  switch (compression) {
    case Compression::kGzip:
      return gzip(body);
    case Compression::kZstd:
      return zstd(body);
    case Compression::kNone:
      break;
  }
  return body;
}

}  // namespace weir::http::sink
