#include "manifest/folder.h"

#include <sys/stat.h>

#include "manifests.h"

namespace weir::manifest {
namespace {

using testing::_;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr const char* kSource = R"({"plugin":"http.source","config":{"listen":"h:1"}})";

TEST(Folder, IsTheInstancesNamedAfterTheirFiles) {
  Manifests manifests;
  manifests.write("api.json", kSource).write("a_2-b.json", kSource).write("gateway.json", "{}");
  const LoadedSet set = manifests.load();
  EXPECT_TRUE(set.ok()) << text(set.problems);
  EXPECT_THAT(set.instances, ElementsAre(Pair("a_2-b", _), Pair("api", _)));
  EXPECT_EQ(set.base, manifests.home());
}

TEST(Folder, ReadsTheSameWithASlashAtItsEnd) {
  Manifests manifests;
  manifests.write("api.json", kSource);
  const LoadedSet set = load_folder(manifests.folder().string() + "/", manifests.catalog);
  EXPECT_EQ(set.base, manifests.home());
  EXPECT_THAT(set.instances, ElementsAre(Pair("api", _)));
}

TEST(Folder, DoesNotSeeFilesThatAreNoManifests) {
  Manifests manifests;
  for (const char* name :
       {".api.json", "api.json~", "api.json.swp", ".api.json.swp", "#api.json#", "api.json.tmp",
        "api.json.new", "README.md", "api.jsonc", ".json", "examples/api.json"}) {
    manifests.write(name, "not JSON");
  }
  EXPECT_THAT(manifests.complaints(), IsEmpty());
  EXPECT_THAT(manifests.load().instances, IsEmpty());
}

TEST(Folder, FollowsLinksToManifests) {
  Manifests manifests;
  manifests.write("..data/api.json", kSource);
  std::filesystem::create_symlink("..data/api.json", manifests.folder() / "api.json");
  EXPECT_THAT(manifests.load().instances, ElementsAre(Pair("api", _)));
}

TEST(Folder, ReportsAllThatIsWrongInAllFilesInOrder) {
  Manifests manifests;
  manifests.write("b.json", "{ \"plugin\": 1,\n  \"x\": 2 }")
      .write("a.json", "{ \"plugin\": }")
      .write("gateway.json", "[]");
  EXPECT_THAT(
      manifests.complaints(),
      ElementsAre(
          "manifests/a.json:1:13: unexpected '}' (expected a value: text goes in double quotes)",
          "manifests/b.json:1:13: /plugin: the value is an integer (expected a string: "
          "PLUGIN.COMPONENT, for example \"http.source\")",
          "manifests/b.json:2:3: /x: unknown key 'x' (expected 'config', 'durability', 'enabled', "
          "'flush_ms', 'from', 'isolation', 'limits', 'on_error', 'plugin', 'retry', 'start' or 'version')",
          "manifests/gateway.json:1:1: not an object (expected a JSON object: { ... })"));
}

TEST(Folder, RefusesNamesThatAreNoInstances) {
  Manifests manifests;
  manifests.write("Api.json", kSource)
      .write("unrouted.json", kSource)
      .write(std::string(64, 'x') + ".json", kSource);
  constexpr const char* kExpected =
      " (expected a file named after its instance: 1 to 63 of the characters a-z 0-9 _ -, a letter or digit "
      "first)";
  EXPECT_THAT(manifests.complaints(),
              ElementsAre("manifests/Api.json: \"Api\" cannot be an instance's name" + std::string(kExpected),
                          "manifests/unrouted.json: \"unrouted\" is a name that Weir uses itself" +
                              std::string(kExpected),
                          "manifests/" + std::string(64, 'x') + ".json: \"" + std::string(64, 'x') +
                              "\" cannot be an instance's name" + kExpected));
}

TEST(Folder, RefusesAFolderThatIsNotThere) {
  Manifests manifests;
  std::filesystem::remove(manifests.folder());
  EXPECT_THAT(
      manifests.complaints(),
      ElementsAre("manifests: the folder cannot be read: No such file or directory (expected the folder that "
                  "holds the manifests)"));
}

TEST(Folder, RefusesALinkThatLeadsNowhere) {
  Manifests manifests;
  std::filesystem::create_symlink("none", manifests.folder() / "api.json");
  EXPECT_THAT(
      manifests.complaints(),
      ElementsAre(
          "manifests/api.json: is a link that leads nowhere (expected a readable JSON file of at most 1 "
          "MiB)"));
}

TEST(Folder, DoesNotWaitForAPipe) {
  Manifests manifests;
  ASSERT_EQ(::mkfifo((manifests.folder() / "api.json").c_str(), 0600), 0);
  EXPECT_THAT(
      manifests.complaints(),
      ElementsAre(
          "manifests/api.json: is not a regular file (expected a readable JSON file of at most 1 MiB)"));
}

TEST(Folder, RefusesAnEndlessFile) {
  Manifests manifests;
  manifests.write("api.json", std::string(Document::kMaxBytes + 1, ' '));
  EXPECT_THAT(
      manifests.complaints(),
      ElementsAre(
          "manifests/api.json: is larger than 1024 KiB (expected a readable JSON file of at most 1 MiB)"));
}

}  // namespace
}  // namespace weir::manifest
