// What plugins there are: every .so of the plugin folders, judged, and loaded on demand.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "plugin/elf_note.h"
#include "plugin/library.h"
#include "plugin/library_cache.h"
#include "plugin/probe.h"

namespace weir::plugin {

// One file of a plugin folder.
struct Candidate {
  std::string path;
  std::string digest;        // SHA-256 of the content, lower-case hex; empty when it could not be read
  std::optional<Note> note;  // what it says about itself
  std::optional<base::Error> refusal;  // why it cannot be used
};

// A component that can be used, and where its code is.
struct Offer {
  Note note;
  Component component;
  std::string library;  // the private copy, named by the content's digest
};

// Any thread. Loading is serial and may take as long as a probe; looking things up never waits for it.
class Catalog {
 public:
  struct Options {
    std::vector<std::string> folders;  // a folder that does not exist is skipped
    std::string cache_folder;          // for the private copies: data_dir/plugins
    ProbeOptions probe;
  };
  // Says whether a version will do: the manifest's semver range.
  using Accepts = std::function<bool(std::string_view version)>;

  explicit Catalog(Options options);
  ~Catalog();

  // Looks through the folders. Files that have not changed since are not read again; a file that is being
  // written is refused until it rests. A wrong file never stands in the way of another.
  void scan();

  // Everything that was found, by path.
  std::vector<Candidate> candidates() const;

  // The highest accepted version that offers the component and is not refused. The error says what there is
  // instead.
  base::Result<Candidate> find(std::string_view component, const Accepts& accepts) const;

  // What load() would take, told by a probe: none of the plugin's code runs in this process.
  base::Result<Offer> offer(std::string_view component, const Accepts& accepts);

  // Probes a candidate, once for each content, and loads it. Equal bytes give the same library. A refusal is
  // remembered and shows in candidates().
  base::Result<std::shared_ptr<Library>> load(const Candidate& candidate);

  // find and load: when the highest version is refused, the next one is taken and the refusal is logged.
  base::Result<std::shared_ptr<Library>> load(std::string_view component, const Accepts& accepts);

  // Judges, probes and loads one file outside the folders, for `weir plugin check`.
  base::Result<std::shared_ptr<Library>> load_file(const std::string& path);

  // Removes private copies that nobody uses and no candidate matches. Returns how many.
  size_t sweep();

 private:
  struct File;  // a candidate and what its file looked like when it was read

  static Candidate judge(const std::string& path);
  // What find() chooses from, from the highest version to the lowest, and its error when there is none.
  std::vector<Candidate> fitting(std::string_view component, const Accepts& accepts) const;
  base::Error nothing_fits(std::string_view component) const;
  using Verdict = base::Result<std::vector<Component>>;
  Verdict probed(const Candidate& candidate, const std::string& copy);
  // The private copy of a candidate, probed; with what the probe found.
  base::Result<std::string> proven(const Candidate& candidate, std::vector<Component>* components);
  template <class T, class Try>
  base::Result<T> first_that_works(std::string_view component, const Accepts& accepts, Try&& attempt);
  void refuse(const std::string& digest, const base::Error& error);

  const Options options_;
  LibraryCache cache_;
  std::mutex loading_;                            // one probe at a time; taken before mutex_
  mutable std::mutex mutex_;                      // guards what follows
  std::map<std::string, File> files_;             // by path
  std::map<std::string, Verdict> verdicts_;  // of probes, by digest
};

}  // namespace weir::plugin
