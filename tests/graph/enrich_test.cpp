// The real plugin behind a pipeline: what the default manifests run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "harness.h"
#include "support/plugin_host.h"

namespace weir::graph {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// An instance of one of its components, held as the gateway holds it.
class EnrichInstance {
 public:
  EnrichInstance(const test::PluginLibrary& library, const std::string& component, std::string_view config)
      : component_(library.get<weir_component_v1>(component, WEIR_COMPONENT)) {
    char text[256] = "", pointer[64] = "";
    weir_error error{WEIR_OK, 0, text, sizeof text, sizeof pointer, pointer};
    EXPECT_EQ(component_->create(host_.handle(), sdk::text(config), &call_.self, &error), WEIR_OK) << text;
    call_.table = library.get<weir_transform_v1>(component, WEIR_TRANSFORM);
  }
  EnrichInstance(const EnrichInstance&) = delete;
  EnrichInstance& operator=(const EnrichInstance&) = delete;
  ~EnrichInstance() { component_->destroy(call_.self); }

  TransformCall call() const { return call_; }

 private:
  test::PluginHost host_;
  const weir_component_v1* component_;
  TransformCall call_;
};

class EnrichPipeline : public ::testing::Test {
 protected:
  test::PluginLibrary library_{test::plugin_path("enrich")};
  EnrichInstance validate_{library_, "enrich.validate", R"({})"};
  EnrichInstance units_{library_, "enrich.units", R"({})"};
  Pipeline pipeline_{
      {{"validate", validate_.call(), {"api"}, false}, {"units", units_.call(), {"validate"}, false}},
      {"units"}};
};

TEST_F(EnrichPipeline, ConvertsOnceAndLeavesTheRestOfTheEventAlone) {
  auto block = shared(test::make_batch({{.value = 212.0, .unit = "[degF]", .metadata = {{"site", "a"}}},
                                        {.sensor_type = "door", .value = true},
                                        {.value = 21.5, .unit = "Cel"}}));
  auto output = run(pipeline_, block, "api");
  EXPECT_THAT(brief(output), ElementsAre("1.0 100 Cel site=a", "2.0", "3.0 21.5 Cel"));
  EXPECT_TRUE(output.verdicts.empty());
}

TEST_F(EnrichPipeline, PassesABatchThatIsRightAlreadyOnWithoutACopy) {
  auto block = shared(test::make_batch({{.value = 21.5, .unit = "Cel"}, {.value = 22.5, .unit = "Cel"}}));
  auto output = run(pipeline_, block, "api");
  ASSERT_EQ(output.pieces.size(), 1u);
  EXPECT_EQ(output.pieces[0].block.get(), block.get());
  EXPECT_EQ(pipeline_.counts(0).ignored_calls + pipeline_.counts(1).ignored_calls, 0u);
}

TEST_F(EnrichPipeline, NamesTheNodeThatRefusesAnEvent) {
  // A timestamp far from the time of receipt.
  EnrichInstance strict(library_, "enrich.validate", R"({"max_age": "24h"})");
  Pipeline pipeline({{"validate", strict.call(), {"api"}, false}}, {"validate"});
  auto block = shared(test::make_batch({{.value = 21.5, .unit = "Cel", .timestamp_ns = 1}, {.value = 22.5}}));
  auto output = run(pipeline, block, "api");
  EXPECT_THAT(brief(output), ElementsAre(HasSubstr("2.0 22.5")));
  ASSERT_EQ(output.verdicts.size(), 1u);
  EXPECT_EQ(pipeline.node_name(output.verdicts[0].node), "validate");
  EXPECT_FALSE(output.verdicts[0].reason.empty());
}

}  // namespace
}  // namespace weir::graph
