#include "plugin/catalog.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/digest.h"
#include "base/log.h"
#include "plugin/version.h"

namespace weir::plugin {
namespace {

using base::Code;
using base::Error;
using base::Result;
using base::Status;

// What tells a changed file from the one that was judged.
struct Stamp {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  int64_t modified_ns = 0;
  int64_t changed_ns = 0;
  bool operator==(const Stamp&) const = default;
};

// All zero when there is no such file.
Stamp stamp_of(const std::string& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) return {};
  auto ns = [](const timespec& at) { return int64_t{at.tv_sec} * 1'000'000'000 + at.tv_nsec; };
  return {status.st_dev, status.st_ino, status.st_size, ns(status.st_mtim), ns(status.st_ctim)};
}

// The paths of the .so entries of the folders, hidden ones (temporary names) left out.
std::vector<std::string> libraries_in(const std::vector<std::string>& folders) {
  std::vector<std::string> paths;
  for (const std::string& folder : folders) {
    std::error_code failed;
    for (auto it = std::filesystem::directory_iterator(folder, failed);
         !failed && it != std::filesystem::directory_iterator(); it.increment(failed)) {
      const std::string name = it->path().filename();
      if (name.ends_with(".so") && !name.starts_with('.')) paths.push_back(it->path());
    }
    if (failed && failed != std::errc::no_such_file_or_directory) {
      base::log_warn("plugin", folder + ": the plugin folder cannot be read: " + failed.message());
    }
  }
  return paths;
}

// Orders candidates from the highest version to the lowest; of equal versions the path decides, to be
// repeatable.
bool before(const Candidate& a, const Candidate& b) {
  auto order = compare_versions(a.note->version, b.note->version);
  return order != 0 ? order > 0 : a.path < b.path;
}

// The error with the file that a person knows instead of the private copy.
Error about(const std::string& path, Error error) {
  error.where = path;
  return error;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

}  // namespace

struct Catalog::File {
  Candidate candidate;
  Stamp stamp;
};

Catalog::Catalog(Options options) : options_(std::move(options)), cache_(options_.cache_folder) {}

Catalog::~Catalog() = default;

Candidate Catalog::judge(const std::string& path) {
  Candidate candidate;
  candidate.path = path;
  const Stamp before_reading = stamp_of(path);
  Result<Note> note = read_note(path);
  Status abi = note ? judge_abi(*note, path) : Status(note.error());
  if (!abi) candidate.refusal = abi.error();
  if (note) candidate.note = *note;
  Result<base::Digest> digest = base::sha256_file(path);
  if (digest) candidate.digest = base::hex(*digest);
  if (!digest && !candidate.refusal) candidate.refusal = digest.error();
  if (before_reading != stamp_of(path)) {
    candidate.refusal =
        base::error(Code::kUnavailable, "is being written", path, "it is judged again when it rests");
  }
  return candidate;
}

void Catalog::scan() {
  std::vector<std::string> paths = libraries_in(options_.folders);
  std::map<std::string, File> known;
  {
    std::lock_guard lock(mutex_);
    known = files_;
  }
  std::map<std::string, File> found;
  for (const std::string& path : paths) {
    const Stamp stamp = stamp_of(path);
    auto before = known.find(path);
    if (before != known.end() && before->second.stamp == stamp) {
      found.insert(*before);
      continue;
    }
    File file{judge(path), stamp};
    if (file.candidate.refusal) base::log_warn("plugin", "refused: " + file.candidate.refusal->text());
    // A file that changed while it was read is read again by the next scan, whatever its stamp says.
    if (stamp != stamp_of(path)) file.stamp = {};
    found.emplace(path, std::move(file));
  }
  std::lock_guard lock(mutex_);
  files_ = std::move(found);
  // Verdicts of a probe stand in the candidates too; a new file with known bad bytes is refused at once.
  for (auto& [path, file] : files_) {
    auto verdict = verdicts_.find(file.candidate.digest);
    if (verdict != verdicts_.end() && !verdict->second && !file.candidate.refusal) {
      file.candidate.refusal = about(path, verdict->second.error());
    }
  }
}

std::vector<Candidate> Catalog::candidates() const {
  std::lock_guard lock(mutex_);
  std::vector<Candidate> all;
  for (const auto& [path, file] : files_) all.push_back(file.candidate);
  return all;
}

std::vector<Candidate> Catalog::fitting(std::string_view component, const Accepts& accepts) const {
  std::vector<Candidate> all = candidates();
  std::erase_if(all, [&](const Candidate& it) {
    return it.refusal || !it.note->components.contains(component) || !accepts(it.note->version);
  });
  std::sort(all.begin(), all.end(), before);
  return all;
}

Error Catalog::nothing_fits(std::string_view component) const {
  std::set<std::string> versions;  // that are there and not accepted
  std::vector<std::string> refused;
  for (const Candidate& candidate : candidates()) {
    if (!candidate.note || !candidate.note->components.contains(component)) continue;
    if (candidate.refusal) refused.push_back(candidate.refusal->where + " " + candidate.refusal->what);
    if (!candidate.refusal) versions.insert(candidate.note->version);
  }
  const std::string name = "'" + std::string(component) + "'";
  if (!versions.empty()) {
    return base::error(Code::kNotFound,
                       "no installed version of " + name + " is accepted; there is " +
                           joined({versions.begin(), versions.end()}) +
                           (refused.empty() ? "" : "; refused: " + joined(refused)),
                       "", "change the manifest's version, or install one that it accepts");
  }
  if (!refused.empty()) {
    return base::error(Code::kNotFound,
                       "every plugin that offers " + name + " was refused: " + joined(refused), "",
                       "weir plugin list shows what was found and why it was refused");
  }
  return base::error(Code::kNotFound, "no plugin offers " + name, "",
                     "looked in " + joined(options_.folders) + "; put the plugin's file there");
}

Result<Candidate> Catalog::find(std::string_view component, const Accepts& accepts) const {
  std::vector<Candidate> all = fitting(component, accepts);
  if (all.empty()) return nothing_fits(component);
  return std::move(all.front());
}

// Once for each content: what was true of these bytes is true of them again.
Catalog::Verdict Catalog::probed(const Candidate& candidate, const std::string& copy) {
  {
    std::lock_guard lock(mutex_);
    if (auto known = verdicts_.find(candidate.digest); known != verdicts_.end()) return known->second;
  }
  Verdict verdict = probe(copy, options_.probe);
  // A machine that is short of something says nothing about the plugin: ask again next time.
  if (!verdict && verdict.error().code == Code::kUnavailable) return verdict;
  std::lock_guard lock(mutex_);
  verdicts_.insert_or_assign(candidate.digest, verdict);
  return verdict;
}

void Catalog::refuse(const std::string& digest, const Error& error) {
  std::lock_guard lock(mutex_);
  for (auto& [path, file] : files_) {
    if (file.candidate.digest == digest && !file.candidate.refusal) {
      file.candidate.refusal = about(path, error);
    }
  }
}

Result<std::string> Catalog::proven(const Candidate& candidate, std::vector<Component>* components) {
  if (candidate.refusal) return *candidate.refusal;
  Result<std::string> copy = cache_.store(candidate.path, candidate.digest);
  if (!copy) return copy;
  Verdict verdict = probed(candidate, *copy);
  if (!verdict) {
    if (verdict.error().code != Code::kUnavailable) refuse(candidate.digest, verdict.error());
    return about(candidate.path, verdict.error());
  }
  if (components != nullptr) *components = std::move(*verdict);
  return copy;
}

Result<std::shared_ptr<Library>> Catalog::load(const Candidate& candidate) {
  std::lock_guard one_at_a_time(loading_);
  if (Result<std::string> copy = proven(candidate, nullptr); !copy) return copy.error();
  Result<std::shared_ptr<Library>> library = cache_.open(candidate.digest, *candidate.note);
  if (library) return library;
  refuse(candidate.digest, library.error());
  return about(candidate.path, library.error());
}

// From the highest accepted version down; what is refused on the way is logged.
template <class T, class Try>
Result<T> Catalog::first_that_works(std::string_view component, const Accepts& accepts, Try&& attempt) {
  std::optional<Error> first;
  for (const Candidate& candidate : fitting(component, accepts)) {
    Result<T> result = attempt(candidate);
    if (result) return result;
    base::log_error("plugin", "refused: " + result.error().text());
    if (!first) first = result.error();
  }
  return first ? *first : nothing_fits(component);
}

Result<std::shared_ptr<Library>> Catalog::load(std::string_view component, const Accepts& accepts) {
  return first_that_works<std::shared_ptr<Library>>(component, accepts,
                                                    [&](const Candidate& candidate) { return load(candidate); });
}

Result<Offer> Catalog::offer(std::string_view component, const Accepts& accepts) {
  return first_that_works<Offer>(component, accepts, [&](const Candidate& candidate) -> Result<Offer> {
    std::lock_guard one_at_a_time(loading_);
    std::vector<Component> components;
    Result<std::string> copy = proven(candidate, &components);
    if (!copy) return copy.error();
    for (Component& found : components) {
      if (found.name == component) return Offer{*candidate.note, std::move(found), *copy};
    }
    return base::error(Code::kNotFound, "does not offer " + std::string(component), candidate.path);
  });
}

Result<std::shared_ptr<Library>> Catalog::load_file(const std::string& path) { return load(judge(path)); }

size_t Catalog::sweep() {
  std::vector<std::string> keep;
  for (const Candidate& candidate : candidates()) keep.push_back(candidate.digest);
  return cache_.sweep(keep);
}

}  // namespace weir::plugin
