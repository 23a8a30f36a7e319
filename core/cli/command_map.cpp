// `weir map try`: shows what a mapping makes of a payload, without a gateway.
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/time.h"
#include "cli/commands.h"
#include "cli/render.h"
#include "event/json.h"
#include "manifest/document.h"
#include "manifest/file_text.h"
#include "weir/mapping/mapping.h"

namespace weir::cli {
namespace {

using Json = nlohmann::ordered_json;

// One line on standard error and, with --json, the same in fields. Returns the exit code.
struct Refusal {
  int exit_code = 1;
  manifest::Problem problem;  // `what` names the pointer already
  std::string rule, rule_text;

  int print(bool json) const {
    manifest::Problem line = problem;
    line.pointer.clear();
    std::cerr << line.text() << "\n";
    if (!rule_text.empty()) std::cerr << "  asked for by " << rule_text << "\n";
    if (!json) return exit_code;
    Json out{{"version", 1}, {"ok", false}, {"file", problem.file}};
    if (problem.position.line != 0) out.update({{"line", problem.position.line}, {"column", problem.position.column}});
    out.update({{"pointer", problem.pointer}, {"reason", problem.what}, {"rule", rule}});
    std::cout << out.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
    return exit_code;
  }
};

Refusal refusal(int exit_code, const std::string& file, const std::string& what) {
  Refusal out;
  out.exit_code = exit_code;
  out.problem.file = file;
  out.problem.what = what;
  return out;
}

// The mapping's file, and where in it the mapping stands: "api.json#/config/mapping".
struct MappingFile {
  std::string file, pointer;
  std::shared_ptr<const manifest::Document> document;
  std::unique_ptr<const mapping::Mapping> mapping;

  manifest::Position position(const std::string& in_mapping) const { return document->value_position(pointer + in_mapping); }
};

std::optional<Refusal> read_mapping(const MapCommand& command, const std::vector<std::string_view>& names, MappingFile* out) {
  const size_t hash = std::min(command.mapping.find('#'), command.mapping.size());
  out->file = command.mapping.substr(0, hash);
  if (hash < command.mapping.size()) out->pointer = command.mapping.substr(hash + 1);
  auto text = manifest::read_file_text(out->file, manifest::Document::kMaxBytes);
  if (!text) return refusal(2, out->file, text.error().text());
  manifest::Problems problems;
  out->document = manifest::Document::parse(out->file, *text, problems);
  if (!out->document) return Refusal{2, problems.front(), "", ""};
  const nlohmann::json* json = &out->document->root();
  for (const std::string& token : manifest::pointer_tokens(out->pointer)) {
    if (!json->is_object() || !json->contains(token)) return refusal(2, out->file, "there is nothing at " + out->pointer);
    json = &(*json)[token];
  }
  mapping::MappingFault wrong;
  out->mapping = mapping::Mapping::compile(json->dump(), names, &wrong);
  if (out->mapping) return std::nullopt;
  Refusal refused = refusal(2, out->file, wrong.message);
  refused.problem.pointer = out->pointer + wrong.pointer;
  refused.problem.position = out->position(wrong.pointer);
  return refused;
}

std::optional<Refusal> read_payload(const std::string& file, std::string* out) {
  if (file == "-") {
    out->assign(std::istreambuf_iterator<char>(std::cin), {});
    return std::nullopt;
  }
  auto text = manifest::read_file_text(file, mapping::kMaxPayloadBytes);
  if (!text) return refusal(2, file, text.error().text());
  *out = std::move(*text);
  return std::nullopt;
}

// Values for the mapping's variables: those given by name, then those of the topic.
std::optional<Refusal> values_of(const MapCommand& command, const MappingFile& file,
                                 std::vector<std::string_view>* values) {
  const mapping::Template* address = file.mapping->address();
  if ((address != nullptr) != command.topic.has_value()) {
    return refusal(2, file.file, address != nullptr ? "the mapping has the template " + manifest::in_quotes(address->text()) +
                                                          ": say with --topic where the payload came to"
                                                    : "the mapping has no \"template\" that --topic could fit");
  }
  if (address == nullptr) return std::nullopt;
  std::vector<std::string_view> matched;
  mapping::TemplateFault wrong;
  if (!address->match(*command.topic, &matched, &wrong)) return refusal(1, "--topic " + *command.topic, wrong.message);
  values->insert(values->end(), matched.begin(), matched.end());
  return std::nullopt;
}

Refusal payload_refusal(const mapping::PayloadFault& fault, const std::string& payload_file, const std::string& payload,
                        const MappingFile& file) {
  Refusal out = refusal(1, payload_file, fault.message);
  out.problem.pointer = fault.pointer;
  manifest::Problems ignored;
  if (auto document = manifest::Document::parse(payload_file, payload, ignored))
    out.problem.position = document->value_position(fault.pointer);
  if (fault.rule.empty()) return out;
  manifest::Problem rule;
  rule.file = file.file;
  rule.position = file.position(fault.rule);
  rule.what = file.pointer + fault.rule;
  out.rule = rule.what;
  out.rule_text = rule.text();
  return out;
}

// What a source would send: the event without what the gateway adds at its door.
Json events_json(const weir_batch* batch) {
  Json events = Json::array();
  for (uint32_t i = 0; i < batch->count; ++i) {
    const Json whole = Json::parse(event::to_json(batch, i, ""));
    Json& event = events.emplace_back();
    for (const char* key : {"device_id", "sensor_type", "value", "value_type", "unit", "timestamp", "metadata"}) {
      const bool gateways_time = std::string_view(key) == "timestamp" &&
                                 (weir_event_at(batch, i)->flags & WEIR_NO_DEVICE_TIME) != 0;
      if (whole.contains(key) && !gateways_time) event[key] = whole[key];
    }
  }
  return events;
}

}  // namespace

int map_try(const MapCommand& command, bool json) {
  std::vector<std::string_view> names, values;
  for (const std::string& variable : command.variables) {
    const size_t equals = variable.find('=');
    if (equals == std::string::npos || equals == 0)
      return refusal(2, "--variable " + variable, "must be NAME=VALUE").print(json);
    names.push_back(std::string_view(variable).substr(0, equals));
    values.push_back(std::string_view(variable).substr(equals + 1));
  }
  MappingFile file;
  if (auto wrong = read_mapping(command, names, &file)) return wrong->print(json);
  if (auto wrong = values_of(command, file, &values)) return wrong->print(json);
  std::string payload;
  if (auto wrong = read_payload(command.payload, &payload)) return wrong->print(json);

  const std::string payload_name = command.payload == "-" ? "standard input" : command.payload;
  sdk::BatchBuilder batch;
  mapping::PayloadFault fault;
  if (!mapping::MappedParser().parse(*file.mapping, payload, {values, base::wall_ns()}, batch, &fault))
    return payload_refusal(fault, payload_name, payload, file).print(json);
  const Json events = events_json(batch.finish());
  if (json) {
    std::cout << Json{{"version", 1}, {"ok", true}, {"events", events}}.dump(2) << "\n";
  } else {
    std::cout << render_mapped(nlohmann::json::parse(events.dump()));
  }
  return 0;
}

}  // namespace weir::cli
