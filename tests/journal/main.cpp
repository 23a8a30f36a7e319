#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/log.h"
#include "seeds.h"

namespace weir::journal {

Seeds& seeds() {
  static Seeds instance;
  return instance;
}

}  // namespace weir::journal

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  weir::base::set_log_level(weir::base::Level::kOff);
  for (int i = 1; i < argc; ++i) {
    std::string_view argument = argv[i];
    auto& seeds = weir::journal::seeds();
    if (argument.starts_with("--seed=")) {
      seeds.first = std::strtoull(argv[i] + 7, nullptr, 0);
    } else if (argument.starts_with("--cuts=")) {
      seeds.cuts = std::atoi(argv[i] + 7);
    } else if (argument == "--verbose") {
      weir::base::set_log_level(weir::base::Level::kDebug);
      continue;
    } else {
      std::fprintf(stderr, "usage: %s [--seed=N] [--cuts=N] [--verbose] [--gtest_...]\n", argv[0]);
      return 2;
    }
  }
  return RUN_ALL_TESTS();
}
