// plugin-sdk/examples/modbus-source against a real Modbus TCP server.
#include <gtest/gtest.h>

#include <memory>

#include "sdk/modbus_device.h"
#include "sdk/outsider.h"
#include "support/stub_gateway.h"

namespace weir::test {
namespace {

using nlohmann::json;

class ModbusSource : public ::testing::TestWithParam<std::string> {
 protected:
  static void SetUpTestSuite() {
    built_ = std::make_unique<Outsider>("modbus-source");
    built_->build_with_cmake();
  }
  static void TearDownTestSuite() { built_.reset(); }

  ModbusSource() { site_.use(installed_weir(), {built_->built_plugins()}); }

  // plc (modbus.source) -> store (sqlite.sink)
  void start(const json& registers) {
    site_.manifest("plc", {{"plugin", "modbus.source"},
                           {"isolation", GetParam()},
                           {"config",
                            {{"device", "127.0.0.1:" + std::to_string(port_)},
                             {"device_id", "plc-1"},
                             {"poll_ms", 50},
                             {"max_backoff_ms", 250},
                             {"registers", registers}}}});
    site_.manifest("store", {{"plugin", "sqlite.sink"}, {"from", {"plc"}}, {"config", {{"path", "data/events.db"}}}});
    site_.start();
  }
  bool stored(const std::string& column, const std::string& text) {
    return wait_until([&] { return site_.stored(column).contains(text); }, kPatience, std::chrono::milliseconds(20));
  }

  // What the instance says of its health, which the gateway asks a few times a second.
  bool reason_holds(const std::string& text) {
    return wait_until([&] { return site_.instance("plc").value("reason", "").find(text) != std::string::npos; },
                      kPatience, std::chrono::milliseconds(20));
  }

  static inline std::unique_ptr<Outsider> built_;
  const uint16_t port_ = StubGateway().port();
  Site site_;
};

TEST_P(ModbusSource, EmitsOneEventARegisterInItsType) {
  ModbusDevice device(port_);
  device.set_input(0, static_cast<uint16_t>(-105));
  device.set_holding(0, 65535);
  device.set_holding(10, 0x4248);  // 50.0f, the high word first
  device.set_holding(11, 0);
  device.set_holding(12, 0xffff);
  device.set_holding(13, 0xfffe);
  start({{{"table", "input"}, {"address", 0}, {"type", "i16"}, {"sensor_type", "temperature"}, {"unit", "Cel"}, {"scale", 0.5}},
         {{"table", "holding"}, {"address", 0}, {"type", "u16"}, {"sensor_type", "count"}},
         {{"table", "holding"}, {"address", 10}, {"type", "f32"}, {"sensor_type", "pressure"}},
         {{"table", "holding"}, {"address", 12}, {"type", "i32"}, {"sensor_type", "signed"}},
         {{"table", "holding"}, {"address", 12}, {"type", "u32"}, {"sensor_type", "unsigned"}}});
  const std::string row = "device_id || ' ' || sensor_type || ' ' || value || ' ' || coalesce(unit, '-')";
  for (const char* expected : {"plc-1 temperature -52.5 Cel", "plc-1 count 65535.0 -", "plc-1 pressure 50.0 -",
                               "plc-1 signed -2.0 -", "plc-1 unsigned 4294967294.0 -"}) {
    EXPECT_TRUE(stored(row, expected)) << expected;
  }
  device.set_input(0, 40);
  EXPECT_TRUE(stored(row, "plc-1 temperature 20.0 Cel")) << "it does not poll";
}

TEST_P(ModbusSource, AsksAgainUntilTheDeviceIsBack) {
  start({{{"table", "holding"}, {"address", 1}, {"type", "u16"}, {"sensor_type", "count"}}});
  ASSERT_TRUE(reason_holds("Connection refused")) << site_.instance("plc");
  for (uint16_t value : {17, 18}) {  // switched off in between
    ModbusDevice device(port_);
    device.set_holding(1, value);
    EXPECT_TRUE(stored("value", std::to_string(value) + ".0"));
    EXPECT_TRUE(wait_until([&] { return site_.instance("plc")["reason"] == ""; }));
  }
}

TEST_P(ModbusSource, GoesOnWithTheOthersWhenARegisterIsRefused) {
  ModbusDevice device(port_);
  device.set_holding(1, 17);
  start({{{"table", "holding"}, {"address", 500}, {"type", "u16"}, {"sensor_type", "beyond"}},
         {{"table", "holding"}, {"address", 1}, {"type", "u16"}, {"sensor_type", "count"}}});
  EXPECT_TRUE(stored("value", "17.0"));
  EXPECT_EQ(site_.stored("sensor_type").count("beyond"), 0u);
  EXPECT_TRUE(reason_holds("holding register 500: Illegal data address")) << site_.instance("plc");
}

TEST_P(ModbusSource, StopsWithEverythingSettled) {
  ModbusDevice device(port_);
  start({{{"table", "holding"}, {"address", 1}, {"type", "u16"}, {"sensor_type", "count"}}});
  ASSERT_TRUE(stored("value", "0.0"));
  site_.remove_manifest("plc");

  EXPECT_TRUE(site_.stopped_cleanly()) << site_.log();
}

INSTANTIATE_TEST_SUITE_P(Isolation, ModbusSource, ::testing::ValuesIn(kIsolations), isolation_name);

TEST(ModbusSourceContract, IsKept) {
  Outsider built("modbus-source");
  built.build_with_cmake();
  const uint16_t port = StubGateway().port();
  ModbusDevice device(port);
  TempDir folder;
  const json config = {{"device", "127.0.0.1:" + std::to_string(port)},
                       {"device_id", "plc-1"},
                       {"poll_ms", 10},
                       {"registers", {{{"table", "input"}, {"address", 0}, {"type", "i16"}, {"sensor_type", "temperature"}}}}};
  Finished check = weir({"plugin", "check", built.built_plugins() + "/modbus-source.so", "--cycles", "50", "--config",
                         folder.write("config.json", config.dump())});
  EXPECT_EQ(check.exit.code, 0) << check.output << check.errors;
}

}  // namespace
}  // namespace weir::test
