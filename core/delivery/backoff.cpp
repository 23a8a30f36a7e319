#include "delivery/backoff.h"

#include <algorithm>
#include <cmath>

namespace weir::delivery {

Backoff::Backoff(const Options& options, uint64_t seed) : options_(options), state_(seed) {
  options_.initial = std::max(options_.initial, kShortest);
  options_.max = std::max(options_.max, options_.initial);
  // Written so that NaN falls on the safe side too.
  if (!(options_.multiplier >= 1.0)) options_.multiplier = 1.0;
  if (!(options_.jitter >= 0.0)) options_.jitter = 0.0;
  options_.jitter = std::min(options_.jitter, 1.0);
}

base::Duration Backoff::delay(uint32_t n) {
  // In doubles, because the power soon leaves 64 bits; it is compared before it is converted.
  double longest = static_cast<double>(options_.max.count());
  double grown =
      static_cast<double>(options_.initial.count()) * std::pow(options_.multiplier, n > 0 ? n - 1 : 0);
  double delay = grown < longest ? grown : longest;

  // splitmix64 (Steele, Lea, Flood 2014): one word of state, good enough to spread retries.
  uint64_t z = state_ += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  double random = static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;  // [0, 1)

  auto shortened = base::Duration(static_cast<int64_t>(delay * (1.0 - options_.jitter * random)));
  return std::clamp(shortened, kShortest, options_.max);
}

}  // namespace weir::delivery
