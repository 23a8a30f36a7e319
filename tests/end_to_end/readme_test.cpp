// Every command that the README, the operators' guides and the manifests show is run here, in order, in a folder that
// looks like the repository's: what a newcomer copies must work. Only the ports differ, so that the test does not meet
// a gateway that runs here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <memory>
#include <regex>
#include <set>
#include <sstream>

#include "support/http.h"
#include "support/process.h"
#include "support/stub_gateway.h"
#include "support/temp_dir.h"

namespace weir::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

fs::path build_folder() { return fs::read_symlink("/proc/self/exe").parent_path().parent_path(); }

// The folder of the sources, as CMake noted it in the build folder.
fs::path source_folder() {
  std::istringstream cache(read_file(build_folder() / "CMakeCache.txt"));
  const std::string key = "CMAKE_HOME_DIRECTORY:INTERNAL=";
  for (std::string line; std::getline(cache, line);) {
    if (line.starts_with(key)) return line.substr(key.size());
  }
  throw std::runtime_error("CMakeCache.txt does not say where the sources are");
}

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// The README's blocks of shell commands.
std::vector<std::string> shell_blocks(const std::string& markdown) {
  std::vector<std::string> blocks;
  const std::string open = "```sh\n";
  for (size_t at = markdown.find(open); at != std::string::npos; at = markdown.find(open, at)) {
    at += open.size();
    blocks.push_back(markdown.substr(at, markdown.find("```", at) - at));
  }
  return blocks;
}

uint16_t free_port() { return StubGateway().port(); }

// A folder with the manifests of the repository on ports of its own, its ./run, and this build as build/release.
// Its gateway, when one was started, ends before it does.
class Site {
 public:
  ~Site() {
    if (running_) running_->terminate();
  }
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;
  Site() {
    for (const auto& entry : fs::directory_iterator(source_folder() / "manifests")) {
      if (entry.is_regular_file()) {
        folder_.write("manifests/" + entry.path().filename().string(), with_ports(read_file(entry.path())));
      }
    }
    fs::create_directories(folder_.path() / "build");
    fs::create_directory_symlink(build_folder(), folder_.path() / "build/release");
    fs::permissions(folder_.write("run", "#!/bin/sh\nexec " + (source_folder() / "run").string() +
                                             " --skip-build --build-dir " + build_folder().string() +
                                             " --manifests manifests \"$@\"\n"),
                    fs::perms::owner_all);
  }

  // The same text with the ports of this site.
  std::string with_ports(const std::string& text) const {
    std::string with = replace_all(text, "127.0.0.1:8080", "127.0.0.1:" + std::to_string(events_port_));
    with = replace_all(with, "127.0.0.1:8443", "127.0.0.1:" + std::to_string(secure_port_));
    return replace_all(with, "127.0.0.1:9600", "127.0.0.1:" + std::to_string(admin_port_));
  }
  ProcessOptions here() const {
    ProcessOptions options;
    options.working_folder = folder_.path();
    return options;
  }
  Finished shell(const std::string& commands) const {
    return run({"/bin/bash", "-euo", "pipefail", "-c", with_ports(commands)}, here());
  }
  // Starts ./run here; true when it says that Weir is ready.
  bool start(std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.begin(), "./run");
    // A shell in the background ignores Ctrl-C, and so would what it starts.
    std::signal(SIGINT, SIG_DFL);
    running_ = std::make_unique<Process>(arguments, here());
    return running_->wait_for_output("==> Weir is ready");
  }
  Process& running() { return *running_; }
  std::string printed() const { return running_->output() + running_->errors(); }
  uint16_t admin_port() const { return admin_port_; }

 private:
  TempDir folder_;
  std::unique_ptr<Process> running_;
  uint16_t events_port_ = free_port();
  uint16_t secure_port_ = free_port();
  uint16_t admin_port_ = free_port();
};

// What a block must print, by a piece of its text.
struct Expectation {
  const char* command;
  const char* output;
};
constexpr Expectation kExpectations[] = {
    {"curl -i http", "HTTP/1.1 202"},
    {"curl http", "\"ids\""},
    {"sqlite3 data/events.db", "me|temperature|21.1|Cel"},
    {"sqlite3 data/meters.db", R"({"weir.auth.subject":"CN=meter-7,O=Plant"})"},
    {"weir status", "store"},
    {"\"isolation\": \"process\"", "process "},
    {"weir check", "ok: "},
    {"weir journal recount", "agrees"},
    {"weir journal stats", "segment"},
    {"/health", "\"gateway\""},
    {"sqlite3 data/events.db 'SELECT", "temperature"},
};

void expect_block_works(const Site& site, const std::string& block) {
  std::string expected;
  for (const Expectation& expectation : kExpectations) {
    if (block.find(expectation.command) != std::string::npos) expected = expectation.output;
  }
  // Delivery comes after the answer, so the first look can be too early.
  Finished last;
  bool works = wait_until(
      [&] {
        last = site.shell(block);
        return last.exit.code == 0 && last.output.find(expected) != std::string::npos;
      },
      kPatience, std::chrono::milliseconds(100));
  EXPECT_TRUE(works) << block << "printed:\n" << last.output << last.errors;
}

// Ctrl-C, which must end everything and with 0.
void stop(Site& site) {
  site.running().kill(SIGINT);
  auto end = site.running().wait();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->code, 0) << site.printed();
  EXPECT_THAT(site.running().output(), HasSubstr("The gateway stopped"));
}

