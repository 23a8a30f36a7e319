// NAME.json: one component at work.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "manifest/catalog.h"
#include "manifest/document.h"
#include "manifest/problem.h"
#include "manifest/semver.h"

namespace weir::manifest {

enum class Durability {
  kStrict,  // the device is answered when its events are on disk
  kRelaxed  // ... when they are taken; they are on disk within flush_ms
};

// Where a consumer begins that has no cursor yet. A consumer that has one goes on from it, whatever this
// says.
enum class Start {
  // At the journal's end as it is when the apply that adds the consumer begins, before any source that the
  // same apply
  // adds or changes is started: nothing that such a source brings is missed, on the first start nothing at
  // all.
  // The default: a sink added to a running gateway is not flooded with a day of old events that nobody asked
  // for.
  kNow,
  kOldest  // at the oldest event that the journal still holds
};

// What becomes of an event that a transform or a sink refuses for good.
enum class OnError {
  kDeadLetter,
  kDrop,  // counted as discarded, not kept
  kRetry  // sinks: never given up, its device waits
};

// One edge of the graph: events come from there.
struct Edge {
  std::string instance;
  std::string when = {};  // a condition (weir/condition/condition.h); "": every event
  bool operator==(const Edge&) const = default;
};

struct Retry {
  base::Duration initial = std::chrono::seconds(1);
  base::Duration max = std::chrono::minutes(1);
  double multiplier = 2.0;
  double jitter = 0.2;  // 0..1, the share of a delay that is random
  // Of the time that the sink works; nothing: never. Long, because giving up takes a person to undo.
  std::optional<base::Duration> give_up_after = std::chrono::hours(24);
  bool operator==(const Retry&) const = default;
};

// Nothing: the component's or the gateway's own limit holds.
struct Limits {
  std::optional<uint64_t> events_per_second;
  std::optional<uint64_t> bytes_in_flight;
  std::optional<uint64_t> batch_events;
  std::optional<uint64_t> batch_bytes;
  std::optional<uint64_t> memory_bytes;  // private memory of its process; isolated instances only
  bool operator==(const Limits&) const = default;
};

struct InstanceConfig {
  std::string name;
  std::string plugin;  // the component: "http.source"
  VersionRange version;
  bool enabled = true;
  std::vector<Edge> from;
  std::string config = "{}";           // JSON for the component, secrets filled in: never show it
  std::string redacted_config = "{}";  // the same with the references to secrets as written: for people
  Durability durability = Durability::kStrict;
  uint32_t flush_ms = 100;  // relaxed only: a flush of this age is never waited for longer
  Start start = Start::kNow;
  OnError on_error = OnError::kDeadLetter;
  Retry retry;
  Limits limits;
  bool isolated = false;  // in a process of its own

  // Filled in when the set is checked; nothing for a disabled instance.
  std::optional<Component> component;

  std::shared_ptr<const Document> document;

  // The file as messages name it.
  const std::string& file() const { return document->file(); }

  // A problem that the component itself found; `pointer` is the component's: into the configuration.
  Problem config_problem(std::string_view pointer, std::string what, std::string expected = "") const;
};

// 1 to 63 of a-z 0-9 _ -, beginning with a letter or digit, and none of the names that Weir uses itself.
bool good_instance_name(std::string_view name);
bool reserved_instance_name(std::string_view name);

// Reads one manifest: its form, its settings, its secrets (not those of a disabled instance). What is wrong
// is added to `problems`. Whether the parts fit together is checked with the whole set (check_set).
InstanceConfig read_instance_config(std::string name, std::shared_ptr<const Document> document,
                                    const std::filesystem::path& base, Problems& problems);

}  // namespace weir::manifest
