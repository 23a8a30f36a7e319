// A gateway of a test: its own folder, manifests and ports, and the real `weir` binary as a child process.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "support/http.h"
#include "support/process.h"
#include "support/temp_dir.h"

namespace weir::test {

class Site {
 public:
  // `folder` "" is a temporary one. gateway.json is written; instances come by manifest().
  explicit Site(const std::string& folder = "");

  // Runs another `weir` than this build's, with other plugin folders beside its own. Call it before start().
  void use(const std::string& program, const std::vector<std::string>& plugin_dirs);

  // Writes NAME.json in one step, as an operator's tool would. The gateway notices by itself.
  void manifest(const std::string& name, const nlohmann::json& content);
  void manifest_text(const std::string& name, const std::string& content);
  void remove_manifest(const std::string& name);
  // The main line: api (http.source) -> sink `store` (sqlite.sink) in data/events.db.
  void main_line();

  void start();        // and waits until it is ready
  void start_anyway();  // and waits until it answers at all
  void kill();         // kill -9
  bool stopped_cleanly();  // SIGTERM, and exit code 0
  Process& process() { return *process_; }
  std::string log() const { return process_ ? process_->errors() : ""; }

  nlohmann::json get(const std::string& target);   // of the API; throws when there is no answer
  nlohmann::json post_api(const std::string& target);
  nlohmann::json status() { return get("/api/v1/status"); }
  nlohmann::json consumer(const std::string& name);
  nlohmann::json instance(const std::string& name);
  // Waits until the consumer has nothing pending and has been owed `committed` events at least.
  bool wait_settled(const std::string& consumer, uint64_t committed = 0);

  HttpClient http() const { return HttpClient(http_port_); }
  // POSTs events; the whole response.
  HttpResponse post(const nlohmann::json& events, const HttpHeaders& headers = {});
  Finished weir(std::vector<std::string> arguments, bool with_manifests = true);

  std::string path(const std::string& name) const { return root_ + "/" + name; }
  uint16_t http_port() const { return http_port_; }
  uint16_t admin_port() const { return admin_port_; }
  std::string manifests() const { return path("manifests"); }
  // One column of data/events.db as text.
  std::multiset<std::string> stored(const std::string& column) const;

 private:
  void spawn();
  void write_gateway(const std::vector<std::string>& plugin_dirs);
  std::unique_ptr<TempDir> own_;
  std::string root_, program_;
  uint16_t http_port_, admin_port_;
  std::unique_ptr<Process> process_;
};

// n events of devices device-0.., values first, first+1 ...
nlohmann::json events(size_t n, int64_t first = 0, size_t devices = 4);
std::string build_folder();

}  // namespace weir::test
