#include "suite/gateway.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace weir::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kReadyPatience{60};

constexpr const char* kNullFromApi = R"("plugin": "null.sink", "from": ["api"])";
constexpr const char* kDownFromApi = R"("plugin": "down.sink", "from": ["api"])";

std::string api_keys(uint16_t port) {
  return R"("plugin": "http.source", "durability": "strict", "config": { "listen": "127.0.0.1:)" + std::to_string(port) +
         "\" }";
}

void write_file(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

}  // namespace

Gateway::Gateway(const Build& build, const std::string& site, Sink sink)
    : build_(build), site_(site), events_port_(free_port()), admin_port_(free_port()) {
  write_gateway_json();
  write_manifest("api", api_keys(events_port_), false);
  write_manifest("out", sink == Sink::kNull ? kNullFromApi : kDownFromApi, false);
}

Gateway::Gateway(const Build& build, const std::string& site, const std::set<std::string>& isolated)
    : build_(build), site_(site), events_port_(free_port()), admin_port_(free_port()) {
  write_gateway_json();
  write_manifest("api", api_keys(events_port_), isolated.contains("api"));
  write_manifest("pass", R"("plugin": "pass.transform", "from": ["api"])", isolated.contains("pass"));
  write_manifest("out", R"("plugin": "null.sink", "from": ["pass"])", isolated.contains("out"));
}

void Gateway::write_gateway_json() const {
  std::filesystem::remove_all(site_);
  std::filesystem::create_directories(site_ + "/manifests");
  // 16 GiB: room for every backlog that is asked for. A short retention, so that a long run
  // does not fill the disk; not none, because then segments are sealed all the time.
  write_file(site_ + "/manifests/gateway.json",
             R"({ "gateway_id": "bench", "data_dir": "data", "plugin_dirs": [")" + build_.folder +
                 R"(/lib/weir/examples", ")" + build_.folder + R"(/lib/weir/bench"],
  "admin": { "listen": "127.0.0.1:)" +
                 std::to_string(admin_port_) + R"(" },
  "journal": { "max_bytes": "16GiB", "retention": "1m" } }
)");
}

void Gateway::write_manifest(const std::string& name, const std::string& keys, bool isolated) const {
  write_file(site_ + "/manifests/" + name + ".json",
             "{ " + keys + (isolated ? R"(, "isolation": "process")" : "") + " }\n");
}

Gateway::~Gateway() {
  kill_now();
  std::error_code ignored;
  std::filesystem::remove_all(site_, ignored);
}

std::optional<std::chrono::duration<double>> Gateway::start() {
  Clock::time_point begin = Clock::now();
  problem_ = process_.start({build_.weir(), "run", "--manifests", site_ + "/manifests"}, site_ + "/gateway.log");
  if (!problem_.empty()) return std::nullopt;
  while (Clock::now() - begin < kReadyPatience) {
    if (http_get(admin_port_, "/ready").status == 200) return Clock::now() - begin;
    if (!process_.running()) {
      problem_ = "the gateway ended by itself:\n" + log_tail();
      return std::nullopt;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  problem_ = "the gateway did not get ready:\n" + log_tail();
  return std::nullopt;
}

bool Gateway::run_in() const { return std::filesystem::exists(site_ + "/data/journal/00000003.db"); }

std::string Gateway::log_tail() const {
  std::ifstream log(site_ + "/gateway.log");
  std::ostringstream text;
  text << log.rdbuf();
  std::string all = text.str();
  constexpr size_t kTail = 2000;
  return all.size() > kTail ? all.substr(all.size() - kTail) : all;
}

}  // namespace weir::bench
