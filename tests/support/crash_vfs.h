// SQLite and base::FileSystem on a CrashDisk: the journal's real code and the real SQLite on a disk that
// loses power.
//
//   CrashVfs machine(seed);
//   { Journal journal(machine.files(), ...); ...; machine.power_cut(CutMode::kTearSectors); }
//   Journal recovered(machine.files(), ...);
//
// After power_cut() or process_kill() ask again for files() and vfs_name(): the old ones, and every open
// SQLite connection of theirs, fail from then on and touch nothing. They may be closed at leisure.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/file_system.h"
#include "support/crash_disk.h"

namespace weir::test {

class CrashBoot;

// Any thread, but a cut or kill invalidates what other threads hold, as it should.
class CrashVfs {
 public:
  // Seeds SQLite's own random numbers too, which are global to the process: WAL salts, randomblob().
  explicit CrashVfs(uint64_t seed);
  CrashVfs(const CrashVfs&) = delete;
  CrashVfs& operator=(const CrashVfs&) = delete;
  ~CrashVfs();

  // The files of this boot; the reference stays valid until the CrashVfs is destroyed.
  base::FileSystem& files();
  // The SQLite VFS of this boot, for sqlite3_open_v2.
  const char* vfs_name();
  // Faults, capacity, damage, counters.
  CrashDisk& disk() { return *disk_; }

  void power_cut(CutMode mode);
  void process_kill();

 private:
  void start();

  std::shared_ptr<CrashDisk> disk_;
  std::vector<std::shared_ptr<CrashBoot>> boots_;
};

// The plain files of one boot of the disk.
std::unique_ptr<base::FileSystem> make_crash_file_system(std::shared_ptr<CrashDisk> disk,
                                                         std::string vfs_name);

}  // namespace weir::test
