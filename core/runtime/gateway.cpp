#include "runtime/gateway.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <condition_variable>
#include <utility>

#include "base/log.h"
#include "manifest/difference.h"
#include "manifest/watch.h"
#include "runtime/gateway_parts.h"

namespace weir::runtime {
namespace {

// Shares of memory.max_bytes; the sinks' windows have the half (runners.cpp).
constexpr uint64_t kDoorShare = 4, kTailShare = 8;
constexpr int kTickMs = 250;
// How long `weir apply` waits for the gateway's thread.
constexpr base::Duration kApplyPatience = std::chrono::minutes(2);

journal::Options journal_options(const manifest::GatewayConfig& config) {
  journal::Options options;
  options.data_dir = config.data_dir.string();
  options.max_bytes = config.journal.max_bytes;
  options.segment_bytes = config.journal.segment_bytes;
  options.retention = config.journal.retention;
  options.tail_bytes = config.memory.max_bytes / kTailShare;
  return options;
}

plugin::Catalog::Options catalog_options(const manifest::GatewayConfig& config, const Gateway::Options& options) {
  plugin::Catalog::Options out;
  for (const auto& folder : config.plugin_dirs) out.folders.push_back(folder.string());
  out.folders.insert(out.folders.end(), options.plugin_dirs.begin(), options.plugin_dirs.end());
  out.cache_folder = (config.data_dir / "plugins").string();
  out.probe.program = options.program;
  return out;
}

}  // namespace

manifest::LoadedSet Gateway::check(const Options& options) {
  manifest::LoadedSet set = manifest::read_folder(options.manifests);
  plugin::Catalog plugins(catalog_options(set.gateway, options));
  plugins.scan();
  manifest::check_set(set, ComponentCatalog(plugins));
  return set;
}

base::Result<std::unique_ptr<Gateway>> Gateway::start(const Options& options, manifest::Problems* problems) {
  auto parts = std::make_unique<Parts>();
  parts->options = options;
  parts->started_ns = base::wall_ns();
  parts->started = base::now();
  manifest::LoadedSet set = manifest::read_folder(options.manifests);
  parts->config = set.gateway;
  if (auto done = base::real_file_system().create_directories(set.gateway.data_dir.string()); !done) return done.error();
  parts->plugins = std::make_unique<plugin::Catalog>(catalog_options(set.gateway, options));
  parts->plugins->scan();
  manifest::check_set(set, ComponentCatalog(*parts->plugins));
  auto refuse = [&](manifest::Problems wrong) {
    *problems = std::move(wrong);
    return base::error(base::Code::kInvalid, "the manifests cannot be applied", options.manifests);
  };
  if (!set.ok()) return refuse(set.problems);
  parts->budget = std::make_unique<ingress::Budget>(set.gateway.memory.max_bytes / kDoorShare);
  auto journal = journal::Journal::open(journal_options(set.gateway));
  if (!journal) return journal.error();
  parts->journal = std::move(*journal);
  Context context;
  context.services = {parts->journal.get(), &parts->sockets, set.gateway.gateway_id};
  context.plugins = parts->plugins.get();
  context.program = options.program;
  context.budget = parts->budget.get();
  context.memory_max_bytes = set.gateway.memory.max_bytes;
  parts->assembly = std::make_unique<Assembly>(context);
  manifest::Problems wrong = parts->assembly->apply(set, true);
  if (!wrong.empty()) return refuse(std::move(wrong));
  parts->assembly->tick();
  parts->set = std::move(set);
  parts->request_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return std::unique_ptr<Gateway>(new Gateway(std::move(parts)));
}

Gateway::Gateway(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Gateway::~Gateway() {
  stop();
  if (parts_->request_fd >= 0) close(parts_->request_fd);
}

void Gateway::stop() {
  if (parts_->stopped.exchange(true)) return;
  parts_->assembly->stop();
  parts_->journal->stop();
}

const manifest::GatewayConfig& Gateway::config() const { return parts_->config; }

// Reads and checks the folder and applies it; on the gateway's own thread.
manifest::Problems Gateway::Parts::apply_folder() {
  plugins->scan();
  manifest::LoadedSet wanted = manifest::load_folder(options.manifests, ComponentCatalog(*plugins));
  manifest::Problems problems = wanted.problems;
  manifest::Difference difference;
  if (problems.empty()) {
    difference = manifest::compare(set, wanted);
    problems = difference.refused;
  }
  bool changed = !difference.empty();
  if (problems.empty() && changed) problems = assembly->apply(wanted, false);
  if (problems.empty()) {
    if (changed) {
      base::log_info("gateway", "manifests applied: " + std::to_string(difference.added.size()) + " added, " +
                                    std::to_string(difference.changed.size()) + " changed, " +
                                    std::to_string(difference.removed.size()) + " removed");
      if (difference.journal || difference.memory || difference.plugin_dirs) {
        base::log_warn("gateway", "changes of journal, memory and plugin_dirs take effect at the next start");
      }
    }
    set = std::move(wanted);
  } else {
    base::log_error("gateway", "the changed manifests are refused; what was running goes on:");
    for (const manifest::Problem& problem : problems) base::log_error("gateway", "  " + problem.text());
  }
  std::lock_guard lock(mutex);
  refused = problems;
  return problems;
}

manifest::Problems Gateway::apply() {
  std::unique_lock lock(parts_->mutex);
  uint64_t mine = ++parts_->applies_wanted;
  uint64_t one = 1;
  (void)!write(parts_->request_fd, &one, sizeof one);
  (void)parts_->applied.wait_for(lock, kApplyPatience, [&] { return !parts_->runs || parts_->applies_done >= mine; });
  if (parts_->applies_done >= mine) return parts_->refused;
  manifest::Problem problem;
  problem.file = parts_->options.manifests;
  problem.what = parts_->runs ? "the gateway is still busy with applying; `weir status` will show the outcome"
                              : "the gateway is stopping; the manifests are read at its next start";
  return {problem};
}

void Gateway::run(int stopping_fd) {
  auto watch = manifest::FolderWatch::open(parts_->options.manifests);
  if (!watch) base::log_warn("gateway", "changes of the manifests are not noticed: " + watch.error().text());
  base::Monotonic apply_at = base::Monotonic::max();
  for (;;) {
    pollfd fds[] = {{stopping_fd, POLLIN, 0},
                    {parts_->request_fd, POLLIN, 0},
                    {watch ? (*watch)->fd() : -1, POLLIN, 0}};
    int patience = kTickMs;
    if (apply_at != base::Monotonic::max()) {
      auto left = std::chrono::duration_cast<std::chrono::milliseconds>(apply_at - base::now()).count();
      patience = static_cast<int>(std::clamp<int64_t>(left, 0, kTickMs));
    }
    poll(fds, std::size(fds), patience);
    if ((fds[0].revents & POLLIN) != 0) break;
    uint64_t requests = 0;
    bool requested = read(parts_->request_fd, &requests, sizeof requests) == sizeof requests;
    if (watch && (fds[2].revents & POLLIN) != 0 && (*watch)->drain()) {
      apply_at = base::now() + manifest::FolderWatch::kSettleTime;
    }
    if (requested || base::now() >= apply_at) {
      uint64_t covers;
      {
        std::lock_guard lock(parts_->mutex);
        covers = parts_->applies_wanted;
      }
      apply_at = base::Monotonic::max();
      parts_->apply_folder();
      std::lock_guard lock(parts_->mutex);
      parts_->applies_done = covers;
      parts_->applied.notify_all();
    }
    parts_->assembly->retry_failed();
    parts_->assembly->tick();
  }
  std::lock_guard lock(parts_->mutex);
  parts_->runs = false;
  parts_->applied.notify_all();
}

}  // namespace weir::runtime
