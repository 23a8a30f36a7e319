// Compressing a request's body.
#pragma once

#include <cstdint>
#include <string>

namespace weir::http::sink {

enum class Compression : uint8_t { kNone, kGzip, kZstd };

// The name for Content-Encoding (RFC 9110 section 8.4, RFC 8878 section 7.2), "" for none.
const char* content_encoding(Compression compression);

// The body compressed, the same bytes for the same body. Throws std::runtime_error or std::bad_alloc.
std::string compress(Compression compression, std::string body);

}  // namespace weir::http::sink
