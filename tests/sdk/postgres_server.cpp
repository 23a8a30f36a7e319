#include "sdk/postgres_server.h"

#include <arpa/inet.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <stdexcept>

namespace weir::test {
namespace {

namespace fs = std::filesystem;

// Debian keeps the server's programs beside the version, out of PATH.
std::string program(const std::string& name) {
  for (const auto& version : fs::directory_iterator("/usr/lib/postgresql")) {
    if (fs::exists(version.path() / "bin" / name)) return version.path() / "bin" / name;
  }
  throw std::runtime_error("there is no PostgreSQL server here (Debian: postgresql)");
}

// The command, as a user that PostgreSQL accepts. setpriv drops the kernel's promise to kill it with the test, and
// so renews it.
std::vector<std::string> unprivileged(std::vector<std::string> command) {
  if (geteuid() != 0) return command;
  const std::vector<std::string> as = {"setpriv",        "--reuid=postgres", "--regid=postgres",
                                       "--clear-groups", "--pdeathsig=QUIT", "--"};
  command.insert(command.begin(), as.begin(), as.end());
  return command;
}

// PostgreSQL wants to be told its port.
std::string unused_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool found = ::bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(socket);
  if (!found) throw std::runtime_error("there is no port for PostgreSQL");
  return std::to_string(ntohs(address.sin_port));
}

void expect_done(const Finished& finished) {
  if (finished.exit.code != 0) throw std::runtime_error(finished.output + finished.errors);
}

}  // namespace

PostgresServer::PostgresServer() : port_(unused_port()) {
  const std::string folder = folder_.path();
  if (geteuid() == 0) {
    const passwd* user = getpwnam("postgres");
    if (user == nullptr || chown(folder.c_str(), user->pw_uid, user->pw_gid) != 0) {
      throw std::runtime_error("there is no user postgres (Debian: postgresql)");
    }
  }
  expect_done(run(unprivileged({program("initdb"), "--pgdata=" + folder + "/data", "--auth=trust", "--username=weir",
                                "--encoding=UTF8", "--no-sync", "--no-instructions"}),
                  {folder, {}}));
}

void PostgresServer::start() {
  const std::string folder = folder_.path();
  ProcessOptions there;
  there.working_folder = folder;
  // -F: no fsync, which a test has no use for.
  server_ = std::make_unique<Process>(
      unprivileged({program("postgres"), "-D", folder + "/data", "-k", folder, "-h", "127.0.0.1", "-p", port_, "-F"}), there);
  const bool up = wait_until([&] { return run({"pg_isready", "-h", "127.0.0.1", "-p", port_}).exit.code == 0; }, kPatience,
                             std::chrono::milliseconds(50));
  if (!up) throw std::runtime_error("PostgreSQL did not start:\n" + server_->errors());
}

void PostgresServer::stop() {
  if (server_ == nullptr) return;
  server_->kill(SIGINT);  // a fast shutdown; SIGTERM would wait for the clients
  server_->wait();
  server_.reset();
}

std::string PostgresServer::query(const std::string& sql) const {
  const Finished finished = run({"psql", "--no-psqlrc", "-d", connection(), "-v", "ON_ERROR_STOP=1", "-Atc", sql});
  expect_done(finished);
  return finished.output.substr(0, finished.output.find_last_not_of('\n') + 1);
}

}  // namespace weir::test
