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
  std::string name;  // what follows the route's path, when that ends with '/'
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

Answer dead_show(runtime::Gateway& gateway, const Request& request) {
  const std::string& text = request.name;
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

Answer recount(runtime::Gateway& gateway, const Request&) {
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

Answer health(runtime::Gateway& gateway, const Request&) {
  bool healthy = true;
  Answer answer = ok(health_json(gateway.status(), &healthy));
  if (!healthy) answer.status = 503;
  return answer;
}

Answer ready(runtime::Gateway& gateway, const Request&) {
  runtime::Status status = gateway.status();
  Answer answer = ok(ready_json(status));
  if (!status.ready) answer.status = 503;
  return answer;
}

Answer metrics(runtime::Gateway& gateway, const Request&) {
  return {200, "text/plain; version=0.0.4", metrics_text(gateway.status()), ""};
}

Answer status(runtime::Gateway& gateway, const Request&) { return ok(status_json(gateway.status())); }

Answer trace(runtime::Gateway& gateway, const Request& request) {
  auto trace = gateway.trace(request.name);
  return trace ? ok(trace_json(*trace)) : fail(trace.error());
}

Answer journal(runtime::Gateway& gateway, const Request&) {
  Json out{{"version", 1}};
  out.update(journal_json(gateway.status().journal));
  return ok(out);
}

Answer plugins(runtime::Gateway& gateway, const Request&) { return ok(plugins_json(gateway.plugins())); }

Answer apply(runtime::Gateway& gateway, const Request&) {
  manifest::Problems problems = gateway.apply();
  Answer answer = ok({{"version", 1}, {"applied", problems.empty()}, {"problems", problems_json(problems)}});
  if (!problems.empty()) answer.status = 409;
  return answer;
}

Answer forget(runtime::Gateway& gateway, const Request& request) {
  auto done = gateway.forget(request.name);
  return done ? ok({{"version", 1}, {"forgotten", request.name}}) : fail(done.error());
}

struct Route {
  std::string_view path;  // with '/' at the end: a name follows
  const char* methods;    // as the header Allow has them
  bool quick;             // see is_quick()
  Answer (*answer)(runtime::Gateway&, const Request&);
};

constexpr const char *kGet = "GET, HEAD", *kPost = "POST";
constexpr Route kRoutes[] = {
    {"/health", kGet, true, health},
    {"/ready", kGet, true, ready},
    {"/metrics", kGet, true, metrics},
    {"/api/v1/status", kGet, true, status},
    {"/api/v1/tail", kGet, false, tail},
    {"/api/v1/trace/", kGet, false, trace},
    {"/api/v1/dead", kGet, false, dead_list},
    {"/api/v1/dead/", kGet, false, dead_show},
    {"/api/v1/journal", kGet, false, journal},
    {"/api/v1/journal/recount", kGet, false, recount},
    {"/api/v1/plugins", kGet, false, plugins},
    {"/api/v1/apply", kPost, false, apply},
    {"/api/v1/forget/", kPost, false, forget},
};

const Route* route_of(std::string_view path) {
  for (const Route& route : kRoutes) {
    bool named = route.path.ends_with('/') && path.size() > route.path.size() && path.starts_with(route.path);
    if (named || (path == route.path && !route.path.ends_with('/'))) return &route;
  }
  return nullptr;
}

bool takes(const Route& route, std::string_view method) {
  return route.methods == kPost ? method == "POST" : method == "GET" || method == "HEAD";
}

Answer nothing_there(const std::string& path) {
  std::string hint = "there are";
  for (const Route& route : kRoutes) {
    hint += (&route == kRoutes ? " " : ", ") + std::string(route.methods == kPost ? "POST " : "") +
            std::string(route.path) + (route.path.ends_with('/') ? "NAME" : "");
  }
  return fail(404, "not_found", "there is nothing at " + path, hint);
}

}  // namespace

bool is_quick(std::string_view target) {
  const Route* route = route_of(parse(target).path);
  return route != nullptr && route->quick;
}

Answer answer(runtime::Gateway& gateway, std::string_view method, std::string_view target) {
  Request request = parse(target);
  const Route* route = route_of(request.path);
  if (route == nullptr) return nothing_there(request.path);
  if (!takes(*route, method)) {
    Answer answer = fail(405, "method_not_allowed", std::string(method) + " is not for " + request.path);
    answer.allow = route->methods;
    return answer;
  }
  request.name = request.path.substr(route->path.size());
  return route->answer(gateway, request);
}

Answer failure(unsigned status, const std::string& code, const std::string& message) {
  return fail(status, code, message);
}

}  // namespace weir::admin
