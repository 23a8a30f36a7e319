// What an error of PostgreSQL means for the events of the statement.
#pragma once

#include <cstdint>
#include <string_view>

namespace postgres_sink {

// True when the data is refused and would be again: class 22 (data exception) or 23 (integrity constraint violation).
// Everything else can be put right at the database while the events wait
// (https://www.postgresql.org/docs/15/errcodes-appendix.html).
bool refuses_data(std::string_view sqlstate);

// The five characters as a number, base 36, for weir_sink_result.code; 0 for none.
uint32_t code_of(std::string_view sqlstate);

}  // namespace postgres_sink
