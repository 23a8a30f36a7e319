// A call that was given up before it had an answer: neither done nor failed.
#pragma once

#include <cstdint>

namespace weir::base {

// What a transform's calls answer when whoever carries them was told to give up: whatever has been said is void, and
// the same events are given again later, to this instance or its successor. Of an instance that nobody can interrupt it is a
// plugin's status like any other.
inline constexpr int32_t kInterrupted = 1'000'000;

}  // namespace weir::base
