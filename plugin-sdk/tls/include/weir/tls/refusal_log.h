// Keeps refused handshakes from flooding the log: anybody on the network can make as many as they like.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>

#include "weir/tls/problem.h"

namespace weir::tls {

// One line per cause and minute, which says how many there were. One thread.
class RefusalLog {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kQuietTime{60};

  // The line to write; nothing while this cause is to be quiet. `peer`: "192.0.2.7:51234".
  std::optional<std::string> note(const Problem& problem, const std::string& peer, Clock::time_point now);

 private:
  struct Entry {
    Clock::time_point written;
    uint64_t unwritten = 0;
    bool known = false;
  };
  std::array<Entry, kCauses> entries_;
};

}  // namespace weir::tls
