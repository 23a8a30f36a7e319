// What a thread that hangs in a plugin may come back to.
#pragma once

#include <memory>
#include <utility>
#include <vector>

namespace weir::runtime {

// Keeps these things for ever, on purpose. The gateway's thread.
template <class... Things>
void leave_behind(Things... things) {
  static auto* const kept = new std::vector<std::shared_ptr<const void>>;
  (kept->push_back(std::make_shared<Things>(std::move(things))), ...);
}

}  // namespace weir::runtime
