// A gateway under test: a real `weir run` with manifests of its own in a folder of its own.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>

#include "suite/child_process.h"

namespace weir::bench {

// The build that is measured.
struct Build {
  std::string folder;  // build/release
  std::string weir() const { return folder + "/bin/weir"; }
  std::string bare_handler() const { return folder + "/bin/weir-bare-handler"; }
};

class Gateway {
 public:
  enum class Sink {
    kNull,  // takes everything at once
    kDown   // takes nothing: everything stays pending
  };

  // Writes the manifests: http.source (strict) to the sink, nothing between. `site` is emptied first.
  Gateway(const Build& build, const std::string& site, Sink sink);
  // The same with a pass-through transform between; these of "api", "pass" and "out" in processes of their own.
  Gateway(const Build& build, const std::string& site, const std::set<std::string>& isolated);
  ~Gateway();

  // Starts it and waits until it is ready. Returns the time that took, or nothing (problem() says why).
  std::optional<std::chrono::duration<double>> start();
  // The next start finds what this one left.
  void stop() { process_.terminate(); }
  void kill_now() { process_.kill_now(); }

  pid_t pid() const { return process_.pid(); }
  uint16_t events_port() const { return events_port_; }
  uint16_t admin_port() const { return admin_port_; }
  const std::string& problem() const { return problem_; }
  const std::string& site() const { return site_; }
  // True when its journal writes into files that exist already: from the third segment on.
  bool run_in() const;
  std::string log_tail() const;

 private:
  void write_gateway_json() const;
  void write_manifest(const std::string& name, const std::string& keys, bool isolated) const;

  Build build_;
  std::string site_;
  uint16_t events_port_;
  uint16_t admin_port_;
  ChildProcess process_;
  std::string problem_;
};

}  // namespace weir::bench
