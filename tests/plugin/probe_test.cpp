#include "plugin/probe.h"

#include <dirent.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <fstream>

#include "support/wait.h"
#include "test_plugins.h"

namespace weir::plugin {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string probed(const std::string& name, ProbeOptions options = probe_options()) {
  auto status = probe(test_plugin(name), options);
  return status ? "accepted" : status.error().text();
}

// The processes that run `path` as an argument; zombies have no arguments and are counted by their parent.
size_t processes_with(const std::string& path) {
  size_t found = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::string arguments = test::read_file(entry.path() / "cmdline");
    if (arguments.find("--probe") != std::string::npos && arguments.find(path) != std::string::npos) ++found;
  }
  return found;
}

TEST(Probe, AcceptsARightPlugin) {
  EXPECT_EQ(probed("fault-none"), "accepted");
  EXPECT_EQ(probed("probe-kit"), "accepted");
}

TEST(Probe, SurvivesAConstructorThatAbortsAndShowsItsLastWords) {
  EXPECT_EQ(
      probed("constructor-aborts"),
      test_plugin("constructor-aborts") +
          ": crashed with SIGABRT while it was loaded (a constructor); its last line on standard error: the "
          "licence server is missing (the plugin would have done this to the gateway; its author has to mend "
          "it)");
}

TEST(Probe, NamesTheSignalOfAConstructorThatCrashes) {
  // A sanitizer turns the signal into an exit code.
  EXPECT_THAT(probed("constructor-crashes"),
              testing::AnyOf(HasSubstr("crashed with SIGSEGV while it was loaded"),
                             HasSubstr("ended the process with exit code")));
}

TEST(Probe, SurvivesAConstructorThatExits) {
  EXPECT_THAT(probed("constructor-exits"),
              HasSubstr("ended the process with exit code 3 while it was loaded (a constructor)"));
}

TEST(Probe, DoesNotTakeACleanExitForSuccess) {
  EXPECT_THAT(probed("constructor-exits-well"),
              HasSubstr("ended the process without a result while it was loaded (a constructor)"));
}

TEST(Probe, KillsAConstructorThatHangsWithAllItStarted) {
  ProbeOptions options = probe_options();
  options.deadline = std::chrono::milliseconds(500);
  for (const char* name : {"constructor-hangs", "constructor-hangs-with-child"}) {
    EXPECT_THAT(probed(name, options), AllOf(HasSubstr("did not return within 500ms while it was loaded"),
                                             HasSubstr("move that work to prepare or start")));
    EXPECT_TRUE(test::wait_until([&] { return processes_with(test_plugin(name)) == 0; })) << name;
  }
  errno = 0;
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child was left";
  EXPECT_EQ(errno, ECHILD);
}

TEST(Probe, SaysThatItHangsInInit) {
  ProbeOptions options = probe_options();
  options.deadline = std::chrono::seconds(2);
  EXPECT_THAT(probed("init-hangs", options), HasSubstr("did not return within 2.0s in init"));
}

TEST(Probe, FindsADestructorThatAborts) {
  EXPECT_THAT(probed("destructor-aborts"), HasSubstr("crashed with SIGABRT while it was unloaded"));
}

TEST(Probe, IsNotFooledByAPluginThatPrintsAResult) { EXPECT_EQ(probed("constructor-prints"), "accepted"); }

TEST(Probe, ShowsWhatTheChecksSay) {
  EXPECT_THAT(probed("init-fails"), HasSubstr("refused to initialise: no fault hardware in this machine"));
  EXPECT_THAT(probed("no-entry"), HasSubstr("has no symbol weir_plugin_entry"));
  EXPECT_THAT(probed("no-note"), HasSubstr("without a Weir note"));
}

TEST(Probe, AcceptsAPluginThatStaysInMemory) { EXPECT_EQ(probed("nodelete"), "accepted"); }

TEST(Probe, SaysThatTheProgramCannotBeStarted) {
  ProbeOptions options = probe_options();
  options.program = "/nowhere/weir";
  EXPECT_EQ(probed("fault-none", options),
            "cannot be probed, the program /nowhere/weir cannot be started: No such file or directory (the "
            "machine is "
            "short of processes, memory or file descriptors)");
}

TEST(Probe, LeavesNoFileDescriptorBehind) {
  auto open_files = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                         std::filesystem::directory_iterator());
  };
  probed("fault-none");  // whatever is opened once
  const auto before = open_files();
  for (int round = 0; round < 3; ++round) probed("constructor-exits");
  EXPECT_EQ(open_files(), before);
}

}  // namespace
}  // namespace weir::plugin
