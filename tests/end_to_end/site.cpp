#include "end_to_end/site.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "support/stub_gateway.h"

namespace weir::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

uint16_t free_port() { return StubGateway().port(); }

}  // namespace

std::string build_folder() { return fs::read_symlink("/proc/self/exe").parent_path().parent_path(); }

Site::Site(const std::string& folder)
    : own_(folder.empty() ? std::make_unique<TempDir>() : nullptr),
      root_(folder.empty() ? own_->path().string() : folder),
      program_(build_folder() + "/bin/weir"),
      http_port_(free_port()),
      admin_port_(free_port()) {
  fs::create_directories(manifests());
  write_gateway({build_folder() + "/lib/weir/examples", build_folder() + "/lib/weir/test-plugins"});
}

void Site::use(const std::string& program, const std::vector<std::string>& plugin_dirs) {
  program_ = program;
  write_gateway(plugin_dirs);
}

void Site::write_gateway(const std::vector<std::string>& plugin_dirs) {
  manifest("gateway", {{"gateway_id", "test-site"},
                       {"data_dir", "data"},
                       {"plugin_dirs", plugin_dirs},
                       {"admin", {{"listen", "127.0.0.1:" + std::to_string(admin_port_)}}}});
}

void Site::manifest(const std::string& name, const json& content) {
  json written = content;
  // The whole suite runs a second time with every instance in a process of its own.
  const char* isolation = std::getenv("WEIR_TEST_ISOLATION");
  if (isolation != nullptr && name != "gateway") written.emplace("isolation", isolation);
  manifest_text(name, written.dump(2) + "\n");
}

void Site::manifest_text(const std::string& name, const std::string& content) {
  std::string target = manifests() + "/" + name + ".json", fresh = target + ".tmp";
  std::ofstream(fresh) << content;
  fs::rename(fresh, target);
}

void Site::remove_manifest(const std::string& name) { fs::remove(manifests() + "/" + name + ".json"); }

void Site::main_line() {
  manifest("api", {{"plugin", "http.source"}, {"config", {{"listen", "127.0.0.1:" + std::to_string(http_port_)}}}});
  manifest("store", {{"plugin", "sqlite.sink"}, {"from", {"api"}}, {"config", {{"path", "data/events.db"}}}});
}

void Site::spawn() {
  process_ = std::make_unique<Process>(std::vector<std::string>{program_, "run", "--manifests", manifests()});
}

void Site::start_anyway() {
  spawn();
  bool up = wait_until([&] {
    if (!process_->running()) return true;
    try {
      get("/api/v1/status");
      return true;
    } catch (const std::exception&) {
      return false;
    }
  });
  if (!up || !process_->running()) throw std::runtime_error("the gateway did not start:\n" + log());
}

void Site::start() {
  start_anyway();
  if (!wait_until([&] { return get("/ready").value("ready", false); })) {
    throw std::runtime_error("the gateway is not ready: " + get("/ready").dump() + "\n" + log());
  }
}

void Site::kill() {
  process_->kill(SIGKILL);
  process_->wait();
}

bool Site::stopped_cleanly() { return process_->terminate().code == 0; }

json Site::get(const std::string& target) {
  auto response = HttpClient::at_unix_socket(path("data/weir.sock")).request("GET", target);
  if (!response) throw std::runtime_error("no answer to " + target);
  return json::parse(response->body);
}

json Site::post_api(const std::string& target) {
  auto response = HttpClient::at_unix_socket(path("data/weir.sock")).request("POST", target);
  if (!response) throw std::runtime_error("no answer to " + target);
  return json::parse(response->body);
}

json Site::consumer(const std::string& name) {
  const json now = status();
  for (const json& consumer : now["consumers"]) {
    if (consumer["name"] == name) return consumer;
  }
  return json::object();
}

json Site::instance(const std::string& name) {
  const json now = status();
  for (const json& instance : now["instances"]) {
    if (instance["name"] == name) return instance;
  }
  return json::object();
}

bool Site::wait_settled(const std::string& name, uint64_t committed) {
  return wait_until(
      [&] {
        json now = consumer(name);
        return now.value("pending", uint64_t{1}) == 0 && now.value("committed", uint64_t{0}) >= committed;
      },
      kPatience, std::chrono::milliseconds(20));
}

HttpResponse Site::post(const json& events, const HttpHeaders& headers) {
  HttpHeaders all = headers;
  all.emplace_back("Content-Type", "application/json");
  auto response = http().request("POST", "/v1/events", events.dump(), all);
  if (!response) throw std::runtime_error("no answer to a POST\n" + log());
  return *response;
}

Finished Site::weir(std::vector<std::string> arguments, bool with_manifests) {
  arguments.insert(arguments.begin(), program_);
  if (with_manifests) arguments.insert(arguments.end(), {"--manifests", manifests()});
  return run(arguments);
}

std::multiset<std::string> Site::stored(const std::string& column) const {
  std::multiset<std::string> values;
  sqlite3* database = nullptr;
  sqlite3_open_v2(path("data/events.db").c_str(), &database, SQLITE_OPEN_READWRITE, nullptr);
  sqlite3_busy_timeout(database, 10'000);
  sqlite3_stmt* rows = nullptr;
  sqlite3_prepare_v2(database, ("SELECT " + column + " FROM events").c_str(), -1, &rows, nullptr);
  while (sqlite3_step(rows) == SQLITE_ROW) {
    values.insert(reinterpret_cast<const char*>(sqlite3_column_text(rows, 0)));
  }
  sqlite3_finalize(rows);
  sqlite3_close(database);
  return values;
}

json events(size_t n, int64_t first, size_t devices) {
  json list = json::array();
  for (size_t i = 0; i < n; ++i) {
    list.push_back({{"device_id", "device-" + std::to_string(i % devices)},
                    {"sensor_type", "counter"},
                    {"value", first + static_cast<int64_t>(i)}});
  }
  return list;
}

}  // namespace weir::test
