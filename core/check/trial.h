// One check at work in its child process: what it may use, and where it says what it found.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "check/board.h"
#include "check/job.h"
#include "plugin/library.h"
#include "weir/plugin.h"

namespace weir::check {

// Findings and notes may come from any thread, the rest is the check's own thread.
class Trial {
 public:
  // Findings go to `fd` as lines of JSON, at once: the plugin may end the process any moment.
  Trial(Job job, int fd, Board& board) : job_(std::move(job)), fd_(fd), board_(board) {}
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

  const Job& job() const { return job_; }
  Board& board() { return board_; }

  // Loads the plugin; a finding and false when that fails.
  bool load();
  // Ends the plugin's part; afterwards library() must not be called.
  base::Status unload();
  plugin::Library& library() { return *library_; }
  // The component of the job. The check's catalogue entry says that there is one.
  const plugin::Component& component() const { return *component_; }
  bool is(plugin::Kind kind) const { return component_->kind == kind; }

  const weir_component_v1* life() const { return table<weir_component_v1>(WEIR_COMPONENT); }
  const weir_source_v1* source() const { return table<weir_source_v1>(WEIR_SOURCE); }
  const weir_transform_v1* transform() const { return table<weir_transform_v1>(WEIR_TRANSFORM); }
  const weir_sink_v1* sink() const { return table<weir_sink_v1>(WEIR_SINK); }

  // What failed, one line. The first form is about the check that runs; the second is about a rule that is watched
  // whatever runs, and has a check of its own.
  void find(std::string what) { find(job_.check, std::move(what)); }
  void find(std::string_view check, std::string what);
  // It cannot be tried, and why. Findings before or after count all the same.
  void not_run(const std::string& why);
  // A figure for the person who reads the report.
  void note(const std::string& text);
  // Tells the parent something between two of its children.
  void tell(const std::string& key, const std::string& value);
  // Whether anything was found so far, for the check that runs.
  bool clean() const;

 private:
  template <class Table>
  const Table* table(const char* id) const {
    return static_cast<const Table*>(library_->table(component_->name, id));
  }
  void write(const std::map<std::string, std::string>& line);

  const Job job_;
  const int fd_;
  Board& board_;
  std::unique_ptr<plugin::Library> library_;
  const plugin::Component* component_ = nullptr;
  mutable std::mutex mutex_;                                    // guards what follows, and writing
  std::map<std::string, std::set<std::string>, std::less<>> found_;  // by check: each text is said once
};

}  // namespace weir::check
