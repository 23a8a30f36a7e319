// A disk in memory that loses power. Every file has two images: what was written (the page cache) and what is
// durable; a change becomes durable when its file is synced, a name when its folder is. A power cut keeps any
// part of the rest: nothing, a random subset of the writes (so they are reordered too), or writes torn at
// sectors. Faults come by plan or by chance, everything random from one seed. crash_vfs.h puts SQLite and
// base::FileSystem on top of it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace weir::test {

// What of the unsynced changes is on the disk after a power cut.
enum class CutMode {
  kDropUnsynced,  // nothing
  kKeepSubset,    // each change whole or not at all, by chance
  kTearSectors    // as before, and a write may be kept in part, by sectors of 512 bytes; a lost one may leave
                  // zeros
};
constexpr CutMode kAllCutModes[] = {CutMode::kDropUnsynced, CutMode::kKeepSubset, CutMode::kTearSectors};
const char* name_of(CutMode mode);

enum class DiskError { kNone, kOff, kInputOutput, kFull, kNotFound, kExists, kIsDirectory };

// All but reading are changes, which power_off_at() counts.
enum class Operation { kRead, kWrite, kTruncate, kSync, kCreate, kRemove, kRename, kSyncDirectory };

// What a failed fsync leaves. Linux marks the pages clean: reading still shows them, a later fsync that
// succeeds does not write them. Other systems keep them dirty.
enum class FailedSync { kForgetsDirty, kKeepsDirty };

struct Fault {
  Operation operation = Operation::kWrite;
  uint64_t skip = 0;          // so many matching operations work first,
  uint64_t times = 1;         // then so many fail (EIO)
  std::string path_suffix{};  // only files whose path ends so, for example "-wal"
  FailedSync failed_sync = FailedSync::kForgetsDirty;
};

// Chances, 0 to 1, of an operation failing with EIO.
struct RandomFaults {
  double read = 0;
  double write = 0;
  double sync = 0;
};

// Any thread. A boot is the time between two cuts or kills: who was there before one cannot touch what is
// there after it (kOff). Paths are absolute and normal: see normal_path().
class CrashDisk {
 public:
  using Boot = uint64_t;
  struct Node;  // the content of one file, whatever it is called
  using NodePtr = std::shared_ptr<Node>;
  static constexpr uint64_t kUnlimited = UINT64_MAX;
  static constexpr size_t kSectorBytes = 512;

  explicit CrashDisk(uint64_t seed);
  ~CrashDisk();

  // What happens to the machine
  Boot boot() const;
  void power_cut(CutMode mode);
  // kill -9 of the process: what was written stays, synced or not, and is still unsynced.
  void process_kill();
  // The n-th change from now on (0: the next) is under way when the power goes: it and everything after it
  // fails with kOff until power_cut(), which decides what of it is on the disk.
  void power_off_at(uint64_t changes_from_now);
  bool off() const;
  // Changes tried since the disk was made: the range to draw power_off_at() from.
  uint64_t changes() const;
  uint64_t syncs() const;

  // Faults
  void inject(Fault fault);
  void set_random_faults(RandomFaults chances);
  void clear_faults();
  // All files together may have so many bytes; can be changed at any time.
  void set_capacity(uint64_t bytes);
  uint64_t used_bytes() const;
  // For bit rot: overwrites both images, extending the file when needed. The file must exist.
  void damage(const std::string& path, uint64_t offset, std::string_view bytes);
  void truncate_silently(const std::string& path, uint64_t size);
  // What reading the file would give; empty when there is none.
  std::string contents(const std::string& path) const;

  // Files
  DiskError open(Boot boot, const std::string& path, bool create, bool must_be_new, NodePtr& node);
  NodePtr open_unnamed();
  void close(const NodePtr& node);
  // Gives fewer bytes at the end of the file.
  DiskError read(Boot boot, const Node& node, uint64_t offset, size_t size, std::string& bytes);
  // Writes what fits, then kFull.
  DiskError write(Boot boot, Node& node, uint64_t offset, std::string_view bytes);
  DiskError truncate(Boot boot, Node& node, uint64_t size);
  DiskError sync(Boot boot, Node& node);
  DiskError size(Boot boot, const Node& node, uint64_t& bytes);

  // Names
  DiskError remove(Boot boot, const std::string& path);
  DiskError rename(Boot boot, const std::string& from, const std::string& to);
  DiskError make_directories(Boot boot, const std::string& path);  // durable at once
  DiskError sync_directory(Boot boot, const std::string& directory);
  DiskError list(Boot boot, const std::string& directory, std::vector<std::string>& names);
  DiskError find(Boot boot, const std::string& path, bool& is_directory, uint64_t& bytes);
  uint64_t free_bytes() const;

 private:
  using Names = std::map<std::string, NodePtr>;
  struct NameChange {  // creation: added; removal: removed; renaming: both
    std::string directory, removed, added;
    NodePtr node;
  };
  struct PlannedFault {
    Fault fault;
    uint64_t seen = 0;
  };
  struct Verdict {
    DiskError error = DiskError::kNone;
    bool in_flight = false;  // do it, then report kOff
    FailedSync failed_sync = FailedSync::kForgetsDirty;
  };

  // All below are called with mutex_ held.
  Verdict begin(Boot boot, Operation operation, const std::string& path);
  bool alive(Boot asked) const { return asked == boot_ && !off_; }
  bool chance(double probability);
  void change_names(NameChange change);
  static void apply(const NameChange& change, Names& names);
  void unlink(const NodePtr& node);
  void free_when_gone(const NodePtr& node);
  void resize(Node& node, uint64_t size);
  std::string image_after_cut(const Node& node, CutMode mode, double kept);
  void start_next_boot();

  mutable std::mutex mutex_;
  std::mt19937_64 random_;
  Boot boot_ = 1;
  bool off_ = false;
  uint64_t changes_ = 0;
  uint64_t syncs_ = 0;
  uint64_t power_off_at_ = UINT64_MAX;
  uint64_t capacity_ = kUnlimited;
  uint64_t used_ = 0;
  std::vector<PlannedFault> faults_;
  RandomFaults chances_;
  std::set<std::string> directories_{"/"};
  Names names_;
  Names durable_names_;
  std::vector<NameChange> unsynced_names_;
};

// Absolute, without "//", "." and "..".
std::string normal_path(std::string_view path);

}  // namespace weir::test
