// The commands that ask a running gateway.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/render.h"

namespace weir::cli {
namespace {

using Json = nlohmann::json;

constexpr auto kTailEvery = std::chrono::milliseconds(300);

int fail(const base::Error& error) {
  std::cerr << "weir: " << error.text() << "\n";
  return error.code == base::Code::kInvalid ? 2 : 1;
}

// Asks, prints the JSON or what `render` makes of it. An error of the API is shown like one of ours.
template <class Render>
int ask(const Common& common, const std::string& method, const std::string& target, Render&& render) {
  auto client = Client::find(common.manifests);
  if (!client) return fail(client.error());
  auto reply = method == "POST" ? client->post(target) : client->get(target);
  if (!reply) return fail(reply.error());
  Json json = Json::parse(reply->body, nullptr, false);
  if (json.is_discarded()) {
    std::cerr << "weir: the gateway's answer is not JSON (is it another version?)\n";
    return 1;
  }
  if (json.contains("error")) {
    std::cerr << "weir: " << json["error"].value("message", "");
    if (std::string hint = json["error"].value("hint", ""); !hint.empty()) std::cerr << " (" << hint << ")";
    std::cerr << "\n";
    return 1;
  }
  std::cout << (common.json ? reply->body : render(json)) << std::flush;
  return reply->status < 300 ? 0 : 1;
}

}  // namespace

int status(const Common& common) {
  Style style{isatty(STDOUT_FILENO) == 1};
  return ask(common, "GET", "/api/v1/status", [&](const Json& json) { return render_status(json, style); });
}
int trace(const Common& common, const std::string& id) { return ask(common, "GET", "/api/v1/trace/" + id, render_trace); }
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
  return code != 0 || common.json || agrees ? code : 1;
}

int forget(const Common& common, const std::string& consumer) {
  return ask(common, "POST", "/api/v1/forget/" + consumer,
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
    std::string target = "/api/v1/tail?source=" + instance + "&after=" + std::to_string(after) +
                         "&limit=" + std::to_string(first ? lines : 1000);
    auto reply = client->get(target);
    if (!reply) return fail(reply.error());
    Json json = Json::parse(reply->body, nullptr, false);
    if (!json.contains("events")) {
      std::cerr << "weir: " << reply->body;
      return 1;
    }
    for (const Json& line : json["events"]) {
      after = line.value("sequence", after);
      std::cout << (common.json ? line["event"].dump() : render_event(line)) << "\n";
    }
    std::cout << std::flush;
    if (once || !std::cout) return 0;
    // Nothing seen yet: everything from now on is new.
    if (after == 0) {
      auto journal = client->get("/api/v1/journal");
      if (journal) after = Json::parse(journal->body, nullptr, false).value("newest_sequence", uint64_t{0});
    }
    std::this_thread::sleep_for(kTailEvery);
  }
}

}  // namespace weir::cli
