#include "cli/render.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/quantity.h"
#include "base/time.h"
#include "cli/table.h"

namespace weir::cli {
namespace {

using Json = nlohmann::json;
using Align = Table::Align;

std::string text(const Json& json, const char* key) {
  auto found = json.find(key);
  if (found == json.end() || found->is_null()) return "";
  return found->is_string() ? found->get<std::string>() : found->dump();
}
uint64_t number(const Json& json, const char* key) { return json.value(key, uint64_t{0}); }
std::string count(const Json& json, const char* key) { return base::human_count(number(json, key)); }
std::string bytes(const Json& json, const char* key) { return base::human_bytes(number(json, key)); }

std::string paint(Style style, const char* colour, const std::string& text) {
  return style.colour ? std::string("\033[") + colour + "m" + text + "\033[0m" : text;
}
constexpr const char *kGreen = "32", *kRed = "31", *kYellow = "33", *kBold = "1";

std::string join(const Json& list) {
  std::string out;
  for (const Json& item : list) out += (out.empty() ? "" : ", ") + item.get<std::string>();
  return out;
}

std::string header(const Json& status, Style style) {
  bool ready = status.value("ready", false), balanced = status.value("balanced", false);
  auto uptime = std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(status.value("uptime_s", 0.0)));
  std::string out = paint(style, kBold, "weir " + text(status, "gateway_id")) + "  up " + base::human_duration(uptime) + "  ";
  out += ready ? paint(style, kGreen, "ready") : paint(style, kRed, "not ready");
  out += "  " + (balanced ? paint(style, kGreen, "ledger balances") : paint(style, kRed, "LEDGER DOES NOT BALANCE"));
  return out + "  admin http://" + text(status, "admin") + "\n";
}

std::string journal_lines(const Json& journal, Style style) {
  size_t segments = journal["segments"].size();
  std::string out = "journal  " + count(journal, "events") + " events in " + std::to_string(segments) +
                    (segments == 1 ? " segment, " : " segments, ") + bytes(journal, "bytes") + " of " + bytes(journal, "max_bytes") + ", sequences " +
                    count(journal, "oldest_sequence") + " to " + count(journal, "newest_sequence") + ", epoch " +
                    text(journal, "epoch") + "\n";
  if (std::string trouble = text(journal, "trouble"); !trouble.empty()) {
    out += paint(style, kRed, "journal  cannot be written: " + trouble) + "\n";
  }
  return out;
}

std::string sources(const Json& status) {
  Table table({{"source", Align::kLeft}, {"admitted", Align::kRight}, {"= committed", Align::kRight},
               {"+ duplicates", Align::kRight}, {"+ refused", Align::kRight}, {"+ in flight", Align::kRight},
               {"busy", Align::kRight}, {"invalid", Align::kRight}, {"durability", Align::kLeft}});
  for (const Json& instance : status["instances"]) {
    if (!instance.contains("door")) continue;
    const Json& door = instance["door"];
    std::string durability = text(instance, "durability");
    if (durability == "relaxed") durability += ", may lose " + std::to_string(number(instance, "loss_window_ms")) + " ms";
    table.add({text(instance, "name"), count(door, "admitted"), count(door, "committed"), count(door, "duplicates"),
               count(door, "refused"), count(door, "in_flight"), count(door, "busy"), count(door, "invalid"), durability});
  }
  return table.empty() ? "" : "\n" + table.text();
}

std::string consumers(const Json& status, Style style) {
  Table table({{"consumer", Align::kLeft}, {"committed", Align::kRight}, {"= delivered", Align::kRight},
               {"+ filtered", Align::kRight}, {"+ dead", Align::kRight}, {"+ other", Align::kRight},
               {"+ pending", Align::kRight}, {"", Align::kLeft}});
  std::string notes;
  for (const Json& consumer : status["consumers"]) {
    uint64_t other = number(consumer, "expired") + number(consumer, "discarded") + number(consumer, "lost");
    std::string role = text(consumer, "role");
    std::string mark = consumer.value("balanced", false) ? "" : "DOES NOT BALANCE";
    if (mark.empty() && role != "sink" && role != "unrouted") mark = role;
    table.add({text(consumer, "name"), count(consumer, "committed"), count(consumer, "delivered"),
               count(consumer, "filtered"), count(consumer, "dead"), base::human_count(other),
               count(consumer, "pending"), mark});
    std::string name = text(consumer, "name");
    auto note = [&](const char* colour, const std::string& line) {
      notes += "  " + name + ": " + paint(style, colour, line) + "\n";
    };
    if (other != 0) {
      note(kYellow, count(consumer, "expired") + " expired, " + count(consumer, "discarded") + " discarded, " +
                        count(consumer, "lost") + " lost");
    }
    if (role == "unrouted" && number(consumer, "pending") != 0) note(kYellow, "holds events that no sink takes");
    if (role == "detached") note(kYellow, "its sink was removed; `weir forget " + name + "` gives its events up");
    if (text(consumer, "breaker") == "open") note(kRed, "left alone for a while after failures: " + text(consumer, "last_failure"));
    else if (!text(consumer, "last_failure").empty()) note(kYellow, text(consumer, "last_failure"));
    if (number(consumer, "parked_devices") != 0) note(kYellow, count(consumer, "parked_devices") + " devices wait after a refusal");
    if (!text(consumer, "trouble").empty()) note(kRed, "cannot read the journal: " + text(consumer, "trouble"));
    if (role != "sink") continue;
    for (const auto& [reason, events] : consumer["filtered_by"].items()) {
      notes += "  " + name + ": filtered " + base::human_count(events.get<uint64_t>()) + " (" + reason + ")\n";
    }
  }
  return "\n" + table.text() + notes;
}

// "process 4711, restarted 3 times"; "gateway" when it has none of its own.
std::string place_of(const Json& instance) {
  if (!instance.contains("process")) return "gateway";
  const Json& process = instance["process"];
  std::string out = number(process, "pid") != 0 ? "process " + std::to_string(number(process, "pid")) : "no process";
  uint64_t restarts = number(process, "restarts");
  return restarts == 0 ? out : out + ", restarted " + (restarts == 1 ? "once" : std::to_string(restarts) + " times");
}

std::string instances(const Json& status, Style style) {
  Table table({{"instance", Align::kLeft}, {"plugin", Align::kLeft}, {"version", Align::kLeft}, {"from", Align::kLeft},
               {"runs in", Align::kLeft}, {"state", Align::kLeft}});
  std::string reasons;
  for (const Json& instance : status["instances"]) {
    table.add({text(instance, "name"), text(instance, "plugin"), text(instance, "version"), join(instance["from"]), place_of(instance),
               text(instance, "state")});
    if (std::string reason = text(instance, "reason"); !reason.empty()) {
      reasons += "  " + text(instance, "name") + ": " + paint(style, kRed, reason) + "\n";
    }
    if (std::string lacking = text(instance.value("process", Json::object()), "lacking"); !lacking.empty()) {
      reasons += "  " + text(instance, "name") + ": " +
                 paint(style, kYellow, "this kernel cannot confine its process fully: " + lacking) + "\n";
    }
  }
  return table.empty() ? "\n  no instances: put a manifest into " + text(status, "manifests") + "\n" : "\n" + table.text() + reasons;
}

}  // namespace

