// The binary interface is what it was agreed to be: plugin-sdk/abi.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/utsname.h>

#include <filesystem>
#include <fstream>
#include <regex>

#include "sdk/outsider.h"

namespace weir::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string abi_folder() { return source_folder() + "/plugin-sdk/abi"; }

std::string baseline() {
  utsname machine{};
  uname(&machine);
  return abi_folder() + "/baseline." + machine.machine + ".abi";
}

Finished difference_to_baseline(const std::string& headers) {
  TempDir folder;
  const std::string today = folder.write("today.abi", run_or_throw({abi_folder() + "/describe", headers}, {}));
  return run({"abidiff", baseline(), today});
}

class AbiBaseline : public ::testing::Test {
 protected:
  void SetUp() override {
#if defined(__x86_64__)
    ASSERT_TRUE(fs::exists(baseline())) << baseline() << " is missing";
#else
    if (!fs::exists(baseline())) GTEST_SKIP() << "there is a baseline for x86_64 only, not for this machine";
#endif
  }
};

TEST_F(AbiBaseline, IsWhatTheInstalledHeadersSay) {
  Finished difference = difference_to_baseline(installed_prefix() + "/include");
  EXPECT_EQ(difference.exit.code, 0) << "the ABI has changed: plugin-sdk/abi/README.md says what to do\n"
                                     << difference.output << difference.errors;
}

TEST_F(AbiBaseline, DiffersWhenAFieldIsPutIntoAStruct) {
  TempDir folder;
  fs::copy(source_folder() + "/plugin-sdk/include", folder.path(), fs::copy_options::recursive);
  const std::string changed = std::regex_replace(read_file(folder / "weir/sink.h"), std::regex("  uint32_t max_in_flight;"),
                                                 "  uint32_t extra;\n  uint32_t max_in_flight;");
  folder.write("weir/sink.h", changed);
  Finished difference = difference_to_baseline(folder.path());
  EXPECT_NE(difference.exit.code, 0);
  EXPECT_THAT(difference.output, HasSubstr("extra"));
}

TEST_F(AbiBaseline, DescribesEveryPublicType) {
  const std::string described = read_file(baseline());
  const std::regex type(R"((?:^|\n)(?:typedef [^;{]*[ *(]|\} )\*?(weir_[a-z0-9_]+)\)?(?:;|\())");
  int types = 0;
  for (const auto& entry : fs::directory_iterator(source_folder() + "/plugin-sdk/include/weir")) {
    if (entry.path().extension() != ".h") continue;
    const std::string header = read_file(entry.path());
    for (std::sregex_iterator match(header.begin(), header.end(), type), end; match != end; ++match, ++types) {
      EXPECT_THAT(described, HasSubstr("name='" + (*match)[1].str() + "'")) << entry.path() << ": use it in surface.c";
    }
  }
  EXPECT_GT(types, 35);
}

}  // namespace
}  // namespace weir::test
