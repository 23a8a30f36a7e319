// `weir run`: the gateway itself.
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "admin/server.h"
#include "base/log.h"
#include "base/quantity.h"
#include "cli/commands.h"
#include "runtime/gateway.h"

namespace weir::cli {
namespace {

// Two arenas: with one a thread each, glibc keeps tens of megabytes that nobody uses. Blocks of events up to a few
// hundred kilobytes come and go all the time: without the thresholds each costs a trim or a mapping and its page faults.
constexpr int kArenas = 2;
constexpr int kThresholdBytes = 4 << 20;

// A descriptor that is readable when the process is told to end. The signals are blocked in all threads from now on.
int stopping_fd() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

// Relative paths, those in a plugin's configuration too, start beside the manifests folder: so the process works
// there. Gives the folder as it is to be named from there.
base::Result<std::string> enter_site(const std::string& manifests) {
  namespace fs = std::filesystem;
  std::error_code failed;
  fs::path folder = fs::canonical(manifests, failed);
  if (failed) {
    return base::error(base::Code::kInvalid, "there is no folder '" + manifests + "'", "",
                       "name the manifests folder with --manifests DIR");
  }
  if (fs::equivalent(folder.parent_path(), fs::current_path(failed), failed)) return manifests;
  fs::current_path(folder.parent_path(), failed);
  if (failed) return base::error(base::Code::kDenied, "cannot enter " + folder.parent_path().string());
  return folder.string();
}

void say_hello(const runtime::Gateway& gateway, const admin::Server& server) {
  runtime::Status status = gateway.status();
  auto say = [](const std::string& line) { base::log_info("gateway", line); };
  say("gateway " + status.gateway_id + ", manifests " + status.manifests + ", data " + gateway.config().data_dir.string());
  say("journal: " + base::human_count(status.journal.head) + " events so far, " + base::human_bytes(status.journal.bytes) +
      " of " + base::human_bytes(status.journal.max_bytes));
  for (const runtime::InstanceStatus& instance : status.instances) {
    std::string from;
    for (const std::string& name : instance.from) from += (from.empty() ? " <- " : ", ") + name;
    std::string state = instance.state == runtime::InstanceState::kDisabled ? " (disabled)"
                        : instance.state == runtime::InstanceState::kFailed ? " (waiting: " + instance.reason + ")" : "";
    say("  " + instance.name + ": " + instance.plugin + " " + instance.version + from + state);
  }
  say("admin http://" + server.address() + "/health");
  say(status.ready ? "ready" : "running, but not everything could be started");
}

}  // namespace

int run(const Common& common, const std::string& log_level) {
  mallopt(M_ARENA_MAX, kArenas);
  mallopt(M_MMAP_THRESHOLD, kThresholdBytes);
  mallopt(M_TRIM_THRESHOLD, kThresholdBytes);
  if (log_level == "debug") base::set_log_level(base::Level::kDebug);
  if (log_level == "warn") base::set_log_level(base::Level::kWarn);
  if (log_level == "error") base::set_log_level(base::Level::kError);
  int stopping = stopping_fd();
  runtime::Gateway::Options options;
  options.plugin_dirs = {own_plugin_folder()};
  auto site = enter_site(common.manifests);
  if (!site) {
    std::cerr << "weir: " << site.error().text() << "\n";
    return 2;
  }
  options.manifests = *site;
  manifest::Problems problems;
  auto gateway = runtime::Gateway::start(options, &problems);
  if (!gateway) {
    for (const manifest::Problem& problem : problems) std::cerr << problem.text() << "\n";
    if (problems.empty()) std::cerr << "weir: " << gateway.error().text() << "\n";
    return gateway.error().code == base::Code::kInvalid ? 2 : 1;
  }
  auto server = admin::Server::start(**gateway);
  if (!server) {
    std::cerr << "weir: " << server.error().text() << "\n";
    (*gateway)->stop();
    return 1;
  }
  say_hello(**gateway, **server);
  (*gateway)->run(stopping);
  base::log_info("gateway", "stopping");
  (*gateway)->stop();
  server->reset();
  base::log_info("gateway", "stopped; everything accepted is on disk");
  // Not by way of destructors: a plugin that hangs may still hold threads of ours.
  std::cout.flush();
  std::_Exit(0);
}

}  // namespace weir::cli
