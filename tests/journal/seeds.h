// Where the random tests begin and how long they run: --seed=N and --cuts=N of this test program.
#pragma once

#include <cstdint>

namespace weir::journal {

struct Seeds {
  uint64_t first = 1;
  int cuts = 120;  // in each scenario; a night's run takes --cuts=100000
};

Seeds& seeds();

}  // namespace weir::journal