// Runs a document's blocks in order, `./run` in the background. Returns how many others there were.
int run_document(const std::string& name) {
  Site site;
  bool started = false;
  int tried = 0;
  for (const std::string& block : shell_blocks(read_file(source_folder() / name))) {
    if (block == "./test\n") continue;  // that is what runs this
    if (block.starts_with("./run")) {
      bool alone = block == "./run --no-simulator\n";
      EXPECT_TRUE(alone || block == "./run\n") << block;
      started = site.start(alone ? std::vector<std::string>{"--no-simulator"} : std::vector<std::string>{});
      EXPECT_TRUE(started) << site.printed();
      if (!started) return 0;
      continue;
    }
    EXPECT_TRUE(started) << "./run comes first";
    expect_block_works(site, block);
    ++tried;
  }
  stop(site);
  return tried;
}

// A block of shell commands and the block of text behind it: what they print, to the byte.
TEST(MappingGuide, ShowsWhatItsCommandsPrint) {
  Site site;
  const std::string text = read_file(source_folder() / "docs/mapping.md"), open = "```sh\n", close = "```\n", shown = "\n```text\n";
  int tried = 0;
  for (size_t at = text.find(open); at != std::string::npos; at = text.find(open, at), ++tried) {
    at += open.size();
    const size_t end = text.find(close, at);
    const std::string block = text.substr(at, end - at);
    Finished finished = site.shell(block);
    EXPECT_EQ(finished.exit.code, 0) << block << finished.errors;
    ASSERT_EQ(text.compare(end + close.size(), shown.size(), shown), 0) << block << "has no ```text behind it";
    const size_t printed = end + close.size() + shown.size();
    EXPECT_EQ(finished.output, text.substr(printed, text.find("```", printed) - printed)) << block;
  }
  EXPECT_GE(tried, 12);
}

TEST(Readme, ShowsOnlyCommandsThatWork) { EXPECT_GE(run_document("README.md"), 6); }

TEST(OperatorsGuide, ShowsOnlyCommandsThatWork) { EXPECT_GE(run_document("docs/operator.md"), 5); }

TEST(HttpGuide, ShowsOnlyCommandsThatWork) { EXPECT_GE(run_document("docs/http.md"), 3); }

TEST(Manifests, ShowOnlyCommandsThatWork) {
  Site site;
  ASSERT_TRUE(site.start({"--no-simulator"})) << site.printed();
  int tried = 0;
  // In the order of the files' names: api.json posts what store.json looks for.
  std::set<fs::path> files;
  for (const auto& entry : fs::directory_iterator(source_folder() / "manifests")) files.insert(entry.path());
  const std::regex command(R"(//   ((?:curl|sqlite3|build/release/bin/weir) .*))");
  for (const fs::path& file : files) {
    if (!fs::is_regular_file(file)) continue;
    std::istringstream lines(read_file(file));
    std::smatch match;
    for (std::string line; std::getline(lines, line);) {
      if (!std::regex_match(line, match, command)) continue;
      expect_block_works(site, match[1].str() + "\n");
      ++tried;
    }
  }
  EXPECT_GE(tried, 2);
  stop(site);
}

TEST(Documents, LinkOnlyToWhatIsThere) {
  std::vector<fs::path> documents = {source_folder() / "README.md", source_folder() / "bench/README.md"};
  for (const auto& entry : fs::recursive_directory_iterator(source_folder() / "docs")) documents.push_back(entry.path());
  const std::regex link(R"(\]\(([^)#:]+)\))");
  int links = 0;
  for (const fs::path& document : documents) {
    if (document.extension() != ".md") continue;
    const std::string text = read_file(document);
    for (std::sregex_iterator match(text.begin(), text.end(), link), end; match != end; ++match, ++links) {
      EXPECT_TRUE(fs::exists(document.parent_path() / (*match)[1].str())) << document << ": " << (*match)[1];
    }
  }
  EXPECT_GT(links, 15);
}

TEST(Run, ShowsTheEventsOfTheSimulatedDevices) {
  Site site;
  ASSERT_TRUE(site.start()) << site.printed();
  EXPECT_TRUE(site.running().wait_for_output("greenhouse-01")) << site.printed();
  EXPECT_THAT(site.running().output(), HasSubstr(site.with_ports("http://127.0.0.1:9600/metrics")));
  stop(site);
}

TEST(Run, NamesThePortThatIsTaken) {
  Site site;
  ASSERT_TRUE(site.start({"--no-simulator"})) << site.printed();
  Finished second = run({"./run"}, site.here());
  EXPECT_EQ(second.exit.code, 1);
  EXPECT_THAT(second.errors, HasSubstr("127.0.0.1:" + std::to_string(site.admin_port()) + " is taken"));
  stop(site);
}

TEST(Run, ShowsWhyAGatewayDidNotStart) {
  Site site;
  site.shell("echo '{ \"plugin\": \"http.source\", \"nonsense\": 1 }' > manifests/wrong.json");
  Finished result = run({"./run"}, site.here());
  EXPECT_EQ(result.exit.code, 1);
  EXPECT_THAT(result.errors, HasSubstr("wrong.json"));
  EXPECT_THAT(result.errors, HasSubstr("nonsense"));
}

}  // namespace
}  // namespace weir::test
