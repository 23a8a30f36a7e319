#include "admin/routes.h"

#include <charconv>
#include <map>
#include <nlohmann/json.hpp>

#include "admin/metrics.h"
#include "admin/views.h"

namespace weir::admin {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kDefaultLimit = 50, kMaxLimit = 10'000;

std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Answer ok(const Json& json) { return {200, "application/json", dump(json), ""}; }

unsigned http_status(base::Code code) {
  switch (code) {
    case base::Code::kInvalid: return 400;
    case base::Code::kNotFound: return 404;
    case base::Code::kUnavailable:
    case base::Code::kTimeout:
    case base::Code::kFull: return 503;
    default: return 500;
  }
}

Answer fail(unsigned status, const std::string& code, const std::string& message, const std::string& hint = "") {
  return {status, "application/json",
          dump({{"version", 1}, {"error", {{"code", code}, {"message", message}, {"hint", hint}}}}), ""};
}

Answer fail(const base::Error& error) {
  unsigned status = http_status(error.code);
  const char* code = status == 400 ? "invalid" : status == 404 ? "not_found" : status == 503 ? "unavailable" : "failed";
  std::string what = error.where.empty() ? error.what : error.where + ": " + error.what;
  return fail(status, code, what, error.hint);
}

struct Request {
  std::string path;
  std::map<std::string, std::string> query;

  std::string text(const std::string& key) const {
    auto found = query.find(key);
    return found == query.end() ? "" : found->second;
  }
  // `fallback` when absent, nothing when it is no number.
  std::optional<uint64_t> number(const std::string& key, uint64_t fallback) const {
    std::string value = text(key);
    if (value.empty()) return fallback;
    uint64_t number = 0;
    auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (failed != std::errc{} || end != value.data() + value.size()) return std::nullopt;
    return number;
  }
};

Request parse(std::string_view target) {
  Request request;
  size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  while (mark != std::string_view::npos) {
    target.remove_prefix(mark + 1);
    mark = target.find('&');
    std::string_view pair = target.substr(0, mark);
    size_t equal = pair.find('=');
    request.query[std::string(pair.substr(0, equal))] =
        equal == std::string_view::npos ? "" : std::string(pair.substr(equal + 1));
  }
  return request;
}

Answer bad_number(const std::string& key) {
  return fail(400, "invalid", "'" + key + "' is not a number", "for example ?" + key + "=50");
}

Answer tail(runtime::Gateway& gateway, const Request& request) {
  auto after = request.number("after", 0), limit = request.number("limit", kDefaultLimit);
  if (!after) return bad_number("after");
  if (!limit) return bad_number("limit");
  auto lines = gateway.tail(request.text("source"), *after, std::min(*limit, kMaxLimit));
  if (!lines) return fail(lines.error());
  Json events = Json::array();
  for (const runtime::TailLine& line : *lines) {
    events.push_back({{"sequence", line.sequence}, {"source", line.source}, {"event", Json::parse(line.json)}});
  }
  return ok({{"version", 1}, {"events", events}});
}

Answer dead_list(runtime::Gateway& gateway, const Request& request) {
  auto before = request.number("before", 0), limit = request.number("limit", kDefaultLimit);
  if (!before) return bad_number("before");
  if (!limit) return bad_number("limit");
  auto letters = gateway.dead_letters(static_cast<int64_t>(*before), std::min(*limit, kMaxLimit));
  if (!letters) return fail(letters.error());
  Json list = Json::array();
  for (const auto& letter : *letters) list.push_back(dead_letter_json(letter, gateway.config().gateway_id, false));
  return ok({{"version", 1}, {"dead_letters", list}});
}

Answer dead_show(runtime::Gateway& gateway, const std::string& text) {
  int64_t number = 0;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size()) return bad_number(text);
  auto letter = gateway.dead_letter(number);
  if (!letter) return fail(letter.error());
  Json out{{"version", 1}};
  out.update(dead_letter_json(*letter, gateway.config().gateway_id, true));
  return ok(out);
}

Answer recount(runtime::Gateway& gateway) {
  auto counts = gateway.recount();
  if (!counts) return fail(counts.error());
  Json list = Json::array();
  bool agrees = true;
  for (const auto& count : *counts) {
    agrees = agrees && count.agrees;
    list.push_back({{"consumer", count.consumer},
                    {"pending_ledger", count.pending_ledger},
                    {"pending_disk", count.pending_disk},
                    {"dead_ledger", count.dead_ledger},
                    {"dead_disk", count.dead_disk},
                    {"agrees", count.agrees}});
  }
  return ok({{"version", 1}, {"agrees", agrees}, {"consumers", list}});
}

Answer get(runtime::Gateway& gateway, const Request& request) {
  const std::string& path = request.path;
  auto below = [&](std::string_view folder) { return path.starts_with(folder) && path.size() > folder.size(); };
  if (path == "/health") {
    bool healthy = true;
    Json json = health_json(gateway.status(), &healthy);
    Answer answer = ok(json);
    if (!healthy) answer.status = 503;
    return answer;
  }
  if (path == "/ready") {
    runtime::Status status = gateway.status();
    Answer answer = ok(ready_json(status));
    if (!status.ready) answer.status = 503;
    return answer;
  }
  if (path == "/metrics") return {200, "text/plain; version=0.0.4", metrics_text(gateway.status()), ""};
  if (path == "/api/v1/status") return ok(status_json(gateway.status()));
  if (path == "/api/v1/tail") return tail(gateway, request);
  if (path == "/api/v1/dead") return dead_list(gateway, request);
  if (below("/api/v1/dead/")) return dead_show(gateway, path.substr(13));
  if (below("/api/v1/trace/")) {
    auto trace = gateway.trace(path.substr(14));
    return trace ? ok(trace_json(*trace)) : fail(trace.error());
  }
  if (path == "/api/v1/journal") {
    Json out{{"version", 1}};
    out.update(journal_json(gateway.status().journal));
    return ok(out);
  }
  if (path == "/api/v1/journal/recount") return recount(gateway);
  if (path == "/api/v1/plugins") return ok(plugins_json(gateway.plugins()));
  return fail(404, "not_found", "there is nothing at " + path,
              "see /health, /ready, /metrics and /api/v1/status, tail, trace/ID, dead, journal, plugins");
}

Answer post(runtime::Gateway& gateway, const Request& request) {
  if (request.path == "/api/v1/apply") {
    manifest::Problems problems = gateway.apply();
    Answer answer = ok({{"version", 1}, {"applied", problems.empty()}, {"problems", problems_json(problems)}});
    if (!problems.empty()) answer.status = 409;
    return answer;
  }
  constexpr std::string_view kForget = "/api/v1/forget/";
  if (request.path.starts_with(kForget)) {
    std::string consumer = request.path.substr(kForget.size());
    auto done = gateway.forget(consumer);
    return done ? ok({{"version", 1}, {"forgotten", consumer}}) : fail(done.error());
  }
  return fail(404, "not_found", "nothing takes a POST at " + request.path, "POST /api/v1/apply or /api/v1/forget/NAME");
}

}  // namespace

Answer answer(runtime::Gateway& gateway, std::string_view method, std::string_view target) {
  Request request = parse(target);
  bool for_post = request.path == "/api/v1/apply" || request.path.starts_with("/api/v1/forget/");
  if (method == "GET" && !for_post) return get(gateway, request);
  if (method == "POST" && for_post) return post(gateway, request);
  Answer answer = fail(405, "method_not_allowed", std::string(method) + " is not for " + request.path);
  answer.allow = for_post ? "POST" : "GET";
  return answer;
}

}  // namespace weir::admin
