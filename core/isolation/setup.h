// What a child is told first, and the time that both sides give a call.
#pragma once

#include <string>

#include "base/time.h"
#include "isolation/wire.h"

namespace weir::isolation {

// A data call that must not block has blocked when it takes so long: the plugin hangs.
inline constexpr base::Duration kDataCallLimit = std::chrono::seconds(10);
// Of a child whose main thread does nothing but answer: longer than any pause of a loaded machine.
inline constexpr base::Duration kSilenceLimit = std::chrono::seconds(15);

struct Setup {
  std::string library;    // the plugin's file
  std::string component;  // "demo.sink"
  std::string gateway_id;
  bool network = false, files = false;  // what it may do, see Confinement
  uint64_t memory_bytes = 0;
  uint64_t ring_bytes = 0;
  base::Duration data_call_limit = kDataCallLimit;

  std::string written() const;
  static Setup read(std::string_view body);
};

}  // namespace weir::isolation