std::string render_status(const Json& status, Style style) {
  std::string out = header(status, style) + journal_lines(status["journal"], style);
  out += sources(status) + consumers(status, style) + instances(status, style);
  for (const Json& range : status["lost"]) {
    out += paint(style, kRed, "\nlost  " + count(range, "first_sequence") + " to " + count(range, "last_sequence") + ": " +
                                  text(range, "reason")) + "\n";
  }
  if (!status["refused_manifests"].empty()) {
    out += "\n" + paint(style, kRed, "the changed manifests are refused; what was running goes on:") + "\n";
    for (const Json& problem : status["refused_manifests"]) out += "  " + text(problem, "text") + "\n";
  }
  return out;
}

std::string render_journal(const Json& journal) {
  std::string out = journal_lines(journal, {});
  double plain = journal.value("unpacked_bytes", 0.0), stored = journal.value("stored_bytes", 0.0);
  out += "written  " + count(journal, "events_committed") + " events in " + count(journal, "batches") + " batches and " +
         count(journal, "commits") + " commits since the start";
  if (plain > 0) out += ", stored in " + std::to_string(static_cast<int>(stored / plain * 100 + 0.5)) + " % of their size";
  out += "\n\n";
  Table table({{"segment", Align::kLeft}, {"epoch", Align::kLeft}, {"first", Align::kRight}, {"last", Align::kRight},
               {"size", Align::kRight}, {"state", Align::kLeft}});
  for (const Json& segment : journal["segments"]) {
    const char* state = !segment.value("sealed", false) ? "open" : segment.value("checkpointed", false) ? "sealed" : "sealing";
    table.add({text(segment, "file"), text(segment, "epoch"), count(segment, "first_sequence"),
               count(segment, "last_sequence"), bytes(segment, "bytes"), state});
  }
  return out + table.text();
}

