// A file system of a few megabytes: the real way to a full disk.
#pragma once

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>

namespace weir::test {

enum class OnSmallDisk {
  kPassed,
  kFailed,       // an EXPECT of the body failed (its text is on standard output) or it crashed
  kNotPermitted  // this machine lets nobody mount: skip the test
};

// Runs `body(folder)` in a forked child that has a tmpfs of that size mounted at `folder`, in namespaces of
// its own. Call it while the test has no other thread. The body reports with EXPECT; ASSERT in it ends only
// the body.
OnSmallDisk run_on_small_disk(uint64_t bytes, const std::function<void(const std::string& folder)>& body);

inline void PrintTo(OnSmallDisk result, std::ostream* out) {
  *out << (result == OnSmallDisk::kPassed   ? "passed"
           : result == OnSmallDisk::kFailed ? "failed"
                                            : "not permitted");
}

}  // namespace weir::test
