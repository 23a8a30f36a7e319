#include "manifest/difference.h"

#include <tuple>

namespace weir::manifest {
namespace {

const InstanceConfig* find_enabled(const LoadedSet& set, const std::string& name) {
  const auto instance = set.instances.find(name);
  return instance != set.instances.end() && instance->second.enabled ? &instance->second : nullptr;
}

bool same_component(const InstanceConfig& a, const InstanceConfig& b) {
  if (a.plugin != b.plugin || a.component.has_value() != b.component.has_value()) return false;
  return !a.component || std::tie(a.component->version, a.component->artifact) ==
                             std::tie(b.component->version, b.component->artifact);
}

bool same_delivery(const InstanceConfig& a, const InstanceConfig& b) {
  const auto parts = [](const InstanceConfig& of) {
    return std::tie(of.durability, of.flush_ms, of.start, of.on_error, of.retry, of.limits, of.isolated);
  };
  return parts(a) == parts(b);
}

void compare_gateways(const LoadedSet& running, const LoadedSet& wanted, Difference& difference) {
  const GatewayConfig& before = running.gateway;
  const GatewayConfig& after = wanted.gateway;
  const std::string file = (wanted.folder / kGatewayFile).lexically_normal().string();
  const auto refuse = [&](const char* pointer, const std::string& now, const std::string& then) {
    if (now == then) return;
    difference.refused.push_back(after.problem(
        file, pointer,
        "cannot change from " + in_quotes(now) + " to " + in_quotes(then) + " while the gateway runs",
        "the old value, or a restart of the gateway"));
  };
  refuse("/gateway_id", before.gateway_id, after.gateway_id);
  refuse("/data_dir", before.data_dir.string(), after.data_dir.string());
  refuse("/admin/listen", before.admin.listen, after.admin.listen);
  difference.plugin_dirs = before.plugin_dirs != after.plugin_dirs;
  difference.journal =
      std::tie(before.journal.max_bytes, before.journal.retention, before.journal.segment_bytes) !=
      std::tie(after.journal.max_bytes, after.journal.retention, after.journal.segment_bytes);
  difference.memory = before.memory.max_bytes != after.memory.max_bytes;
}

}  // namespace

bool Difference::empty() const {
  return added.empty() && removed.empty() && changed.empty() && !plugin_dirs && !journal && !memory &&
         refused.empty();
}

Difference compare(const LoadedSet& running, const LoadedSet& wanted) {
  Difference difference;
  for (const auto& [name, unused] : running.instances) {
    if (find_enabled(running, name) && !find_enabled(wanted, name)) difference.removed.push_back(name);
  }
  for (const auto& [name, unused] : wanted.instances) {
    const InstanceConfig* after = find_enabled(wanted, name);
    const InstanceConfig* before = find_enabled(running, name);
    if (after == nullptr) continue;
    if (before == nullptr) {
      difference.added.push_back(name);
      continue;
    }
    const Change change{name, !same_component(*before, *after), before->config != after->config,
                        before->from != after->from, !same_delivery(*before, *after)};
    if (change.component || change.config || change.edges || change.delivery)
      difference.changed.push_back(change);
  }
  compare_gateways(running, wanted, difference);
  return difference;
}

}  // namespace weir::manifest
