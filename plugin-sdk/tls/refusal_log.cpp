#include "weir/tls/refusal_log.h"

namespace weir::tls {

std::optional<std::string> RefusalLog::note(const Problem& problem, const std::string& peer,
                                            Clock::time_point now) {
  Entry& entry = entries_[static_cast<size_t>(problem.cause)];
  if (entry.known && now - entry.written < kQuietTime) {
    ++entry.unwritten;
    return std::nullopt;
  }
  std::string line = "refused the TLS handshake of " + peer + ": " + problem.text;
  if (entry.unwritten > 0)
    line += " (and " + std::to_string(entry.unwritten) + " more for such a reason since the last line)";
  entry = {now, 0, true};
  return line;
}

}  // namespace weir::tls
