// Which events of which source each consumer is owed: what it is not owed, `unrouted` holds.
//
// A source can become a consumer's later than its place in the journal begins. What the source had brought before that was
// passed over by the consumer ("not routed here"), so it is still nobody's, and must not be let go of (P3). Since when is
// kept in state.db, as values of `unrouted`: "CONSUMER\nSOURCE" is the first sequence that is owed.
#include <charconv>
#include <set>

#include "runtime/assembly.h"

namespace weir::runtime {
namespace {

constexpr const char* kUnrouted = "unrouted";

std::string key_of(const std::string& consumer, const std::string& source) { return consumer + '\n' + source; }

uint64_t number(const std::string& text) {
  uint64_t value = UINT64_MAX;  // unreadable: nothing is owed, everything is held
  (void)std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

// `anew`: whatever was noted was of another place under the same name.
void Assembly::owe(const graph::Path& path, uint64_t since, bool anew) {
  journal::State& state = context_.services.journal->state();
  auto known = state.key_values(kUnrouted);
  for (const std::string& source : path.sources) {
    std::string key = key_of(path.consumer, source);
    if (anew || !known.contains(key)) state.put({kUnrouted, key, std::to_string(since)});
  }
}

// Tells `unrouted`. It looks through all it holds again, so only when something has changed.
void Assembly::route(std::optional<Leftover> fresh) {
  journal::State& state = context_.services.journal->state();
  auto known = state.key_values(kUnrouted);
  delivery::Unrouted::Routes routes;
  const auto& conditional = (fresh ? *fresh : leftover_).sources;
  std::set<std::string> planned, used;
  for (const graph::Path& path : plan_.paths) {
    planned.insert(path.consumer);
    for (const std::string& source : path.sources) {
      auto since = known.find(key_of(path.consumer, source));
      if (since == known.end()) continue;
      used.insert(since->first);
      auto [at, first] = routes.emplace(source, number(since->second));
      if (first) continue;
      at->second = conditional.contains(source) ? std::max(at->second, number(since->second))
                                                : std::min(at->second, number(since->second));
    }
  }
  // A source that does not lead there any more; those of a removed sink stay with its place.
  for (const auto& [key, since] : known) {
    if (!used.contains(key) && planned.contains(key.substr(0, key.find('\n')))) state.put({kUnrouted, key, std::nullopt});
  }
  if (routes != routes_ || fresh) tell_unrouted(std::move(routes), std::move(fresh));
}

}  // namespace weir::runtime