std::string render_recount(const Json& recount) {
  Table table({{"consumer", Align::kLeft}, {"pending, ledger", Align::kRight}, {"pending, disk", Align::kRight},
               {"dead, ledger", Align::kRight}, {"dead, disk", Align::kRight}, {"", Align::kLeft}});
  for (const Json& one : recount["consumers"]) {
    table.add({text(one, "consumer"), count(one, "pending_ledger"), count(one, "pending_disk"), count(one, "dead_ledger"),
               count(one, "dead_disk"), one.value("agrees", false) ? "agrees" : "DIFFERS"});
  }
  return table.text();
}

std::string render_trace(const Json& trace) {
  const Json& event = trace["event"];
  std::string out = "event     " + text(event, "id") + "\n";
  out += "device    " + text(event, "device_id") + "  " + text(event, "sensor_type") + " " + text(event, "value") + " " + text(event, "unit") + "\n";
  out += "accepted  " + text(event, "received_at") + " by " + text(trace, "source") + ", sequence " + text(trace, "sequence") +
         " in " + text(trace, "segment") + "\n";
  for (const Json& leg : trace["consumers"]) {
    out += "  " + text(leg, "consumer") + ": " + text(leg, "outcome");
    if (!text(leg, "detail").empty()) out += " (" + text(leg, "detail") + ")";
    out += "\n";
  }
  return out;
}

std::string render_dead_list(const Json& dead) {
  if (dead["dead_letters"].empty()) return "no dead letters\n";
  Table table({{"number", Align::kRight}, {"when", Align::kLeft}, {"consumer", Align::kLeft}, {"device", Align::kLeft},
               {"refused by", Align::kLeft}, {"tries", Align::kRight}, {"reason", Align::kLeft}});
  for (const Json& letter : dead["dead_letters"]) {
    std::string by = text(letter, "refused_by");
    if (!text(letter, "plugin").empty()) by += " (" + text(letter, "plugin") + " " + text(letter, "plugin_version") + ")";
    table.add({text(letter, "number"), text(letter, "at").substr(0, 19) + "Z", text(letter, "consumer"),
               text(letter, "device_id"), by, text(letter, "attempts"), text(letter, "reason")});
  }
  return table.text();
}

std::string render_dead(const Json& letter) {
  std::string out;
  for (const char* key : {"number", "at", "consumer", "source", "device_id", "id", "epoch", "sequence", "part",
                          "refused_by", "plugin", "plugin_version", "code", "reason", "attempts"}) {
    std::string name = key;
    out += name + std::string(16 - name.size(), ' ') + text(letter, key) + "\n";
  }
  return out + "event\n" + (letter["event"].is_null() ? "  cannot be read" : letter["event"].dump(2)) + "\n";
}

std::string render_plugins(const Json& plugins) {
  Table table({{"plugin", Align::kLeft}, {"version", Align::kLeft}, {"abi", Align::kLeft}, {"components", Align::kLeft}, {"file", Align::kLeft}});
  std::string refused;
  for (const Json& plugin : plugins["plugins"]) {
    std::string components;
    if (plugin.contains("components")) {
      for (const auto& [name, kind] : plugin["components"].items()) components += (components.empty() ? "" : ", ") + name;
    }
    if (!text(plugin, "refused").empty()) refused += "  refused: " + text(plugin, "refused") + "\n";
    if (plugin.contains("id")) table.add({text(plugin, "id"), text(plugin, "version"), text(plugin, "abi"), components, text(plugin, "path")});
  }
  return (table.empty() ? std::string("  no plugins found\n") : table.text()) + refused;
}

std::string render_mapped(const Json& events) {
  Table table({{"device", Align::kLeft}, {"sensor type", Align::kLeft}, {"value", Align::kRight}, {"unit", Align::kLeft},
               {"time", Align::kLeft}, {"metadata", Align::kLeft}});
  for (const Json& event : events) {
    std::string metadata, value = event["value"].dump(-1, ' ', false, Json::error_handler_t::replace);
    if (event.contains("value_type")) value += " (" + text(event, "value_type") + ")";
    if (event.contains("metadata")) {
      for (const auto& [key, entry] : event["metadata"].items())
        metadata += (metadata.empty() ? "" : ", ") + key + "=" + entry.get<std::string>();
    }
    std::string time = text(event, "timestamp");
    table.add({text(event, "device_id"), text(event, "sensor_type"), value, text(event, "unit"),
               time.empty() ? "the gateway's" : time, metadata});
  }
  return table.text() + std::to_string(events.size()) + (events.size() == 1 ? " event\n" : " events\n");
}

std::string render_event(const Json& line) {
  const Json& event = line["event"];
  std::string out = text(event, "timestamp") + "  " + text(event, "device_id") + "  " + text(event, "sensor_type") + "  " + text(event, "value");
  if (!text(event, "unit").empty()) out += " " + text(event, "unit");
  return out + "  (" + text(line, "source") + ")";
}

}  // namespace weir::cli
