// A plugin's part of the event's story begins before any of its code runs: its file is judged by what its ELF
// note says (plugin-sdk/include/weir/entry.h), because a constructor of a wrong library can abort the
// gateway.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weir::plugin {

// The values are the ABI's, weir_kind.
enum class Kind : uint32_t { kSource = 1, kTransform = 2, kSink = 3 };

// "source", "transform" or "sink".
std::string_view kind_name(Kind kind);

// What a plugin's file says about itself.
struct Note {
  uint32_t abi_major = 0;
  uint32_t abi_minor_low = 0;   // the lowest minor version of the host's ABI that it works with
  uint32_t abi_minor_high = 0;  // the highest one it was made for
  std::string id;
  std::string version;                                  // semver, not checked here
  std::map<std::string, Kind, std::less<>> components;  // by name
};

// Reads the note without loading the library. Whatever the file holds, nothing is read outside of it. Each of
// these is refused with its own text: a file that cannot be read, is not ELF, is truncated, 32-bit,
// big-endian, for another machine, not a shared library, without a Weir note, with a note that is not as
// entry.h says. Any thread.
base::Result<Note> read_note(const std::string& path);

// Whether this gateway can run a plugin with that ABI range. The draft (major 0) may break with each minor
// version, so there the range must hold ours; from major 1 on a host serves every plugin that is not newer
// than it.
base::Status judge_abi(const Note& note, const std::string& path);

}  // namespace weir::plugin
