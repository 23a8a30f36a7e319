// Telling UTF-8 from what is not.
#pragma once

#include <cstddef>
#include <string_view>

namespace weir::mapping {

// Bytes of the UTF-8 sequence at the front of `text` (RFC 3629 section 4), 0 when there is none. [any thread]
size_t utf8_sequence(std::string_view text);

}  // namespace weir::mapping
