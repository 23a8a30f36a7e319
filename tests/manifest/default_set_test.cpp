// The manifests that come with Weir: the set that ./run starts, and the examples to copy. Whether their
// configurations fit the real plugins is seen end to end; here the catalog takes any.
#include <fstream>
#include <iterator>

#include "manifests.h"

namespace weir::manifest {
namespace {

namespace fs = std::filesystem;

const fs::path kShipped = WEIR_SHIPPED_MANIFESTS;  // __FILE__ is relative when ccache shares objects

std::string read(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class DefaultSet : public testing::Test {
 protected:
  DefaultSet() {
    for (const fs::path& path : files(kShipped)) manifests.write(path.filename().string(), read(path));
    manifests.catalog.add("http.source", Kind::kSource, "");
    manifests.catalog.add("http.sink", Kind::kSink, "");
    manifests.catalog.add("enrich.validate", Kind::kTransform, "");
  }

  static std::vector<fs::path> files(const fs::path& folder) {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().extension() == ".json") found.push_back(entry.path());
    }
    return found;
  }

  Manifests manifests;
};

TEST_F(DefaultSet, IsAChainFromHttpToSqlite) {
  const LoadedSet set = manifests.load();
  EXPECT_EQ(text(set.problems), "");
  ASSERT_EQ(set.instances.size(), 4u);
  EXPECT_EQ(set.instances.at("valid").from, std::vector<Edge>{{"api"}});
  EXPECT_EQ(set.instances.at("units").from, std::vector<Edge>{{"valid"}});
  EXPECT_EQ(set.instances.at("store").from, std::vector<Edge>{{"units"}});
  EXPECT_EQ(set.instances.at("store").config, R"({"path":"data/events.db"})");
  EXPECT_EQ(set.gateway.admin.listen, "127.0.0.1:9600");
}

TEST_F(DefaultSet, TakesEveryExample) {
  const auto examples = files(kShipped / "examples");
  EXPECT_FALSE(examples.empty());
  for (const fs::path& path : examples) manifests.write(path.filename().string(), read(path));
  EXPECT_THAT(manifests.complaints(), testing::IsEmpty());
}

}  // namespace
}  // namespace weir::manifest
