// CRC-32C (Castagnoli, RFC 3720 appendix B.4): finds damage in stored rows; it is no defence against forgery.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weir::base {

uint32_t crc32c(const void* data, size_t size, uint32_t before = 0);

}  // namespace weir::base
