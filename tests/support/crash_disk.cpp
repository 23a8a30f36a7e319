#include "support/crash_disk.h"

#include <algorithm>
#include <filesystem>

#include "base/file_system.h"
#include "base/result.h"

namespace weir::test {
namespace {

struct Change {
  uint64_t offset = 0;
  std::string bytes;
  bool truncates = false;  // to `offset`
};

void apply_write(std::string& image, uint64_t offset, std::string_view bytes) {
  if (image.size() < offset + bytes.size()) image.resize(offset + bytes.size());
  std::copy(bytes.begin(), bytes.end(), image.begin() + static_cast<std::ptrdiff_t>(offset));
}

void apply_change(std::string& image, const Change& change) {
  if (change.truncates) {
    image.resize(change.offset);
  } else {
    apply_write(image, change.offset, change.bytes);
  }
}

bool is_write(Operation operation) {
  return operation == Operation::kWrite || operation == Operation::kTruncate;
}

}  // namespace

struct CrashDisk::Node {
  Boot boot = 0;     // whose it is; one of an earlier boot only waits for its handles to be closed
  std::string path;  // where it was made: for the faults' path_suffix
  std::string written;
  std::string durable;
  std::vector<Change> unsynced;  // durable + these = written, unless a failed sync forgot some
  uint32_t names = 0;
  uint32_t handles = 0;
};

const char* name_of(CutMode mode) {
  switch (mode) {
    case CutMode::kDropUnsynced:
      return "drop unsynced";
    case CutMode::kKeepSubset:
      return "keep a subset";
    case CutMode::kTearSectors:
      break;
  }
  return "tear sectors";
}

std::string normal_path(std::string_view path) {
  std::string normal = (std::filesystem::path("/") / path).lexically_normal().string();
  while (normal.size() > 1 && normal.back() == '/') normal.pop_back();
  return normal;
}

CrashDisk::CrashDisk(uint64_t seed) : random_(seed) {}
CrashDisk::~CrashDisk() = default;

// ---- what happens to the machine

CrashDisk::Boot CrashDisk::boot() const {
  std::lock_guard lock(mutex_);
  return boot_;
}

void CrashDisk::power_cut(CutMode mode) {
  std::lock_guard lock(mutex_);
  // Some cuts keep nearly everything and some nearly nothing, so that both ends are met.
  double kept = mode == CutMode::kDropUnsynced ? 0 : static_cast<double>(random_() % 5) / 4;
  for (const NameChange& change : unsynced_names_) {
    if (chance(kept)) apply(change, durable_names_);
  }
  used_ = 0;
  for (auto& [path, node] : durable_names_) {
    auto after = std::make_shared<Node>();
    after->boot = boot_ + 1;
    after->path = path;
    after->durable = image_after_cut(*node, mode, kept);
    after->written = after->durable;
    after->names = 1;
    used_ += after->written.size();
    node = std::move(after);
  }
  names_ = durable_names_;
  unsynced_names_.clear();
  start_next_boot();
}

std::string CrashDisk::image_after_cut(const Node& node, CutMode mode, double kept) {
  std::string image = node.durable;
  for (const Change& change : node.unsynced) {
    bool survives = chance(kept);
    if (mode != CutMode::kTearSectors || change.truncates) {
      if (survives) apply_change(image, change);
      continue;
    }
    uint64_t end = change.offset + change.bytes.size();
    if (!survives) {
      // The length is metadata and can be durable before the data.
      if (image.size() < end && chance(0.25)) image.resize(end);
      continue;
    }
    bool torn = chance(0.5);
    for (uint64_t at = change.offset; at < end;) {
      uint64_t stop = std::min(end, (at / kSectorBytes + 1) * kSectorBytes);
      std::string_view bytes = change.bytes;
      if (!torn || chance(0.5)) apply_write(image, at, bytes.substr(at - change.offset, stop - at));
      at = stop;
    }
  }
  return image;
}

void CrashDisk::process_kill() {
  std::lock_guard lock(mutex_);
  used_ = 0;
  std::map<Node*, NodePtr> after;
  auto renew = [&](NodePtr& node) {
    NodePtr& fresh = after[node.get()];
    if (!fresh) {
      fresh = std::make_shared<Node>(*node);
      fresh->boot = boot_ + 1;
      fresh->handles = 0;
    }
    node = fresh;
  };
  for (auto& [path, node] : names_) {
    used_ += node->written.size();
    renew(node);
  }
  for (auto& [path, node] : durable_names_) renew(node);
  for (NameChange& change : unsynced_names_) {
    if (change.node) renew(change.node);
  }
  start_next_boot();
}

void CrashDisk::start_next_boot() {
  ++boot_;
  off_ = false;
  power_off_at_ = UINT64_MAX;
}

void CrashDisk::power_off_at(uint64_t changes_from_now) {
  std::lock_guard lock(mutex_);
  power_off_at_ = changes_ + changes_from_now;
}

bool CrashDisk::off() const {
  std::lock_guard lock(mutex_);
  return off_;
}

uint64_t CrashDisk::changes() const {
  std::lock_guard lock(mutex_);
  return changes_;
}

uint64_t CrashDisk::syncs() const {
  std::lock_guard lock(mutex_);
  return syncs_;
}

// ---- faults

void CrashDisk::inject(Fault fault) {
  std::lock_guard lock(mutex_);
  faults_.push_back({std::move(fault)});
}

void CrashDisk::set_random_faults(RandomFaults chances) {
  std::lock_guard lock(mutex_);
  chances_ = chances;
}

void CrashDisk::clear_faults() {
  std::lock_guard lock(mutex_);
  faults_.clear();
  chances_ = {};
}

void CrashDisk::set_capacity(uint64_t bytes) {
  std::lock_guard lock(mutex_);
  capacity_ = bytes;
}

uint64_t CrashDisk::used_bytes() const {
  std::lock_guard lock(mutex_);
  return used_;
}

uint64_t CrashDisk::free_bytes() const {
  std::lock_guard lock(mutex_);
  return capacity_ > used_ ? capacity_ - used_ : 0;
}

void CrashDisk::damage(const std::string& path, uint64_t offset, std::string_view bytes) {
  std::lock_guard lock(mutex_);
  auto found = names_.find(normal_path(path));
  WEIR_CHECK(found != names_.end());
  Node& node = *found->second;
  if (node.written.size() < offset + bytes.size()) resize(node, offset + bytes.size());
  apply_write(node.written, offset, bytes);
  apply_write(node.durable, offset, bytes);
}

void CrashDisk::truncate_silently(const std::string& path, uint64_t size) {
  std::lock_guard lock(mutex_);
  auto found = names_.find(normal_path(path));
  WEIR_CHECK(found != names_.end());
  resize(*found->second, size);
  found->second->durable = found->second->written;
  found->second->unsynced.clear();
}

std::string CrashDisk::contents(const std::string& path) const {
  std::lock_guard lock(mutex_);
  auto found = names_.find(normal_path(path));
  return found == names_.end() ? "" : found->second->written;
}

bool CrashDisk::chance(double probability) {
  return static_cast<double>(random_() >> 11) * 0x1.0p-53 < probability;
}

CrashDisk::Verdict CrashDisk::begin(Boot boot, Operation operation, const std::string& path) {
  if (!alive(boot)) return {.error = DiskError::kOff};
  if (operation == Operation::kSync) ++syncs_;
  if (operation != Operation::kRead && changes_++ >= power_off_at_) {
    off_ = true;
    return {.in_flight = true};
  }
  for (PlannedFault& planned : faults_) {
    const Fault& fault = planned.fault;
    if (fault.operation != operation || !path.ends_with(fault.path_suffix)) continue;
    uint64_t number = planned.seen++;
    if (number >= fault.skip && number - fault.skip < fault.times) {
      return {.error = DiskError::kInputOutput, .failed_sync = fault.failed_sync};
    }
  }
  double probability = operation == Operation::kRead   ? chances_.read
                       : is_write(operation)           ? chances_.write
                       : operation == Operation::kSync ? chances_.sync
                                                       : 0;
  if (probability > 0 && chance(probability)) {
    return {.error = DiskError::kInputOutput,
            .failed_sync = chance(0.5) ? FailedSync::kForgetsDirty : FailedSync::kKeepsDirty};
  }
  return {};
}

// ---- files

DiskError CrashDisk::open(Boot boot, const std::string& path, bool create, bool must_be_new, NodePtr& node) {
  std::lock_guard lock(mutex_);
  if (!alive(boot)) return DiskError::kOff;
  if (directories_.count(path) != 0) return DiskError::kIsDirectory;
  auto found = names_.find(path);
  if (found != names_.end()) {
    if (must_be_new) return DiskError::kExists;
    node = found->second;
    ++node->handles;
    return DiskError::kNone;
  }
  if (!create || directories_.count(base::parent_directory(path)) == 0) return DiskError::kNotFound;
  Verdict verdict = begin(boot, Operation::kCreate, path);
  if (verdict.error != DiskError::kNone) return verdict.error;
  node = std::make_shared<Node>();
  node->boot = boot_;
  node->path = path;
  node->handles = 1;
  change_names({base::parent_directory(path), "", path, node});
  return verdict.in_flight ? DiskError::kOff : DiskError::kNone;
}

CrashDisk::NodePtr CrashDisk::open_unnamed() {
  std::lock_guard lock(mutex_);
  auto node = std::make_shared<Node>();
  node->boot = boot_;
  node->handles = 1;
  return node;
}

void CrashDisk::close(const NodePtr& node) {
  std::lock_guard lock(mutex_);
  --node->handles;
  free_when_gone(node);
}

DiskError CrashDisk::read(Boot boot, const Node& node, uint64_t offset, size_t size, std::string& bytes) {
  std::lock_guard lock(mutex_);
  Verdict verdict = begin(boot, Operation::kRead, node.path);
  if (verdict.error != DiskError::kNone) return verdict.error;
  bytes = offset < node.written.size() ? node.written.substr(offset, size) : std::string();
  return DiskError::kNone;
}

DiskError CrashDisk::write(Boot boot, Node& node, uint64_t offset, std::string_view bytes) {
  std::lock_guard lock(mutex_);
  Verdict verdict = begin(boot, Operation::kWrite, node.path);
  if (verdict.error != DiskError::kNone) return verdict.error;
  uint64_t free = capacity_ > used_ ? capacity_ - used_ : 0;
  uint64_t limit = free > kUnlimited - node.written.size() ? kUnlimited : node.written.size() + free;
  bool fits = offset + bytes.size() <= limit;
  if (!fits) bytes = bytes.substr(0, offset < limit ? limit - offset : 0);
  if (!bytes.empty()) {
    if (node.written.size() < offset + bytes.size()) resize(node, offset + bytes.size());
    apply_write(node.written, offset, bytes);
    node.unsynced.push_back({offset, std::string(bytes), false});
  }
  if (verdict.in_flight) return DiskError::kOff;
  return fits ? DiskError::kNone : DiskError::kFull;
}

DiskError CrashDisk::truncate(Boot boot, Node& node, uint64_t size) {
  std::lock_guard lock(mutex_);
  Verdict verdict = begin(boot, Operation::kTruncate, node.path);
  if (verdict.error != DiskError::kNone) return verdict.error;
  resize(node, size);
  node.unsynced.push_back({size, "", true});
  return verdict.in_flight ? DiskError::kOff : DiskError::kNone;
}

DiskError CrashDisk::sync(Boot boot, Node& node) {
  std::lock_guard lock(mutex_);
  Verdict verdict = begin(boot, Operation::kSync, node.path);
  if (verdict.in_flight) return DiskError::kOff;
  if (verdict.error == DiskError::kInputOutput && verdict.failed_sync == FailedSync::kForgetsDirty) {
    node.unsynced.clear();
  }
  if (verdict.error != DiskError::kNone) return verdict.error;
  for (const Change& change : node.unsynced) apply_change(node.durable, change);
  node.unsynced.clear();
  return DiskError::kNone;
}

DiskError CrashDisk::size(Boot boot, const Node& node, uint64_t& bytes) {
  std::lock_guard lock(mutex_);
  if (!alive(boot)) return DiskError::kOff;
  bytes = node.written.size();
  return DiskError::kNone;
}

void CrashDisk::resize(Node& node, uint64_t size) {
  used_ += size - node.written.size();
  node.written.resize(size);
}

// ---- names

void CrashDisk::apply(const NameChange& change, Names& names) {
  if (!change.removed.empty()) names.erase(change.removed);
  if (change.added.empty()) return;
  // A file has one name: a renaming that outlived the one before it must not leave two.
  std::erase_if(names, [&](const auto& entry) { return entry.second == change.node; });
  names[change.added] = change.node;
}

void CrashDisk::change_names(NameChange change) {
  auto replaced = names_.find(change.added.empty() ? change.removed : change.added);
  NodePtr old = replaced == names_.end() ? nullptr : replaced->second;
  if (!change.added.empty() && change.removed.empty()) ++change.node->names;
  apply(change, names_);
  unsynced_names_.push_back(std::move(change));
  if (old) unlink(old);
}

void CrashDisk::unlink(const NodePtr& node) {
  --node->names;
  free_when_gone(node);
}

void CrashDisk::free_when_gone(const NodePtr& node) {
  // A removed file takes space until its last handle is closed.
  if (node->boot == boot_ && node->names == 0 && node->handles == 0) used_ -= node->written.size();
}

DiskError CrashDisk::remove(Boot boot, const std::string& path) {
  std::lock_guard lock(mutex_);
  if (!alive(boot)) return DiskError::kOff;
  if (directories_.count(path) != 0) return DiskError::kIsDirectory;
  if (names_.count(path) == 0) return DiskError::kNotFound;
  Verdict verdict = begin(boot, Operation::kRemove, path);
  if (verdict.error != DiskError::kNone) return verdict.error;
  change_names({base::parent_directory(path), path, "", nullptr});
  return verdict.in_flight ? DiskError::kOff : DiskError::kNone;
}

DiskError CrashDisk::rename(Boot boot, const std::string& from, const std::string& to) {
  std::lock_guard lock(mutex_);
  if (!alive(boot)) return DiskError::kOff;
  if (directories_.count(to) != 0 || directories_.count(from) != 0) return DiskError::kIsDirectory;
  auto found = names_.find(from);
  if (found == names_.end()) return DiskError::kNotFound;
  Verdict verdict = begin(boot, Operation::kRename, from);
  if (verdict.error != DiskError::kNone) return verdict.error;
  NodePtr node = found->second;
  if (from != to) change_names({base::parent_directory(to), from, to, node});
  return verdict.in_flight ? DiskError::kOff : DiskError::kNone;
}

DiskError CrashDisk::make_directories(Boot boot, const std::string& path) {
  std::lock_guard lock(mutex_);
  if (!alive(boot)) return DiskError::kOff;
  for (std::string at = path; directories_.count(at) == 0; at = base::parent_directory(at)) {
    if (names_.count(at) != 0) return DiskError::kExists;
  }
  for (std::string at = path; directories_.insert(at).second; at = base::parent_directory(at)) {
  }
  return DiskError::kNone;
}

DiskError CrashDisk::sync_directory(Boot boot, const std::string& directory) {
  std::lock_guard lock(mutex_);
  if (!alive(boot)) return DiskError::kOff;
  if (directories_.count(directory) == 0) return DiskError::kNotFound;
  Verdict verdict = begin(boot, Operation::kSyncDirectory, directory);
  if (verdict.in_flight) return DiskError::kOff;
  if (verdict.error != DiskError::kNone) return verdict.error;
  std::erase_if(unsynced_names_, [&](const NameChange& change) {
    if (change.directory != directory) return false;
    apply(change, durable_names_);
    return true;
  });
  return DiskError::kNone;
}

DiskError CrashDisk::list(Boot boot, const std::string& directory, std::vector<std::string>& names) {
  std::lock_guard lock(mutex_);
  if (!alive(boot)) return DiskError::kOff;
  if (directories_.count(directory) == 0) return DiskError::kNotFound;
  auto add = [&](const std::string& path) {
    if (path != "/" && base::parent_directory(path) == directory)
      names.push_back(path.substr(path.rfind('/') + 1));
  };
  for (const auto& [path, node] : names_) add(path);
  for (const std::string& path : directories_) add(path);
  std::sort(names.begin(), names.end());
  return DiskError::kNone;
}

DiskError CrashDisk::find(Boot boot, const std::string& path, bool& is_directory, uint64_t& bytes) {
  std::lock_guard lock(mutex_);
  if (!alive(boot)) return DiskError::kOff;
  is_directory = directories_.count(path) != 0;
  bytes = 0;
  if (is_directory) return DiskError::kNone;
  auto found = names_.find(path);
  if (found == names_.end()) return DiskError::kNotFound;
  bytes = found->second->written.size();
  return DiskError::kNone;
}

}  // namespace weir::test
