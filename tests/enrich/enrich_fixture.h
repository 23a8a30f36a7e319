// What the tests of enrich share: a transform of the real library, run over batches.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/plugin_host.h"

namespace weir::test {

// What one process() call decided and made.
struct Outcome {
  std::vector<Verdict> verdicts;
  std::vector<TestEvent> events;
  bool untouched = false;
};

class EnrichTest : public ::testing::Test {
 protected:
  // Runs a component over a batch; fails the test when it breaks the contract of transform.h.
  Outcome run(const std::string& component, const std::string& config, const weir_batch* batch) {
    Instance instance(library_, host_, component, config);
    instance.prepare();
    instance.start();
    TransformOutput output(batch);
    instance.process(batch, output);
    EXPECT_THAT(output.violations(), ::testing::IsEmpty());
    return {output.verdicts(), output.result(), output.untouched()};
  }

  // Expects that the component refuses this configuration, at `pointer`, with `text` in what it says.
  void expect_refused(const std::string& component, const std::string& config, const std::string& pointer,
                      const std::string& text) {
    try {
      Instance instance(library_, host_, component, config);
      ADD_FAILURE() << config << " was taken";
    } catch (const CallFailed& failure) {
      EXPECT_EQ(failure.code, WEIR_E_INVALID);
      EXPECT_EQ(failure.pointer, pointer) << config;
      EXPECT_THAT(failure.what(), ::testing::HasSubstr(text));
    }
  }

  PluginLibrary library_{plugin_path("enrich")};
  PluginHost host_;
};

}  // namespace weir::test
