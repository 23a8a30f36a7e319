#include "sqlstate.h"

namespace postgres_sink {

bool refuses_data(std::string_view sqlstate) { return sqlstate.starts_with("22") || sqlstate.starts_with("23"); }

uint32_t code_of(std::string_view sqlstate) {
  uint32_t code = 0;
  for (char c : sqlstate) code = code * 36 + static_cast<uint32_t>(c <= '9' ? c - '0' : c - 'A' + 10);
  return code;
}

}  // namespace postgres_sink
