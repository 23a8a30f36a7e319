#include "support/crash_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>

namespace weir::test {
namespace {

constexpr int kSharedLocks = SQLITE_SHM_NLOCK;

struct Handle;

// What the connections to one file share in their process: locks, and the WAL's index, which real SQLite
// keeps in a -shm file that is worthless after the last of them.
struct Sharing {
  std::vector<Handle*> handles;
  std::vector<std::unique_ptr<std::byte[]>> regions;
};

int sqlite_error(DiskError failed, int when_io_fails) {
  switch (failed) {
    case DiskError::kNone:
      return SQLITE_OK;
    case DiskError::kOff:
      return SQLITE_IOERR;
    case DiskError::kFull:
      return SQLITE_FULL;
    case DiskError::kNotFound:
    case DiskError::kExists:
    case DiskError::kIsDirectory:
      return SQLITE_CANTOPEN;
    case DiskError::kInputOutput:
      break;
  }
  return when_io_fails;
}

}  // namespace

// One boot's VFS: locks and shared memory live as long as the process does, so they belong here.
class CrashBoot : public std::enable_shared_from_this<CrashBoot> {
 public:
  explicit CrashBoot(std::shared_ptr<CrashDisk> made_on);
  ~CrashBoot() { sqlite3_vfs_unregister(&vfs); }
  // New connections by the old name are refused from now on; the old ones keep their pointer to `vfs`.
  void end() { sqlite3_vfs_unregister(&vfs); }
  bool alive() const { return disk->boot() == boot && !disk->off(); }

  std::shared_ptr<CrashDisk> disk;
  CrashDisk::Boot boot;
  std::string name;
  sqlite3_vfs vfs{};
  std::unique_ptr<base::FileSystem> files;
  std::mutex mutex;                                   // guards sharing and the locks in the handles
  std::map<const CrashDisk::Node*, Sharing> sharing;  // by open file
};

namespace {

// One open file. It owns its boot, because SQLite may close it after the CrashVfs is gone.
struct Handle {
  std::shared_ptr<CrashBoot> boot;
  CrashDisk::NodePtr node;
  std::string path;  // empty for a temporary file
  bool delete_on_close = false;
  bool syncs_directory = false;  // the first sync of a journal or WAL makes its name durable, as in os_unix.c
  bool persists_wal = false;
  int lock = SQLITE_LOCK_NONE;
  bool maps_shared = false;
  uint8_t shared = 0;  // bits of the -shm locks held
  uint8_t exclusive = 0;

