// What the generator posts: a pool of whole HTTP requests, built before the clock starts so that sending one
// costs a send() and nothing else.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weir::bench {

// JSON bodies that differ from each other. One event is an object, several are an array; an event is about
// 114 bytes, so a body of 100 events is about 11.4 KB.
std::vector<std::string> make_bodies(uint32_t count, uint32_t events_per_body);

// The same as POST requests.
std::vector<std::string> make_requests(const std::vector<std::string>& bodies, const std::string& host,
                                       const std::string& path);

// Enough that neither the generator nor the gateway works on bytes that are always in the cache.
inline constexpr uint32_t kBodyPool = 64;

}  // namespace weir::bench
