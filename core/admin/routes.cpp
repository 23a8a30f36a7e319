#include "admin/routes.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
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

// %41 and the like; what is no such thing is left as it is.
std::string decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    uint8_t byte = 0;
    const char* end = text.data() + std::min(text.size(), i + 3);
    if (text[i] == '%' && i + 2 < text.size() && std::from_chars(text.data() + i + 1, end, byte, 16).ptr == end) {
      out.push_back(static_cast<char>(byte));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

Request parse(std::string_view target) {
  Request request;
  size_t mark = target.find('?');
  request.path = decoded(target.substr(0, mark));
  while (mark != std::string_view::npos) {
    target.remove_prefix(mark + 1);
    mark = target.find('&');
    std::string_view pair = target.substr(0, mark);
    size_t equal = pair.find('=');
    request.query[decoded(pair.substr(0, equal))] =
        equal == std::string_view::npos ? "" : decoded(pair.substr(equal + 1));
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
  auto page = gateway.tail(request.text("source"), *after, std::min(*limit, kMaxLimit));
  if (!page) return fail(page.error());
  Json events = Json::array();
  for (const runtime::TailLine& line : page->lines) {
    events.push_back({{"sequence", line.sequence}, {"source", line.source}, {"event", Json::parse(line.json)}});
  }
  // Asking again with after=through goes on where this page ends.
  return ok({{"version", 1}, {"through", page->through}, {"events", events}});
}

Answer dead_list(runtime::Gateway& gateway, const Request& request) {
  auto before = request.number("before", 0), limit = request.number("limit", kDefaultLimit);
  if (!before) return bad_number("before");
  if (!limit) return bad_number("limit");
  constexpr auto kNewest = static_cast<uint64_t>(INT64_MAX);
  auto letters = gateway.dead_letters(static_cast<int64_t>(std::min(*before, kNewest)), std::min(*limit, kMaxLimit));
  if (!letters) return fail(letters.error());
  Json list = Json::array();
  for (const auto& letter : *letters) list.push_back(dead_letter_json(letter, gateway.config().gateway_id, false));
  return ok({{"version", 1}, {"dead_letters", list}});
}

Answer dead_show(runtime::Gateway& gateway, const std::string& text) {
  int64_t number = 0;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size()) {
    return fail(400, "invalid", "'" + text + "' is not the number of a dead letter", "/api/v1/dead lists them");
  }
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

constexpr std::string_view kQuick[] = {"/health", "/ready", "/metrics", "/api/v1/status"};
constexpr std::string_view kOthers[] = {"/api/v1/tail", "/api/v1/dead", "/api/v1/journal", "/api/v1/journal/recount",
                                        "/api/v1/plugins"};
constexpr std::string_view kForget = "/api/v1/forget/";

bool below(const std::string& path, std::string_view folder) {
  return path.starts_with(folder) && path.size() > folder.size();
}

bool is_quick(const std::string& path) { return std::find(std::begin(kQuick), std::end(kQuick), path) != std::end(kQuick); }

bool answers_get(const std::string& path) {
  return is_quick(path) || std::find(std::begin(kOthers), std::end(kOthers), path) != std::end(kOthers) ||
         below(path, "/api/v1/dead/") || below(path, "/api/v1/trace/");
}

bool answers_post(const std::string& path) { return path == "/api/v1/apply" || below(path, kForget); }

Answer get(runtime::Gateway& gateway, const Request& request) {
  const std::string& path = request.path;
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
  if (below(path, "/api/v1/dead/")) return dead_show(gateway, path.substr(13));
  if (below(path, "/api/v1/trace/")) {
    auto trace = gateway.trace(path.substr(14));
    return trace ? ok(trace_json(*trace)) : fail(trace.error());
  }
  if (path == "/api/v1/journal") {
    Json out{{"version", 1}};
    out.update(journal_json(gateway.status().journal));
    return ok(out);
  }
  if (path == "/api/v1/journal/recount") return recount(gateway);
  return ok(plugins_json(gateway.plugins()));
}

Answer post(runtime::Gateway& gateway, const Request& request) {
  if (request.path == "/api/v1/apply") {
    manifest::Problems problems = gateway.apply();
    Answer answer = ok({{"version", 1}, {"applied", problems.empty()}, {"problems", problems_json(problems)}});
    if (!problems.empty()) answer.status = 409;
    return answer;
  }
  std::string consumer = request.path.substr(kForget.size());
  auto done = gateway.forget(consumer);
  return done ? ok({{"version", 1}, {"forgotten", consumer}}) : fail(done.error());
}

}  // namespace

bool is_quick(std::string_view target) { return is_quick(parse(target).path); }

Answer answer(runtime::Gateway& gateway, std::string_view method, std::string_view target) {
  Request request = parse(target);
  const std::string& path = request.path;
  if (answers_get(path)) {
    if (method == "GET" || method == "HEAD") return get(gateway, request);
  } else if (answers_post(path)) {
    if (method == "POST") return post(gateway, request);
  } else {
    return fail(404, "not_found", "there is nothing at " + path,
                "GET /health, /ready, /metrics and /api/v1/status, tail, trace/ID, dead, journal, plugins; "
                "POST /api/v1/apply and /api/v1/forget/NAME");
  }
  Answer answer = fail(405, "method_not_allowed", std::string(method) + " is not for " + path);
  answer.allow = answers_post(path) ? "POST" : "GET, HEAD";
  return answer;
}

Answer failure(unsigned status, const std::string& code, const std::string& message) {
  return fail(status, code, message);
}

}  // namespace weir::admin