  CrashDisk& disk() const { return *boot->disk; }
  CrashDisk::Boot number() const { return boot->boot; }
};

struct File {
  sqlite3_file base;
  Handle* handle;
};

Handle& handle_of(sqlite3_file* file) { return *reinterpret_cast<File*>(file)->handle; }
CrashBoot& boot_of(sqlite3_vfs* vfs) { return *static_cast<CrashBoot*>(vfs->pAppData); }

// True when a handle other than `own` answers true.
template <class Predicate>
bool any_other(const Handle& own, Predicate predicate) {
  const auto& handles = own.boot->sharing[own.node.get()].handles;
  return std::any_of(handles.begin(), handles.end(),
                     [&](const Handle* other) { return other != &own && predicate(*other); });
}

// ---- content

int close_file(sqlite3_file* file) {
  std::unique_ptr<Handle> handle(&handle_of(file));
  {
    std::lock_guard lock(handle->boot->mutex);
    auto found = handle->boot->sharing.find(handle->node.get());
    std::erase(found->second.handles, handle.get());
    if (found->second.handles.empty()) handle->boot->sharing.erase(found);
  }
  if (handle->delete_on_close && !handle->path.empty()) {
    static_cast<void>(handle->disk().remove(handle->number(), handle->path));
  }
  handle->disk().close(handle->node);
  return SQLITE_OK;
}

int read(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
  Handle& handle = handle_of(file);
  std::string bytes;
  DiskError failed = handle.disk().read(handle.number(), *handle.node, static_cast<uint64_t>(offset),
                                        static_cast<size_t>(size), bytes);
  if (failed != DiskError::kNone) return sqlite_error(failed, SQLITE_IOERR_READ);
  std::memcpy(to, bytes.data(), bytes.size());
  if (bytes.size() == static_cast<size_t>(size)) return SQLITE_OK;
  std::memset(static_cast<char*>(to) + bytes.size(), 0, static_cast<size_t>(size) - bytes.size());
  return SQLITE_IOERR_SHORT_READ;
}

int write(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
  Handle& handle = handle_of(file);
  std::string_view bytes(static_cast<const char*>(from), static_cast<size_t>(size));
  return sqlite_error(
      handle.disk().write(handle.number(), *handle.node, static_cast<uint64_t>(offset), bytes),
      SQLITE_IOERR_WRITE);
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  Handle& handle = handle_of(file);
  return sqlite_error(handle.disk().truncate(handle.number(), *handle.node, static_cast<uint64_t>(size)),
                      SQLITE_IOERR_TRUNCATE);
}

int sync(sqlite3_file* file, int) {
  Handle& handle = handle_of(file);
  DiskError failed = handle.disk().sync(handle.number(), *handle.node);
  if (failed != DiskError::kNone) return sqlite_error(failed, SQLITE_IOERR_FSYNC);
  if (handle.syncs_directory) {
    // os_unix.c ignores a failure here and does not try again.
    failed = handle.disk().sync_directory(handle.number(), base::parent_directory(handle.path));
    handle.syncs_directory = false;
    if (failed == DiskError::kOff) return SQLITE_IOERR;
  }
  return SQLITE_OK;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  Handle& handle = handle_of(file);
  uint64_t bytes = 0;
  DiskError failed = handle.disk().size(handle.number(), *handle.node, bytes);
  *size = static_cast<sqlite3_int64>(bytes);
  return sqlite_error(failed, SQLITE_IOERR_FSTAT);
}

// ---- locks between the connections of this process

int lock_file(sqlite3_file* file, int level) {
  Handle& handle = handle_of(file);
  if (!handle.boot->alive()) return SQLITE_IOERR;
  std::lock_guard lock(handle.boot->mutex);
  if (level <= handle.lock) return SQLITE_OK;
  auto other_has = [&](int at_least) {
    return any_other(handle, [&](const Handle& other) { return other.lock >= at_least; });
  };
  if (other_has(level == SQLITE_LOCK_RESERVED ? SQLITE_LOCK_RESERVED : SQLITE_LOCK_PENDING))
    return SQLITE_BUSY;
  if (level == SQLITE_LOCK_EXCLUSIVE && other_has(SQLITE_LOCK_SHARED)) {
    handle.lock = SQLITE_LOCK_PENDING;  // keeps new readers out until the present ones have gone
    return SQLITE_BUSY;
  }
  handle.lock = level;
  return SQLITE_OK;
}

int unlock_file(sqlite3_file* file, int level) {
  Handle& handle = handle_of(file);
  std::lock_guard lock(handle.boot->mutex);
  handle.lock = std::min(handle.lock, level);
  return SQLITE_OK;
}

int check_reserved_lock(sqlite3_file* file, int* reserved) {
  Handle& handle = handle_of(file);
  if (!handle.boot->alive()) return SQLITE_IOERR;
  std::lock_guard lock(handle.boot->mutex);
  *reserved = handle.lock >= SQLITE_LOCK_RESERVED ||
              any_other(handle, [](const Handle& other) { return other.lock >= SQLITE_LOCK_RESERVED; });
  return SQLITE_OK;
}

int map_shared(sqlite3_file* file, int index, int size, int extend, void volatile** region) {
  Handle& handle = handle_of(file);
  *region = nullptr;
  if (!handle.boot->alive()) return SQLITE_IOERR;
  std::lock_guard lock(handle.boot->mutex);
  auto& regions = handle.boot->sharing[handle.node.get()].regions;
  handle.maps_shared = true;
  if (static_cast<size_t>(index) >= regions.size() && !extend) return SQLITE_OK;
  while (static_cast<size_t>(index) >= regions.size()) {
    regions.push_back(std::make_unique<std::byte[]>(static_cast<size_t>(size)));
  }
  *region = regions[static_cast<size_t>(index)].get();
  return SQLITE_OK;
}

int lock_shared(sqlite3_file* file, int first, int count, int flags) {
  Handle& handle = handle_of(file);
  if (first < 0 || count < 1 || first + count > kSharedLocks) return SQLITE_IOERR_SHMLOCK;
  auto mask = static_cast<uint8_t>(((1U << count) - 1) << first);
  std::lock_guard lock(handle.boot->mutex);
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    handle.shared = static_cast<uint8_t>(handle.shared & ~mask);
    handle.exclusive = static_cast<uint8_t>(handle.exclusive & ~mask);
    return SQLITE_OK;
  }
  if (!handle.boot->alive()) return SQLITE_IOERR;
  bool wants_exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  bool busy = any_other(handle, [&](const Handle& other) {
    return (other.exclusive & mask) != 0 || (wants_exclusive && (other.shared & mask) != 0);
  });
  if (busy) return SQLITE_BUSY;
  uint8_t& held = wants_exclusive ? handle.exclusive : handle.shared;
  held = static_cast<uint8_t>(held | mask);
  return SQLITE_OK;
}

void shared_barrier(sqlite3_file* file) {
  // Taking the mutex orders memory between the threads of all connections.
  std::lock_guard lock(handle_of(file).boot->mutex);
}

int unmap_shared(sqlite3_file* file, int) {
  Handle& handle = handle_of(file);
  std::lock_guard lock(handle.boot->mutex);
  handle.maps_shared = false;
  handle.shared = handle.exclusive = 0;
  Sharing& sharing = handle.boot->sharing[handle.node.get()];
  bool used = any_other(handle, [](const Handle& other) { return other.maps_shared; });
  if (!used) sharing.regions.clear();
  return SQLITE_OK;
}

int control(sqlite3_file* file, int operation, void* argument) {
  Handle& handle = handle_of(file);
  int* number = static_cast<int*>(argument);
  switch (operation) {
    case SQLITE_FCNTL_LOCKSTATE:
      *number = handle.lock;
      return SQLITE_OK;
    case SQLITE_FCNTL_PERSIST_WAL:
      if (*number >= 0) handle.persists_wal = *number != 0;
      *number = handle.persists_wal ? 1 : 0;
      return SQLITE_OK;
    case SQLITE_FCNTL_POWERSAFE_OVERWRITE:
      *number = 1;
      return SQLITE_OK;
    case SQLITE_FCNTL_SIZE_HINT:
    case SQLITE_FCNTL_CHUNK_SIZE:
      return SQLITE_OK;
    case SQLITE_FCNTL_VFSNAME:
      *static_cast<char**>(argument) = sqlite3_mprintf("%s", handle.boot->name.c_str());
      return SQLITE_OK;
    default:
      return SQLITE_NOTFOUND;
  }
}

// The values of os_unix.c: so SQLite makes the same assumptions as on the real disk.
int sector_size(sqlite3_file*) { return 4096; }
int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

const sqlite3_io_methods kMethods = {2,
                                     close_file,
                                     read,
                                     write,
                                     truncate,
                                     sync,
                                     file_size,
                                     lock_file,
                                     unlock_file,
                                     check_reserved_lock,
                                     control,
                                     sector_size,
                                     characteristics,
                                     map_shared,
                                     lock_shared,
                                     shared_barrier,
                                     unmap_shared,
                                     nullptr,
                                     nullptr};

// ---- names

int open_file(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  file->pMethods = nullptr;
  CrashBoot& boot = boot_of(vfs);
  auto handle = std::make_unique<Handle>();
  handle->boot = boot.shared_from_this();
  handle->delete_on_close = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
  bool create = (flags & SQLITE_OPEN_CREATE) != 0;
  if (path == nullptr) {
    handle->node = boot.disk->open_unnamed();
  } else {
    handle->path = path;
    bool must_be_new = create && (flags & SQLITE_OPEN_EXCLUSIVE) != 0;
    DiskError failed = boot.disk->open(boot.boot, handle->path, create, must_be_new, handle->node);
    if (failed != DiskError::kNone) return sqlite_error(failed, SQLITE_CANTOPEN);
  }
  constexpr int kJournals = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
  handle->syncs_directory = create && (flags & kJournals) != 0;
  {
    std::lock_guard lock(boot.mutex);
    boot.sharing[handle->node.get()].handles.push_back(handle.get());
  }
  reinterpret_cast<File*>(file)->handle = handle.release();
  file->pMethods = &kMethods;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* path, int sync_directory) {
  CrashBoot& boot = boot_of(vfs);
  DiskError failed = boot.disk->remove(boot.boot, path);
  if (failed == DiskError::kNotFound) return SQLITE_IOERR_DELETE_NOENT;
  if (failed != DiskError::kNone) return sqlite_error(failed, SQLITE_IOERR_DELETE);
  if (sync_directory == 0) return SQLITE_OK;
  return sqlite_error(boot.disk->sync_directory(boot.boot, base::parent_directory(path)),
                      SQLITE_IOERR_DIR_FSYNC);
}

int access(sqlite3_vfs* vfs, const char* path, int flags, int* result) {
  CrashBoot& boot = boot_of(vfs);
  bool is_directory = false;
  uint64_t bytes = 0;
  DiskError failed = boot.disk->find(boot.boot, path, is_directory, bytes);
  if (failed == DiskError::kOff) return SQLITE_IOERR_ACCESS;
  // os_unix.c: an empty file does not exist, for SQLITE_ACCESS_EXISTS.
  *result = failed == DiskError::kNone && (flags != SQLITE_ACCESS_EXISTS || is_directory || bytes > 0);
  return SQLITE_OK;
}

int full_path(sqlite3_vfs*, const char* path, int size, char* full) {
  std::string normal = normal_path(path);
  if (normal.size() >= static_cast<size_t>(size)) return SQLITE_CANTOPEN;
  std::memcpy(full, normal.c_str(), normal.size() + 1);
  return SQLITE_OK;
}

std::string next_name() {
  static std::atomic<uint64_t> count{0};
  return "weir-crash-" + std::to_string(++count);
}

}  // namespace

