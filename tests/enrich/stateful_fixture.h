// A stateful transform of the real library, as a host drives it: with a time, and with its state kept.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/plugin_host.h"

namespace weir::test {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kNoon = 1'700'000'000 * kSecond / 3600 / kSecond * 3600 * kSecond;  // a whole hour

class StatefulEnrichTest : public ::testing::Test {
 protected:
  void make(const std::string& component, const std::string& config = "{}") {
    component_ = component;
    config_ = config;
    instance_.reset();
    instance_ = std::make_unique<Instance>(library_, host_, component, config);
    instance_->prepare();
    for (const auto& [key, value] : state_) instance_->restore(instance_->transform().state_format, key, value);
    instance_->start();
  }
  // Another instance that is given what this one has put.
  void restart() { make(component_, config_); }

  // One call at that time; fails the test when the transform breaks its contract. The last verdicts are in verdicts_.
  std::vector<TestEvent> process(const std::vector<TestEvent>& events, int64_t now_ns) {
    Block batch = make_batch(events);
    TransformOutput output(batch, &state_);
    instance_->process(batch, output, {1, now_ns});
    EXPECT_THAT(output.violations(), ::testing::IsEmpty());
    verdicts_ = output.verdicts();
    return output.result();
  }
  std::vector<TestEvent> tick(int64_t now_ns) {
    TransformOutput output(nullptr, &state_);
    instance_->tick(output, {1, now_ns});
    EXPECT_THAT(output.violations(), ::testing::IsEmpty());
    return output.result();
  }
  void expect_refused(const std::string& component, const std::string& config, const std::string& pointer) {
    try {
      Instance instance(library_, host_, component, config);
      ADD_FAILURE() << config << " was taken";
    } catch (const CallFailed& failure) {
      EXPECT_EQ(failure.code, WEIR_E_INVALID);
      EXPECT_EQ(failure.pointer, pointer) << config;
    }
  }

  PluginLibrary library_{plugin_path("enrich")};
  PluginHost host_;
  std::map<std::string, std::string> state_;
  std::vector<Verdict> verdicts_;
  std::unique_ptr<Instance> instance_;

 private:
  std::string component_, config_;
};

}  // namespace weir::test
