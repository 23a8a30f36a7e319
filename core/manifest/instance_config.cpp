#include "manifest/instance_config.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "manifest/own_schemas.h"
#include "manifest/secrets.h"
#include "manifest/settings.h"
#include "weir/condition/condition.h"

namespace weir::manifest {
namespace {

using nlohmann::json;

constexpr size_t kMaxNameBytes = 63;
constexpr uint64_t kMaxBatchBytes = uint64_t{16} << 20;  // of the ABI's batch
constexpr uint64_t kMaxBytesInFlight = uint64_t{1} << 40;
constexpr uint64_t kMinBytes = 1024;
constexpr uint64_t kMinMemoryBytes = uint64_t{8} << 20;  // less than a process takes that does nothing
constexpr uint64_t kMaxMemoryBytes = uint64_t{1} << 40;

bool good_letter(char letter) { return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9'); }

bool good_word(std::string_view word) {
  return !word.empty() && word.size() <= kMaxNameBytes && good_letter(word.front()) &&
         std::all_of(word.begin(), word.end(),
                     [](char letter) { return good_letter(letter) || letter == '_' || letter == '-'; });
}

bool good_component_name(std::string_view name) {
  const size_t dot = name.find('.');
  return dot != std::string_view::npos && good_word(name.substr(0, dot)) && good_word(name.substr(dot + 1));
}

// A setting of the contract that this version does not have yet: better refused than quietly without effect.
void refuse_missing_feature(Settings& settings, const std::string& pointer, const std::string& what,
                            const std::string& expected) {
  settings.refuse(pointer, what + " is not in this version yet", expected);
}

void read_component(Settings& settings, InstanceConfig& instance) {
  instance.plugin = *settings.text("/plugin");
  if (!good_component_name(instance.plugin)) {
    settings.refuse("/plugin", in_quotes(instance.plugin) + " is not the name of a component",
                    "PLUGIN.COMPONENT, for example \"http.source\"");
    instance.plugin.clear();  // so that nobody complains again that there is no such plugin
  }
  if (auto range = settings.text("/version")) {
    auto parsed = VersionRange::parse(*range);
    if (parsed.ok()) {
      instance.version = *parsed;
    } else {
      settings.refuse("/version", parsed.error().what, parsed.error().hint);
    }
  }
}

void check_condition(Settings& settings, const std::string& pointer, const std::string& text) {
  auto compiled = condition::Condition::compile(text);
  const auto* fault = std::get_if<condition::Fault>(&compiled);
  if (fault == nullptr) return;
  settings.refuse(pointer, "at column " + std::to_string(fault->column) + " of the condition: " + fault->message,
                  fault->expected);
}

void read_edges(Settings& settings, InstanceConfig& instance) {
  const json* from = settings.find("/from");
  if (from == nullptr) return;
  if (from->is_string()) {
    instance.from.push_back({*from, ""});
    return;
  }
  for (size_t i = 0; i < from->size(); ++i) {
    const json& edge = (*from)[i];
    const std::string pointer = child_pointer("/from", i);
    if (edge.is_string()) {
      instance.from.push_back({edge, ""});
      continue;
    }
    instance.from.push_back({edge["instance"], edge.value("when", "")});
    if (edge.contains("when")) check_condition(settings, pointer + "/when", instance.from.back().when);
  }
}

void read_config(const Settings& settings, InstanceConfig& instance, const std::filesystem::path& base,
                 Problems& problems) {
  const json* written = settings.find("/config");
  if (written == nullptr) return;
  instance.redacted_config = written->dump();
  if (!instance.enabled) return;
  json resolved = *written;
  resolve_secrets(resolved, base, *instance.document, "/config", problems);
  instance.config = resolved.dump();
}

void read_delivery(Settings& settings, InstanceConfig& instance) {
  if (settings.text("/durability") == "relaxed") instance.durability = Durability::kRelaxed;
  if (auto milliseconds = settings.integer("/flush_ms")) {
    instance.flush_ms = static_cast<uint32_t>(*milliseconds);
    if (instance.durability == Durability::kStrict) {
      settings.refuse("/flush_ms",
                      "flush_ms does nothing here: the source is strict and flushes before each answer",
                      "no flush_ms, or \"durability\": \"relaxed\"");
    }
  }
  if (settings.text("/start") == "oldest") instance.start = Start::kOldest;
  const std::string on_error = settings.text("/on_error").value_or("dead-letter");
  instance.on_error = on_error == "drop"    ? OnError::kDrop
                      : on_error == "retry" ? OnError::kRetry
                                            : OnError::kDeadLetter;
  instance.isolated = settings.text("/isolation") == "process";
}

void read_retry(Settings& settings, InstanceConfig& instance) {
  constexpr base::Duration kShortest = std::chrono::milliseconds(1);
  Retry& retry = instance.retry;
  if (auto time = settings.duration("/retry/initial", kShortest)) retry.initial = *time;
  if (auto time = settings.duration("/retry/max", kShortest)) {
    retry.max = *time;
  } else {
    retry.max = std::max(retry.max, retry.initial);
  }
  if (retry.max < retry.initial) {
    settings.refuse("/retry/max", "the longest delay is shorter than the first",
                    "at least " + base::human_duration(retry.initial));
  }
  if (auto factor = settings.number("/retry/multiplier")) retry.multiplier = *factor;
  if (auto share = settings.number("/retry/jitter")) retry.jitter = *share;
  const auto give_up = settings.duration("/retry/give_up_after", base::Duration{0});
  if (give_up) retry.give_up_after = *give_up;
  const bool never = instance.on_error == OnError::kRetry;
  if (never && give_up.value_or(base::Duration{0}) != base::Duration{0}) {
    settings.refuse("/retry/give_up_after",
                    "give_up_after contradicts \"on_error\": \"retry\", which never gives up",
                    "no give_up_after, or another on_error");
  }
  if (never || give_up == base::Duration{0}) retry.give_up_after.reset();
}

void read_limits(Settings& settings, InstanceConfig& instance) {
  Limits& limits = instance.limits;
  limits.events_per_second = settings.integer("/limits/events_per_second");
  limits.bytes_in_flight = settings.bytes("/limits/bytes_in_flight", kMinBytes, kMaxBytesInFlight);
  limits.batch_events = settings.integer("/limits/batch_events");
  limits.batch_bytes = settings.bytes("/limits/batch_bytes", kMinBytes, kMaxBatchBytes);
  limits.memory_bytes = settings.bytes("/limits/memory_bytes", kMinMemoryBytes, kMaxMemoryBytes);
  if (limits.memory_bytes && !instance.isolated) {
    settings.refuse("/limits/memory_bytes", "memory_bytes does nothing here: only a process of its own can be limited",
                    "no memory_bytes, or \"isolation\": \"process\"");
  }
  if (settings.find("/limits/pending_bytes") != nullptr) {
    refuse_missing_feature(settings, "/limits/pending_bytes", "a quota for one sink's backlog",
                           "no pending_bytes; the journal's max_bytes bounds all backlogs together");
  }
}

}  // namespace

const char* name(Kind kind) {
  switch (kind) {
    case Kind::kSource:
      return "source";
    case Kind::kTransform:
      return "transform";
    case Kind::kSink:
      return "sink";
  }
  return "component";
}

bool good_instance_name(std::string_view name) { return good_word(name) && !reserved_instance_name(name); }

// The pseudo-consumer of events that nobody wants, and the gateway itself in logs and metrics.
bool reserved_instance_name(std::string_view name) { return name == "unrouted" || name == "gateway"; }

Problem InstanceConfig::config_problem(std::string_view pointer, std::string what,
                                       std::string expected) const {
  std::string whole = "/config";
  if (!pointer.empty() && pointer.front() != '/') whole += '/';
  whole += pointer;
  return document->value_problem(std::move(whole), std::move(what), std::move(expected));
}

InstanceConfig read_instance_config(std::string name, std::shared_ptr<const Document> document,
                                    const std::filesystem::path& base, Problems& problems) {
  InstanceConfig instance;
  instance.name = std::move(name);
  instance.document = document;
  const Problems wrong = instance_schema().check(document->root(), *document, "");
  if (!wrong.empty()) {
    problems.insert(problems.end(), wrong.begin(), wrong.end());
    return instance;
  }
  Settings settings(*document, problems);
  instance.enabled = settings.boolean("/enabled").value_or(true);
  read_component(settings, instance);
  read_edges(settings, instance);
  read_config(settings, instance, base, problems);
  read_delivery(settings, instance);
  read_retry(settings, instance);
  read_limits(settings, instance);
  return instance;
}

}  // namespace weir::manifest
