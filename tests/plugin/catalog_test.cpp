#include "plugin/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/time.h"
#include "plugin/instance.h"
#include "support/result.h"
#include "test_plugins.h"

namespace weir::plugin {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class CatalogTest : public testing::Test {
 protected:
  CatalogTest() { std::filesystem::create_directory(folder_ / "installed"); }

  std::string install(const std::string& plugin, const std::string& name) {
    const std::string path = folder_ / ("installed/" + name);
    // Another inode, as installing does; overwriting in place is a test of its own.
    std::filesystem::remove(path);
    std::filesystem::copy_file(test_plugin(plugin), path);
    return path;
  }

  Catalog::Options options() {
    return {{folder_ / "installed", folder_ / "not there"}, folder_ / "cache", probe_options()};
  }

  // What the plugin's code says about its version when it runs.
  static std::string version_that_runs(const std::shared_ptr<Library>& library) {
    auto bound = bind_library(library, "fault.sink");
    EXPECT_OK(bound);
    Instance instance("probe", std::move(bound).value(), bare_host());
    EXPECT_OK(instance.create("{}").status);
    return instance.health().text;
  }

  test::TempDir folder_;
};

TEST_F(CatalogTest, FindsTheHighestAcceptedVersion) {
  install("fault-none", "a.so");
  install("fault-none-2", "b.so");
  Catalog catalog(options());
  catalog.scan();
  EXPECT_EQ(catalog.find("fault.sink", any_version)->note->version, "2.0.0");
  auto old = [](std::string_view version) { return version.starts_with("1."); };
  EXPECT_EQ(catalog.find("fault.sink", old)->note->version, "1.0.0");
}

TEST_F(CatalogTest, SaysWhatThereIsWhenNothingFits) {
  install("fault-none", "a.so");
  install("fault-none-2", "b.so");
  Catalog catalog(options());
  catalog.scan();
  auto none = [](std::string_view) { return false; };
  EXPECT_EQ(catalog.find("fault.sink", none).error().text(),
            "no installed version of 'fault.sink' is accepted; there is 1.0.0, 2.0.0 (change the manifest's "
            "version, "
            "or install one that it accepts)");
  EXPECT_THAT(catalog.find("other.sink", any_version).error().text(),
              AllOf(HasSubstr("no plugin offers 'other.sink'"), HasSubstr(folder_ / "installed")));
}

TEST_F(CatalogTest, KeepsARefusedFileWithItsReasonAndServesTheOthers) {
  const std::string text = folder_.write("installed/text.so", "not a library");
  install("note-other-major", "future.so");
  install("fault-none", "right.so");
  folder_.write("installed/readme.txt", "not looked at");
  folder_.write("installed/.hidden.so", "not looked at either");
  Catalog catalog(options());
  catalog.scan();
  std::vector<Candidate> all = catalog.candidates();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_THAT(all[0].refusal->text(), HasSubstr("future.so: was built for the plugin ABI 7.0"));
  EXPECT_FALSE(all[1].refusal.has_value());
  EXPECT_EQ(all[2].path, text);
  EXPECT_THAT(all[2].refusal->text(), HasSubstr("text.so: is not an ELF file"));
  EXPECT_OK(catalog.load("fault.sink", any_version));
}

TEST_F(CatalogTest, TakesTheNextVersionWhenTheHighestFailsItsProbe) {
  install("fault-none", "right.so");
  const std::string wrong = install("newest-aborts", "wrong.so");
  Catalog catalog(options());
  catalog.scan();
  EXPECT_EQ(catalog.find("fault.sink", any_version)->path, wrong);
  auto library = catalog.load("fault.sink", any_version);
  ASSERT_OK(library);
  EXPECT_EQ((*library)->note().version, "1.0.0");
  EXPECT_EQ(catalog.candidates()[1].path, wrong);
  EXPECT_THAT(catalog.candidates()[1].refusal->text(), HasSubstr("wrong.so: crashed with SIGABRT"));
  EXPECT_EQ(catalog.find("fault.sink", any_version)->note->version, "1.0.0");
}

TEST_F(CatalogTest, NamesTheInstalledFileWhenItIsRefusedAndRemembersTheVerdict) {
  const std::string path = install("init-fails", "wrong.so");
  Catalog catalog(options());
  catalog.scan();
  auto library = catalog.load("fault.sink", any_version);
  ASSERT_FALSE(library.ok());
  EXPECT_EQ(library.error().where, path);
  EXPECT_THAT(library.error().what, HasSubstr("refused to initialise: no fault hardware in this machine"));
  // The same bytes under another name: refused without another probe.
  install("init-fails", "again.so");
  catalog.scan();
  for (const Candidate& candidate : catalog.candidates()) EXPECT_TRUE(candidate.refusal.has_value());
  EXPECT_THAT(catalog.find("fault.sink", any_version).error().text(),
              HasSubstr("every plugin that offers 'fault.sink' was refused: "));
}

TEST_F(CatalogTest, LoadsTwoVersionsSideBySide) {
  install("fault-none", "a.so");
  install("fault-none-2", "b.so");
  Catalog catalog(options());
  catalog.scan();
  auto newest = catalog.load("fault.sink", any_version);
  auto oldest = catalog.load("fault.sink", [](std::string_view version) { return version == "1.0.0"; });
  ASSERT_OK(newest);
  ASSERT_OK(oldest);
  EXPECT_EQ(version_that_runs(*newest), "2.0.0");
  EXPECT_EQ(version_that_runs(*oldest), "1.0.0");
}

TEST_F(CatalogTest, SharesOneLibraryBetweenFilesOfEqualBytes) {
  install("fault-none", "a.so");
  install("fault-none", "b.so");
  Catalog catalog(options());
  catalog.scan();
  std::vector<Candidate> all = catalog.candidates();
  ASSERT_EQ(all.size(), 2u);
  auto first = catalog.load(all[0]);
  auto second = catalog.load(all[1]);
  ASSERT_OK(first);
  EXPECT_EQ(*first, *second);
}

TEST_F(CatalogTest, KeepsALibraryRunningWhoseFileIsOverwrittenInPlace) {
  const std::string path = install("fault-none", "a.so");
  Catalog catalog(options());
  catalog.scan();
  auto library = catalog.load("fault.sink", any_version);
  ASSERT_OK(library);
  const std::string newer = test::read_file(test_plugin("fault-none-2"));
  // The same inode gets other bytes, from which a mapped file would run at once.
  folder_.write("installed/a.so", newer);
  EXPECT_EQ(version_that_runs(*library), "1.0.0");
  catalog.scan();
  auto next = catalog.load("fault.sink", any_version);
  ASSERT_OK(next);
  EXPECT_EQ(version_that_runs(*next), "2.0.0");
  EXPECT_EQ(version_that_runs(*library), "1.0.0");
  // And once more by half a file: nobody notices, it is refused.
  folder_.write("installed/a.so", newer.substr(0, newer.size() / 2));
  catalog.scan();
  EXPECT_THAT(catalog.candidates()[0].refusal->text(), HasSubstr("is truncated"));
  EXPECT_EQ(version_that_runs(*next), "2.0.0");
}

TEST_F(CatalogTest, UnloadsALibraryThatNobodyHoldsAndSweepsItsCopy) {
  const std::string path = install("fault-none", "a.so");
  Catalog catalog(options());
  catalog.scan();
  auto library = catalog.load("fault.sink", any_version);
  ASSERT_OK(library);
  const std::string copy = (*library)->path();
  EXPECT_EQ(version_that_runs(*library), "1.0.0");
  EXPECT_TRUE(is_mapped(copy));
  library->reset();
  EXPECT_FALSE(is_mapped(copy));
  EXPECT_EQ(catalog.sweep(), 0u);  // the installed file may be wanted again
  std::filesystem::remove(path);
  catalog.scan();
  EXPECT_EQ(catalog.sweep(), 1u);
}

TEST_F(CatalogTest, ForgetsAFileThatIsGone) {
  const std::string path = install("fault-none", "a.so");
  Catalog catalog(options());
  catalog.scan();
  std::filesystem::remove(path);
  catalog.scan();
  EXPECT_TRUE(catalog.candidates().empty());
}

TEST_F(CatalogTest, LoadsOneFileOutsideTheFolders) {
  Catalog catalog(options());
  EXPECT_OK(catalog.load_file(test_plugin("fault-none")));
  EXPECT_THAT(catalog.load_file(test_plugin("other-kind")).error().text(),
              HasSubstr("other-kind.so: component 'fault.sink' is a sink in the plugin's note"));
}

TEST_F(CatalogTest, ShowsHowLongItTakesToProbeAndLoad) {
  Catalog catalog(options());
  const base::Monotonic begin = base::now();
  ASSERT_OK(catalog.load_file(test_plugin("probe-kit")));
  const auto took = std::chrono::duration<double, std::milli>(base::now() - begin).count();
  std::printf("judge, copy, probe and load of a C++ plugin: %.1f ms (aim: at most 50 ms)\n", took);
  RecordProperty("load_ms", std::to_string(took));
}

}  // namespace
}  // namespace weir::plugin
