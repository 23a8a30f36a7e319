#include "plugin/library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/digest.h"
#include "plugin/library_cache.h"
#include "support/result.h"
#include "test_plugins.h"
#include "weir/component.h"
#include "weir/sink.h"

namespace weir::plugin {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr base::Duration kLimit = std::chrono::seconds(20);

base::Result<std::unique_ptr<Library>> open(const std::string& name) {
  base::Result<Note> note = read_note(test_plugin(name));
  if (!note) return note.error();
  return Library::open(test_plugin(name), *note, kLimit);
}

std::string refusal(const std::string& name) {
  base::Result<std::unique_ptr<Library>> library = open(name);
  return library ? "accepted" : library.error().text();
}

std::string digest_of(const std::string& path) { return base::hex(*base::sha256_file(path)); }

TEST(Library, KnowsItsComponents) {
  auto library = open("fault-none");
  ASSERT_OK(library);
  const Component* component = (*library)->find("fault.sink");
  ASSERT_NE(component, nullptr);
  EXPECT_EQ(component->kind, Kind::kSink);
  EXPECT_EQ(component->description, "A sink for the loader's tests");
  EXPECT_EQ(component->config_schema, R"({"type": "object"})");
  EXPECT_THAT(component->required, ElementsAre(WEIR_DELIVERY));
  EXPECT_TRUE(component->needs_files);
  EXPECT_FALSE(component->needs_network);
  EXPECT_TRUE(component->exclusive);
  EXPECT_FALSE(component->stateful);
  EXPECT_EQ((*library)->find("fault.other"), nullptr);
  EXPECT_NE((*library)->table("fault.sink", WEIR_COMPONENT), nullptr);
  EXPECT_EQ((*library)->table("fault.sink", "weir.unknown/1"), nullptr);
}

TEST(Library, LeavesTheProcessWhenItIsClosed) {
  auto library = open("fault-none");
  ASSERT_OK(library);
  EXPECT_TRUE(is_mapped(test_plugin("fault-none")));
  EXPECT_OK((*library)->close());
  EXPECT_FALSE(is_mapped(test_plugin("fault-none")));
  EXPECT_OK((*library)->close());  // once more does nothing
}

TEST(Library, ReportsThatItDidNotUnload) {
  auto library = open("nodelete");
  ASSERT_OK(library);
  base::Status closed = (*library)->close();
  ASSERT_FALSE(closed.ok());
  EXPECT_THAT(closed.error().text(), HasSubstr("was closed but did not unload"));
}

TEST(Library, WithCppInsideUnloadsToo) {
  for (const std::string& path : {test_plugin("probe-kit"), example_plugin("pass-transform")}) {
    auto library = Library::open(path, *read_note(path), kLimit);
    ASSERT_OK(library);
    EXPECT_OK((*library)->close()) << path;
  }
}

TEST(Library, IsRefusedWhenTheEntrySymbolIsMissing) {
  EXPECT_EQ(refusal("no-entry"),
            test_plugin("no-entry") +
                ": has no symbol weir_plugin_entry (export the entry table: WEIR_PLUGIN(...) in "
                "C++, WEIR_EXPORT const weir_entry in C)");
}

TEST(Library, IsRefusedWhenASymbolIsUndefinedAndItIsNamed) {
  EXPECT_EQ(
      refusal("undefined-symbol"),
      test_plugin("undefined-symbol") +
          ": cannot be loaded, it uses a symbol that nothing defines: undefined symbol: "
          "weir_test_nobody_defines_this (link the plugin with weir_add_plugin, which finds this when it is "
          "built)");
}

TEST(Library, IsRefusedWhenALibraryThatItNeedsIsMissingAndItIsNamed) {
  EXPECT_EQ(
      refusal("missing-dependency"),
      test_plugin("missing-dependency") +
          ": cannot be loaded, a library that it needs is missing: libweir_test_gone.so: cannot open shared "
          "object file: No such file or directory (install that library, or link it into the plugin)");
}

TEST(Library, IsRefusedWhenItsTableHasAnotherAbiThanItsNote) {
  EXPECT_THAT(refusal("table-abi"),
              HasSubstr("has an entry table for the plugin ABI 1.1, which is not what its note "
                        "says"));
}

TEST(Library, IsRefusedWhenInitFailsWithThePluginsReason) {
  EXPECT_THAT(refusal("init-fails"), HasSubstr("refused to initialise: no fault hardware in this machine"));
  EXPECT_FALSE(is_mapped(test_plugin("init-fails")));
}

TEST(Library, IsRefusedWhenADescriptorIsNotInTheNote) {
  EXPECT_THAT(refusal("other-name"), HasSubstr("component 'fault.pipe' is not in the plugin's note"));
}

TEST(Library, IsRefusedWhenADescriptorHasAnotherKindThanTheNote) {
  EXPECT_THAT(
      refusal("other-kind"),
      HasSubstr("component 'fault.sink' is a sink in the plugin's note and a source in its descriptor"));
}

TEST(Library, IsRefusedWhenTheNotePromisesMoreThanThereIs) {
  EXPECT_THAT(refusal("no-descriptor"),
              HasSubstr("has a sink 'fault.sink' in its note but no descriptor of it"));
}

TEST(Library, IsRefusedWhenItsSchemaIsNotJson) {
  EXPECT_THAT(refusal("broken-schema"),
              HasSubstr("component 'fault.sink' has a configuration schema that is not valid JSON: "));
}

TEST(Library, IsRefusedWhenItRequiresWhatThisHostDoesNotOffer) {
  EXPECT_THAT(refusal("requires-unknown"), HasSubstr("component 'fault.sink' requires the host interface "
                                                     "'weir.teleport/1', which this gateway does not offer"));
}

TEST(Library, IsRefusedWhenATableIsMissingOrHasAHole) {
  EXPECT_THAT(refusal("no-sink-table"), HasSubstr("component 'fault.sink' does not offer '" WEIR_SINK "'"));
  EXPECT_THAT(refusal("null-function"),
              HasSubstr("component 'fault.sink' has a null function in its table '" WEIR_COMPONENT "'"));
}

TEST(LibraryCache, GivesOneLibraryForEqualBytesAndDeinitialisesItOnce) {
  test::TempDir folder;
  const std::string log = folder / "deinit";
  ::setenv("WEIR_TEST_DEINIT_LOG", log.c_str(), 1);
  LibraryCache cache(folder / "plugins");
  const std::string digest = digest_of(test_plugin("fault-none"));
  const Note note = *read_note(test_plugin("fault-none"));
  ASSERT_OK(cache.store(test_plugin("fault-none"), digest));
  auto first = cache.open(digest, note);
  auto second = cache.open(digest, note);
  ASSERT_OK(first);
  ASSERT_OK(second);
  EXPECT_EQ(*first, *second);
  first->reset();
  EXPECT_EQ(test::read_file(log), "");
  second->reset();
  EXPECT_EQ(test::read_file(log), "x");
  auto again = cache.open(digest, note);
  EXPECT_OK(again);
  ::unsetenv("WEIR_TEST_DEINIT_LOG");
}

TEST(LibraryCache, NamesTheCopyByItsContentAndKeepsItWhenItIsRight) {
  test::TempDir folder;
  LibraryCache cache(folder / "deep/plugins");
  const std::string digest = digest_of(test_plugin("fault-none"));
  auto copy = cache.store(test_plugin("fault-none"), digest);
  ASSERT_OK(copy);
  EXPECT_EQ(*copy, folder / ("deep/plugins/" + digest + ".so"));
  const auto written = std::filesystem::last_write_time(*copy);
  ASSERT_OK(cache.store(test_plugin("fault-none"), digest));
  EXPECT_EQ(std::filesystem::last_write_time(*copy), written);
}

TEST(LibraryCache, ReplacesACopyThatIsDamaged) {
  test::TempDir folder;
  LibraryCache cache(folder / "plugins");
  const std::string digest = digest_of(test_plugin("fault-none"));
  folder.write("plugins/" + digest + ".so", "damaged");
  ASSERT_OK(cache.store(test_plugin("fault-none"), digest));
  EXPECT_EQ(digest_of(folder / ("plugins/" + digest + ".so")), digest);
}

TEST(LibraryCache, RefusesAFileWhoseContentIsNotTheJudgedOneAnyMore) {
  test::TempDir folder;
  LibraryCache cache(folder / "plugins");
  auto copy = cache.store(test_plugin("fault-none-2"), digest_of(test_plugin("fault-none")));
  ASSERT_FALSE(copy.ok());
  EXPECT_THAT(copy.error().text(), HasSubstr("fault-none-2.so: has changed while it was read"));
  EXPECT_TRUE(std::filesystem::is_empty(folder / "plugins"));
}

TEST(LibraryCache, SaysWhereACopyCouldNotBeMade) {
  test::TempDir folder;
  folder.write("plugins", "a file where the folder should be");
  LibraryCache cache(folder / "plugins");
  auto copy = cache.store(test_plugin("fault-none"), digest_of(test_plugin("fault-none")));
  ASSERT_FALSE(copy.ok());
  EXPECT_THAT(copy.error().text(), HasSubstr("check its space and its permissions"));
  EXPECT_EQ(copy.error().where, folder / "plugins");
}

TEST(LibraryCache, SweepsCopiesThatNobodyUses) {
  test::TempDir folder;
  LibraryCache cache(folder / "plugins");
  const std::string used = digest_of(test_plugin("fault-none"));
  const std::string kept = digest_of(test_plugin("fault-none-2"));
  const std::string old = digest_of(example_plugin("null-sink"));
  ASSERT_OK(cache.store(test_plugin("fault-none"), used));
  ASSERT_OK(cache.store(test_plugin("fault-none-2"), kept));
  ASSERT_OK(cache.store(example_plugin("null-sink"), old));
  folder.write("plugins/." + old + ".4711", "left by a crash");
  auto library = cache.open(used, *read_note(test_plugin("fault-none")));
  ASSERT_OK(library);
  EXPECT_EQ(cache.sweep({kept}), 2u);
  EXPECT_TRUE(std::filesystem::exists((*library)->path()));
  EXPECT_TRUE(std::filesystem::exists(folder / ("plugins/" + kept + ".so")));
}

}  // namespace
}  // namespace weir::plugin
