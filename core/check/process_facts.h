// What a check can see of its own process: threads, descriptors, memory, and what belongs to everybody in it.
#pragma once

#include <cstddef>
#include <map>
#include <string>

namespace weir::check {

size_t count_threads();

// Open descriptors and what each of them is: "socket:[123]", "/dev/null".
std::map<int, std::string> open_descriptors();

// Bytes that malloc has given out, in all arenas.
size_t heap_bytes();
// Bytes of the process that are in memory.
size_t resident_bytes();

// Whether this program was built with a sanitizer, whose quarantine makes resident memory grow.
bool is_sanitized();

// Things that a plugin shares with the gateway and every other plugin, by name: signal handlers, the working folder,
// the locale ... Readable values, to be compared.
std::map<std::string, std::string> shared_state();

}  // namespace weir::check