CrashBoot::CrashBoot(std::shared_ptr<CrashDisk> made_on)
    : disk(std::move(made_on)),
      boot(disk->boot()),
      name(next_name()),
      files(make_crash_file_system(disk, name)) {
  vfs = *sqlite3_vfs_find(nullptr);  // time, randomness and sleeping are the machine's
  vfs.pNext = nullptr;
  vfs.szOsFile = sizeof(File);
  vfs.mxPathname = 512;
  vfs.zName = name.c_str();
  vfs.pAppData = this;
  vfs.xOpen = open_file;
  vfs.xDelete = delete_file;
  vfs.xAccess = access;
  vfs.xFullPathname = full_path;
  sqlite3_vfs_register(&vfs, 0);
}

CrashVfs::CrashVfs(uint64_t seed) : disk_(std::make_shared<CrashDisk>(seed)) {
  sqlite3_initialize();
  int sqlite_seed =
      std::bit_cast<int>(static_cast<uint32_t>(seed ^ seed >> 32) | 1U);  // 0 would mean unseeded
  sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, sqlite_seed, static_cast<sqlite3*>(nullptr));
  start();
}

CrashVfs::~CrashVfs() {
  for (const auto& boot : boots_) boot->end();
}

void CrashVfs::start() {
  if (!boots_.empty()) boots_.back()->end();
  boots_.push_back(std::make_shared<CrashBoot>(disk_));
}

base::FileSystem& CrashVfs::files() { return *boots_.back()->files; }
const char* CrashVfs::vfs_name() { return boots_.back()->name.c_str(); }

void CrashVfs::power_cut(CutMode mode) {
  disk_->power_cut(mode);
  start();
}

void CrashVfs::process_kill() {
  disk_->process_kill();
  start();
}

}  // namespace weir::test
