#include "admin/views.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/time.h"
#include "event/identity.h"
#include "event/json.h"
#include "event/validate.h"

namespace weir::admin {
namespace {

using Json = nlohmann::ordered_json;

const char* state_name(runtime::InstanceState state) {
  switch (state) {
    case runtime::InstanceState::kRunning: return "running";
    case runtime::InstanceState::kFailed: return "failed";
    case runtime::InstanceState::kDisabled: break;
  }
  return "disabled";
}

const char* breaker_name(delivery::Breaker::State state) {
  switch (state) {
    case delivery::Breaker::State::kClosed: return "closed";
    case delivery::Breaker::State::kOpen: return "open";
    case delivery::Breaker::State::kHalfOpen: break;
  }
  return "half-open";
}

Json door_json(const ingress::DoorCounts& door) {
  return {{"admitted", door.admitted}, {"committed", door.committed}, {"duplicates", door.duplicates},
          {"refused", door.refused},   {"in_flight", door.in_flight}, {"busy", door.busy},
          {"invalid", door.invalid}};
}

Json instance_json(const runtime::InstanceStatus& instance) {
  Json out{{"name", instance.name},       {"kind", instance.kind},
           {"plugin", instance.plugin},   {"version", instance.version},
           {"state", state_name(instance.state)}, {"reason", instance.reason},
           {"from", instance.from}};
  if (instance.door) {
    out["durability"] = instance.durability;
    out["loss_window_ms"] = instance.flush_ms;
    out["door"] = door_json(*instance.door);
  }
  if (instance.process) {
    const plugin::ProcessInfo& process = *instance.process;
    out["process"] = {{"pid", process.pid},
                      {"restarts", process.restarts},
                      {"memory_bytes", process.memory_bytes},
                      {"lacking", process.lacking}};
  }
  out["call_overruns"] = instance.overruns;
  out["metrics"] = instance.metrics;
  return out;
}

Json consumer_json(const runtime::ConsumerView& view) {
  const delivery::ConsumerStatus& status = view.status;
  const journal::Counts& counts = status.state.counts;
  return {{"name", status.state.name},
          {"role", view.role},
          {"committed", status.committed},
          {"delivered", counts.delivered},
          {"filtered", counts.filtered},
          {"dead", counts.dead},
          {"expired", counts.expired},
          {"discarded", counts.discarded},
          {"lost", counts.lost},
          {"pending", status.pending},
          {"balanced", view.balanced},
          {"origin", status.state.origin},
          {"floor", status.state.cursor.floor()},
          {"filtered_by", status.state.filtered_by},
          {"in_window", status.in_window},
          {"window_bytes", status.window_bytes},
          {"in_flight", status.in_flight},
          {"parked_devices", status.parked_devices},
          {"submissions", status.submissions},
          {"late_completions", status.late_completions},
          {"breaker", breaker_name(status.breaker)},
          {"breaker_opened", status.times_opened},
          {"last_failure", status.last_failure},
          {"trouble", status.trouble}};
}

}  // namespace

Json journal_json(const journal::Statistics& statistics) {
  Json segments = Json::array();
  for (const journal::SegmentInfo& segment : statistics.segments) {
    segments.push_back({{"file", journal::segment_name(segment.number)},
                        {"epoch", event::epoch_text(segment.facts.epoch)},
                        {"first_sequence", segment.facts.first},
                        {"last_sequence", segment.facts.last},
                        {"bytes", segment.bytes},
                        {"sealed", segment.sealed},
                        {"checkpointed", segment.checkpointed}});
  }
  const journal::Writer::Statistics& writer = statistics.writer;
  return {{"epoch", event::epoch_text(statistics.epoch)},
          {"oldest_sequence", statistics.oldest},
          {"newest_sequence", statistics.head},
          {"events", statistics.head + 1 - std::min(statistics.head + 1, statistics.oldest)},
          {"bytes", statistics.bytes},
          {"max_bytes", statistics.max_bytes},
          {"memory_bytes", statistics.tail_bytes},
          {"trouble", statistics.trouble},
          {"commits", writer.commits},
          {"batches", writer.batches},
          {"events_committed", writer.events},
          {"stored_bytes", writer.stored_bytes},
          {"unpacked_bytes", writer.plain_bytes},
          {"failed_commits", writer.failures},
          {"returned_events", writer.returned},
          {"last_commit_us", writer.last_commit_ns / 1000},
          {"segments", segments}};
}

Json problems_json(const manifest::Problems& problems) {
  Json out = Json::array();
  for (const manifest::Problem& problem : problems) {
    out.push_back({{"file", problem.file},
                   {"line", problem.position.line},
                   {"column", problem.position.column},
                   {"pointer", problem.pointer},
                   {"what", problem.what},
                   {"expected", problem.expected},
                   {"text", problem.text()}});
  }
  return out;
}

Json status_json(const runtime::Status& status) {
  Json out{{"version", 1},
           {"gateway_id", status.gateway_id},
           {"manifests", status.manifests},
           {"admin", status.admin_listen},
           {"started_at", base::rfc3339(status.started_ns)},
           {"uptime_s", std::chrono::duration<double>(status.uptime).count()},
           {"ready", status.ready},
           {"balanced", status.balanced},
           {"journal", journal_json(status.journal)},
           {"memory", {{"max_bytes", status.memory_max_bytes}, {"in_flight_bytes", status.memory_in_flight_bytes}}}};
  out["instances"] = Json::array();
  for (const auto& instance : status.instances) out["instances"].push_back(instance_json(instance));
  out["consumers"] = Json::array();
  for (const auto& consumer : status.consumers) out["consumers"].push_back(consumer_json(consumer));
  out["lost"] = Json::array();
  for (const journal::LostRange& range : status.lost) {
    out["lost"].push_back({{"epoch", event::epoch_text(range.epoch)},
                           {"first_sequence", range.first},
                           {"last_sequence", range.last},
                           {"segment", range.segment},
                           {"reason", range.reason},
                           {"at", base::rfc3339(range.at_ns)}});
  }
  out["refused_manifests"] = problems_json(status.refused);
  return out;
}

Json trace_json(const runtime::Trace& trace) {
  Json legs = Json::array();
  for (const runtime::Trace::Leg& leg : trace.legs) {
    legs.push_back({{"consumer", leg.consumer}, {"outcome", leg.outcome}, {"detail", leg.detail}});
  }
  return {{"version", 1},
          {"event", Json::parse(trace.event_json)},
          {"source", trace.source},
          {"sequence", trace.sequence},
          {"segment", trace.segment},
          {"consumers", legs}};
}

Json dead_letter_json(const journal::DeadLetter& letter, const std::string& gateway_id, bool whole) {
  Json out{{"number", letter.number},
           {"at", base::rfc3339(letter.at_ns)},
           {"consumer", letter.consumer},
           {"device_id", letter.device_id},
           {"source", letter.source},
           {"id", event::to_text(letter.id.data())},
           {"epoch", event::epoch_text(letter.epoch)},
           {"sequence", letter.sequence},
           {"part", letter.part},
           {"refused_by", letter.by},
           {"plugin", letter.plugin},
           {"plugin_version", letter.version},
           {"code", letter.code},
           {"reason", letter.reason},
           {"attempts", letter.attempts}};
  if (!whole) return out;
  // The copy may come from a damaged file: it is checked like anything from outside.
  event::Block block(std::max<size_t>(letter.body.size(), 8));
  std::memcpy(block.data(), letter.body.data(), letter.body.size());
  bool sound = !event::validate(block.data(), letter.body.size(), event::Check::kMemorySafe) &&
               block.batch()->count == 1;
  out["event"] = sound ? Json::parse(event::to_json(block.batch(), 0, gateway_id)) : Json();
  return out;
}

Json plugins_json(const std::vector<plugin::Candidate>& candidates) {
  Json out = Json::array();
  for (const plugin::Candidate& candidate : candidates) {
    Json one{{"path", candidate.path}, {"digest", candidate.digest}};
    if (candidate.note) {
      one["id"] = candidate.note->id;
      one["version"] = candidate.note->version;
      one["abi"] = std::to_string(candidate.note->abi_major) + "." + std::to_string(candidate.note->abi_minor_high);
      for (const auto& [name, kind] : candidate.note->components) one["components"][name] = plugin::kind_name(kind);
    }
    one["refused"] = candidate.refusal ? candidate.refusal->text() : "";
    out.push_back(std::move(one));
  }
  return {{"version", 1}, {"plugins", out}};
}

Json health_json(const runtime::Status& status, bool* ok) {
  std::string gateway = status.balanced ? "ok" : "the ledger does not balance";
  std::string storage = status.journal.trouble.empty() ? "ok" : status.journal.trouble;
  std::string network = "ok";
  for (const runtime::InstanceStatus& instance : status.instances) {
    if (instance.state == runtime::InstanceState::kFailed) network = instance.name + ": " + instance.reason;
  }
  for (const runtime::ConsumerView& consumer : status.consumers) {
    if (consumer.status.breaker != delivery::Breaker::State::kClosed) {
      network = consumer.status.state.name + ": " + consumer.status.last_failure;
    }
  }
  *ok = gateway == "ok" && storage == "ok" && network == "ok";
  double hours = std::chrono::duration<double, std::ratio<3600>>(status.uptime).count();
  return {{"version", 1}, {"gateway", gateway}, {"storage", storage}, {"network", network},
          {"uptime_hours", static_cast<double>(static_cast<int64_t>(hours * 1000)) / 1000}};
}

Json ready_json(const runtime::Status& status) {
  Json waiting = Json::array();
  if (!status.journal.trouble.empty()) waiting.push_back("journal: " + status.journal.trouble);
  for (const runtime::InstanceStatus& instance : status.instances) {
    if (instance.state == runtime::InstanceState::kFailed) waiting.push_back(instance.name + ": " + instance.reason);
  }
  return {{"version", 1}, {"ready", status.ready}, {"waiting_for", waiting}};
}

}  // namespace weir::admin
