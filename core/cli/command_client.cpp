// The commands that ask a running gateway.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/render.h"

namespace weir::cli {
namespace {

using Json = nlohmann::json;

constexpr auto kTailEvery = std::chrono::milliseconds(300);
constexpr uint64_t kTailLines = 1000;

int fail(const base::Error& error) {
  std::cerr << "weir: " << error.text() << "\n";
  return error.code == base::Code::kInvalid ? 2 : 1;
}

// What the gateway answered, or nothing: then *code is the exit code, and the reason has been printed. An error of the
// API is shown like one of ours.
std::optional<Json> understood(const base::Result<Reply>& reply, int* code) {
  *code = 1;
  if (!reply) {
    *code = fail(reply.error());
    return std::nullopt;
  }
  Json json = Json::parse(reply->body, nullptr, false);
  if (!json.is_object()) {
    std::cerr << "weir: the gateway's answer is not JSON (is it another version?)\n";
    return std::nullopt;
  }
  if (!json.contains("error")) return json;
  std::cerr << "weir: " << json["error"].value("message", "");
  if (std::string hint = json["error"].value("hint", ""); !hint.empty()) std::cerr << " (" << hint << ")";
  std::cerr << "\n";
  return std::nullopt;
}

// Asks, prints the JSON or what `render` makes of it; `render` sees the answer in either case.
template <class Render>
int ask(const Common& common, const std::string& method, const std::string& target, Render&& render) {
  auto client = Client::find(common.manifests);
  if (!client) return fail(client.error());
  auto reply = method == "POST" ? client->post(target) : client->get(target);
  int code = 0;
  auto json = understood(reply, &code);
  if (!json) return code;
  std::string text = render(*json);
  std::cout << (common.json ? reply->body : text) << std::flush;
  return reply->status < 300 ? 0 : 1;
}

}  // namespace

int status(const Common& common) {
  Style style{isatty(STDOUT_FILENO) == 1};
  return ask(common, "GET", "/api/v1/status", [&](const Json& json) { return render_status(json, style); });
}
int trace(const Common& common, const std::string& id) { return ask(common, "GET", "/api/v1/trace/" + url_part(id), render_trace); }
int journal_stats(const Common& common) { return ask(common, "GET", "/api/v1/journal", render_journal); }
int dead_list(const Common& common, uint64_t limit) {
  return ask(common, "GET", "/api/v1/dead?limit=" + std::to_string(limit), render_dead_list);
}
int dead_show(const Common& common, int64_t number) {
  return ask(common, "GET", "/api/v1/dead/" + std::to_string(number), render_dead);
}

int journal_recount(const Common& common) {
  bool agrees = false;
  int code = ask(common, "GET", "/api/v1/journal/recount", [&](const Json& json) {
    agrees = json.value("agrees", false);
    return render_recount(json);
  });
  return code != 0 || agrees ? code : 1;
}

int forget(const Common& common, const std::string& consumer) {
  return ask(common, "POST", "/api/v1/forget/" + url_part(consumer),
             [](const Json& json) { return "forgotten: " + json.value("forgotten", "") + "\n"; });
}

int apply(const Common& common) {
  bool applied = true;
  int code = ask(common, "POST", "/api/v1/apply", [&](const Json& json) {
    applied = json.value("applied", false);
    if (applied) return std::string("applied\n");
    std::string out = "refused; what was running goes on:\n";
    for (const Json& problem : json["problems"]) out += "  " + problem.value("text", "") + "\n";
    return out;
  });
  return applied ? code : 2;
}

int tail(const Common& common, const std::string& instance, bool once, uint64_t lines) {
  auto client = Client::find(common.manifests);
  if (!client) return fail(client.error());
  uint64_t after = 0;
  for (bool first = true;; first = false) {
    std::string target = "/api/v1/tail?source=" + url_part(instance) + "&after=" + std::to_string(after) +
                         "&limit=" + std::to_string(first ? lines : kTailLines);
    int code = 0;
    auto json = understood(client->get(target), &code);
    if (!json) return code;
    for (const Json& line : (*json)["events"]) {
      std::cout << (common.json ? line["event"].dump() : render_event(line)) << "\n";
    }
    std::cout << std::flush;
    if (once || !std::cout) return 0;
    uint64_t through = json->value("through", after);
    // Nothing new: a pause. Otherwise there may be more already.
    if (through == after) std::this_thread::sleep_for(kTailEvery);
    after = through;
  }
}

}  // namespace weir::cli
