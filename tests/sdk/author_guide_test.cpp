// docs/plugin-author: every listing is compiled against the installed SDK, every command is run, in order.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "sdk/outsider.h"
#include "support/stub_gateway.h"

namespace weir::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

struct Block {
  std::string language;  // what stands behind the opening fence: "sh", "sh background", "cpp", "cmake", "text"
  std::string text;
};

std::vector<Block> blocks_of(const fs::path& page) {
  const std::string text = read_file(page), fence = "\n```";
  std::vector<Block> blocks;
  for (size_t at = text.find(fence); at != std::string::npos; at = text.find(fence, at)) {
    const size_t language = at + fence.size(), begin = text.find('\n', language), end = text.find(fence, begin);
    blocks.push_back({text.substr(language, begin - language), text.substr(begin + 1, end - begin)});
    at = end + fence.size();
  }
  return blocks;
}

std::vector<fs::path> pages() {
  std::vector<fs::path> all;
  for (const auto& entry : fs::directory_iterator(source_folder() + "/docs/plugin-author")) all.push_back(entry.path());
  return all;
}

std::string page(const std::string& name) { return source_folder() + "/docs/plugin-author/" + name; }

// Runs a page's commands in one shell after another, in `folder`; `cd` lasts. The ports are the test's own.
class Reader {
 public:
  explicit Reader(std::string folder) : folder_(std::move(folder)) {}

  // Returns what the commands printed; fails the test at the first that does not work.
  std::string follow(const std::string& name) {
    std::string printed;
    for (const Block& block : blocks_of(page(name))) {
      if (block.language == "sh background") {
        start(block.text);
      } else if (block.language == "sh") {
        printed += run_in_shell(block.text);
      }
      if (::testing::Test::HasFailure()) break;
    }
    if (background_) background_->terminate();
    return printed;
  }

 private:
  std::string with_ports(std::string text) const {
    for (const auto& [shown, port] : {std::pair("127.0.0.1:8080", events_), {"127.0.0.1:9600", admin_}}) {
      for (size_t at = text.find(shown); at != std::string::npos; at = text.find(shown, at + 1)) {
        text.replace(at, std::string(shown).size(), "127.0.0.1:" + std::to_string(port));
      }
    }
    return text;
  }

  void start(const std::string& command) {
    background_ = std::make_unique<Process>(
        std::vector<std::string>{"/bin/bash", "-c", "exec " + with_ports(command)}, outsider_environment(folder_));
    EXPECT_TRUE(background_->wait_for_errors("ready")) << background_->errors();
  }

  // What is asked of a gateway can come a moment too early, so a block is tried until it works. One that makes files is not.
  std::string run_in_shell(const std::string& commands) {
    const bool asks = commands.find("sqlite3") == 0 || commands.find("curl") == 0;
    Finished last;
    const bool works = wait_until(
        [&] {
          last = run({"/bin/bash", "-euo", "pipefail", "-c", with_ports(commands) + "\npwd > \"$WHERE\""},
                     environment(), std::chrono::minutes(5));
          const bool empty = commands.find("sqlite3") == 0 && last.output.empty();
          return (last.exit.code == 0 && !empty) || !asks;
        },
        kPatience, std::chrono::milliseconds(50));
    EXPECT_TRUE(works && last.exit.code == 0) << commands << "printed:\n" << last.output << last.errors;
    std::string where = read_file(notes_ / "where");
    if (!where.empty()) folder_ = where.substr(0, where.size() - 1);
    return last.output;
  }

  ProcessOptions environment() const {
    ProcessOptions options = outsider_environment(folder_);
    options.environment.emplace_back("WHERE", notes_ / "where");
    return options;
  }

  std::string folder_;
  TempDir notes_;
  const uint16_t events_ = StubGateway().port(), admin_ = StubGateway().port();
  std::unique_ptr<Process> background_;
};

TEST(AuthorGuide, LeadsToAPluginInAGatewayInTenMinutes) {
  TempDir folder;
  EXPECT_THAT(Reader(folder.path()).follow("README.md"), HasSubstr("me|42.0"));
}

TEST(AuthorGuide, BeginsEachKindWithACommandThatWorks) {
  for (const char* kind : {"source.md", "transform.md", "sink.md"}) {
    TempDir folder;
    Reader(folder.path()).follow(kind);
  }
}

TEST(AuthorGuide, ShowsATestOfASinkThatWorks) {
  TempDir folder;
  ProcessOptions there = outsider_environment(folder.path());
  run_or_throw({installed_weir(), "plugin", "new", "my-sink", "--kind", "sink", "--lang", "c"}, there);
  build_with_cmake(folder / "my-sink");
  EXPECT_THAT(Reader(folder / "my-sink").follow("testing.md"), HasSubstr("\"delivered\": 1"));
}

TEST(AuthorGuide, ShowsBothWaysToBuild) {
  TempDir folder;
  folder.write("my_sink.c", read_file(source_folder() + "/plugin-sdk/examples/null-sink/null_sink.c"));
  int projects = 0;
  for (const Block& block : blocks_of(page("packaging.md"))) {
    if (block.language != "cmake") continue;
    folder.write("CMakeLists.txt", block.text);
    build_with_cmake(folder.path());
    ++projects;
  }
  EXPECT_EQ(projects, 1);
  Reader(folder.path()).follow("packaging.md");
  for (const char* made : {"build/lib/weir/plugins/my-sink.so", "my-sink.so"}) {
    EXPECT_EQ(weir({"plugin", "inspect", folder / made}).exit.code, 0) << made;
  }
}

TEST(AuthorGuide, ShowsOnlyCodeThatIsAPlugin) {
  int listings = 0;
  for (const fs::path& page : pages()) {
    for (const Block& block : blocks_of(page)) {
      if (block.language != "cpp") continue;
      TempDir folder;
      folder.write("CMakeLists.txt",
                   "cmake_minimum_required(VERSION 3.25)\nproject(listing CXX)\nfind_package(weir-sdk REQUIRED)\n"
                   "weir_add_plugin(listing SOURCES listing.cpp)\n"
                   "target_compile_options(weir_plugin_listing PRIVATE -Wall -Wextra -Werror)\n");
      folder.write("listing.cpp", block.text);
      build_with_cmake(folder.path());
      Finished inspect = weir({"plugin", "inspect", folder / "build/lib/weir/plugins/listing.so"});
      EXPECT_EQ(inspect.exit.code, 0) << page << inspect.errors;
      ++listings;
    }
  }
  EXPECT_GE(listings, 3);
}

// "text" is for what cannot be run here: a package manager, a command with a path of the reader's.
TEST(AuthorGuide, HasNoBlockThatNothingLooksAt) {
  for (const fs::path& page : pages()) {
    for (const Block& block : blocks_of(page)) {
      EXPECT_THAT(block.language, ::testing::AnyOf("sh", "sh background", "cpp", "cmake", "text")) << page;
    }
  }
}

}  // namespace
}  // namespace weir::test
