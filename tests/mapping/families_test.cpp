// Payloads of real device families, each from the public document that its comment names, mapped in a few
// lines.
#include <gtest/gtest.h>

#include "mapping/mapped.h"

namespace weir::mapping {
namespace {

using test::TestEvent;
using Events = std::vector<TestEvent>;
constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kMillisecond = 1'000'000;

// https://tasmota.github.io/docs/MQTT/, "Examples": telemetry under tele/%topic%/SENSOR.
constexpr const char* kTasmota = R"({
  "template": "tele/{device_id}/SENSOR", "device": "{device_id}", "time": {"pointer": "/Time", "zone": "+01:00"},
  "units": {"*.Temperature": "Cel"},
  "readings": [{"every_field": "", "nested": true, "ignore": ["Id"]}]})";
TEST(Tasmota, GivesAReadingForEachFieldOfEachSensor) {
  EXPECT_EQ(mapped(kTasmota, R"({"Time":"2017-02-16T10:13:52", "DS18B20":{"Temperature":20.6}})",
                   "tele/tasmota/SENSOR"),
            (Events{event("tasmota", "DS18B20.Temperature", 20.6, "Cel", 1'487'236'432 * kSecond)}));
}

// The same page, "Ask the device for status": stat/%topic%/POWER is a bare word.
TEST(Tasmota, GivesItsRelayFromABareWord) {
  constexpr const char* kPower =
      R"({"payload": "text", "template": "stat/{device_id}/POWER", "device": "{device_id}",
    "readings": [{"type": "power", "value": "", "words": {"ON": true, "OFF": false}}]})";
  EXPECT_EQ(mapped(kPower, "OFF", "stat/tasmota_switch/POWER"),
            (Events{event("tasmota_switch", "power", false)}));
  EXPECT_EQ(mapped(kPower, "ON\n", "stat/tasmota_switch/POWER"),
            (Events{event("tasmota_switch", "power", true)}));
}

// https://shelly-api-docs.shelly.cloud/gen1/, Shelly1/1PM: `/status` (abridged) and "MQTT".
TEST(ShellyGen1, GivesRelaysAndMetersOfItsStatus) {
  constexpr const char* kStatus = R"({
    "device": "{/mac}", "time": {"pointer": "/unixtime", "unit": "s", "optional": true},
    "readings": [{"for_each": "/relays", "type": "relay.{key}", "value": "/ison"},
                 {"for_each": "/meters", "type": "power.{key}", "value": "/power", "unit": "W"},
                 {"type": "temperature", "value": "/tmp/tC", "unit": "Cel", "optional": true}]})";
  const std::string before =
      R"({"wifi_sta":{"connected":true,"ssid":"net","ip":"192.168.33.7","rssi":-62},"time":"10:09","mac":"98F4ABF298AD",
    "relays":[{"ison":false,"has_timer":false,"timer_remaining":0,"overpower":false,"source":"http"}],
    "meters":[{"power":12.5,"overpower":0.0,"is_valid":true,"timestamp":1582031390,"counters":[0.0,0.0,0.0],"total":4}],)";
  EXPECT_EQ(
      mapped(kStatus, before + R"("tmp":{"tC":43.82,"tF":110.88,"is_valid":true},"unixtime":1582031390})"),
      (Events{event("98F4ABF298AD", "relay.0", false, "", 1'582'031'390 * kSecond),
              event("98F4ABF298AD", "power.0", 12.5, "W", 1'582'031'390 * kSecond),
              event("98F4ABF298AD", "temperature", 43.82, "Cel", 1'582'031'390 * kSecond)}));
  const Events unset = mapped(kStatus, before + R"("unixtime":0})");
  ASSERT_EQ(unset.size(), 2u);
  EXPECT_EQ(unset[0], event("98F4ABF298AD", "relay.0", false));
}

TEST(ShellyGen1, GivesTheNumberOfATopic) {
  EXPECT_EQ(
      mapped(R"({"payload": "text", "template": "shellies/{device_id}/sensor/{type}", "device": "{device_id}",
                       "units": {"temperature": "Cel"}, "readings": [{"type": "{type}", "value": "", "as": "number"}]})",
             "21.50", "shellies/shellyht-CC2D76/sensor/temperature"),
      (Events{event("shellyht-CC2D76", "temperature", 21.5, "Cel")}));
}

// https://shelly-api-docs.shelly.cloud/gen2/General/Notifications, NotifyStatus, with the fields of
// https://shelly-api-docs.shelly.cloud/gen2/ComponentsAndServices/Switch, "Status"; null: what has gone.
constexpr const char* kShellyGen2 = R"({
  "device": "{/src}", "time": {"pointer": "/params/ts", "unit": "s"}, "allow_empty": true,
  "units": {"*.apower": "W", "*.aenergy.total": "W.h", "*.temperature.tC": "Cel"},
  "readings": [{"every_field": "/params", "nested": true, "only": ["switch:*"], "ignore": ["id", "minute_ts", "tF"]}]})";
TEST(ShellyGen2, GivesWhatHasChangedOfItsComponents) {
  const int64_t ts = 1'631'186'545 * kSecond + 40 * kMillisecond;
  EXPECT_EQ(mapped(kShellyGen2,
                   R"({"src":"shellypro4pm-f008d1d8b8b8","dst":"user_1","method":"NotifyStatus","params":
      {"ts":1631186545.04,"switch:0":{"id":0,"output":true,"source":"button","apower":8.9,"errors":null,
       "aenergy":{"total":6.532,"by_minute":[45.199,47.141,88.397],"minute_ts":1626935779},"temperature":{"tC":23.5,"tF":74.4}}}})"),
            (Events{event("shellypro4pm-f008d1d8b8b8", "switch:0.output", true, "", ts),
                    event("shellypro4pm-f008d1d8b8b8", "switch:0.apower", 8.9, "W", ts),
                    event("shellypro4pm-f008d1d8b8b8", "switch:0.aenergy.total", 6.532, "W.h", ts),
                    event("shellypro4pm-f008d1d8b8b8", "switch:0.temperature.tC", 23.5, "Cel", ts)}));
}
TEST(ShellyGen2, GivesNothingForANotificationOfOtherComponents) {
  EXPECT_EQ(mapped(kShellyGen2, R"({"src":"shellypro4pm-f008d1d8b8b8","dst":"user_1","method":"NotifyStatus",
                                    "params":{"ts":1624348482.25,"cloud":{"connected":false}}})"),
            Events{});
}

// https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html, "zigbee2mqtt/FRIENDLY_NAME".
constexpr const char* kZigbee = R"({
  "template": "zigbee2mqtt/{device_id...}", "device": "{device_id}", "words": {"ON": true, "OFF": false},
  "units": {"temperature": "Cel", "humidity": "%"}, "readings": [{"every_field": ""}]})";
TEST(Zigbee2Mqtt, GivesEachFieldOfTheDeviceOfTheTopic) {
  EXPECT_EQ(mapped(kZigbee, R"({"temperature": 27.34, "humidity": 44.72})", "zigbee2mqtt/0x00158d00018255df"),
            (Events{event("0x00158d00018255df", "temperature", 27.34, "Cel"),
                    event("0x00158d00018255df", "humidity", 44.72, "%")}));
  EXPECT_EQ(mapped(kZigbee, R"({"occupancy": true})", "zigbee2mqtt/hall"),
            (Events{event("hall", "occupancy", true)}));
  EXPECT_EQ(mapped(kZigbee, R"({"state": "ON", "brightness": 215, "color_temp": 325})",
                   "zigbee2mqtt/kitchen/floor_light"),
            (Events{event("kitchen/floor_light", "state", true),
                    event("kitchen/floor_light", "brightness", int64_t{215}),
                    event("kitchen/floor_light", "color_temp", int64_t{325})}));
}

// https://www.chirpstack.io/docs/chirpstack/integrations/events.html, "up" (abridged; `object` is the
// codec's).
TEST(ChirpStack4, GivesWhatTheCodecDecoded) {
  const Events events = mapped(
      R"({
    "device": "{/deviceInfo/devEui}", "time": "/time",
    "metadata": {"application": "{/deviceInfo/applicationName?}", "rssi": "{/rxInfo/0/rssi?}", "site": "{/deviceInfo/tags/site?}"},
    "units": {"temperatureSensor.*": "Cel", "humiditySensor.*": "%"},
    "readings": [{"every_field": "/object", "nested": true}]})",
      R"({"deduplicationId":"3ac7e3c4-4401-4b8d-9386-a5c902f9202d","time":"2022-07-18T09:34:15.775023242+00:00",
     "deviceInfo":{"tenantId":"52f14cd4-c6f1-4fbd-8f87-4025e1d49242","tenantName":"ChirpStack",
       "applicationId":"17c82e96-be03-4f38-aef3-f83d48582d97","applicationName":"Test application",
       "deviceProfileId":"14855bf7-d10d-4aee-b618-ebfcb64dc7ad","deviceProfileName":"Test device-profile",
       "deviceName":"Test device","devEui":"0101010101010101","tags":{"key":"value"}},
     "devAddr":"00189440","dr":1,"fPort":1,"data":"qg==","object":{"temperatureSensor":{"1":25},"humiditySensor":{"1":32}},
     "rxInfo":[{"gatewayId":"0016c001f153a14c","uplinkId":4217106255,"rssi":-36,"snr":10.5,"context":"E3OWOQ==",
       "metadata":{"region_name":"eu868","region_common_name":"EU868"}}],
     "txInfo":{"frequency":867100000,"modulation":{"lora":{"bandwidth":125000,"spreadingFactor":11,"codeRate":"CR_4_5"}}}})");
  TestEvent temperature =
      event("0101010101010101", "temperatureSensor.1", int64_t{25}, "Cel", 1'658'136'855'775'023'242);
  temperature.metadata = {{"application", "Test application"}, {"rssi", "-36"}};
  TestEvent humidity = temperature;
  humidity.sensor_type = "humiditySensor.1";
  humidity.value = int64_t{32};
  humidity.unit = "%";
  EXPECT_EQ(events, (Events{temperature, humidity}));
}

// https://www.thethingsindustries.com/docs/integrations/data-formats/, "Uplink message example".
TEST(TheThingsStack3, GivesWhatTheFormatterDecoded) {
  EXPECT_EQ(
      mapped(
          R"({"device": "{/end_device_ids/device_id}", "time": "/received_at", "units": {"temperature": "Cel"},
                       "readings": [{"every_field": "/uplink_message/decoded_payload"}]})",
          R"({"end_device_ids":{"device_id":"dev1","application_ids":{"application_id":"app1"},
        "dev_eui":"0004A30B001C0530","join_eui":"800000000000000C","dev_addr":"00BCB929"},
      "correlation_ids":["as:up:01E0WZGT6Y7657CPFPE5WEYDSQ"],"received_at":"2020-02-12T15:15:46.014773143Z",
      "uplink_message":{"session_key_id":"AXA50tHUGUucuzS/bCGMNw==","f_cnt":1,"frm_payload":"gkHe",
        "decoded_payload":{"temperature":1.0,"luminosity":0.64},
        "rx_metadata":[{"gateway_ids":{"gateway_id":"gtw1","eui":"9C5C8E00001A05C4"},"time":"2020-02-12T15:15:45.787Z",
          "timestamp":2463457000,"rssi":-35,"channel_rssi":-35,"snr":5,"channel_index":2}],
        "settings":{"data_rate":{"lora":{"bandwidth":125000,"spreading_factor":7}},"data_rate_index":5,"frequency":"868300000"},
        "received_at":"2020-02-12T15:15:45.789585559Z"}})"),
      (Events{event("dev1", "temperature", 1.0, "Cel", 1'581'520'546'014'773'143),
              event("dev1", "luminosity", 0.64, "", 1'581'520'546'014'773'143)}));
}

// https://docs.aws.amazon.com/iot/latest/developerguide/device-shadow-document.html, "/accepted response
// state document".
TEST(AwsIotShadow, GivesEachReportedFieldItsOwnTime) {
  EXPECT_EQ(mapped(R"({"template": "$aws/things/{device_id}/shadow/update/accepted", "device": "{device_id}",
      "readings": [{"every_field": "/state/reported", "nested": true,
                    "time": {"pointer": "#/metadata/reported/{path}/timestamp", "unit": "s"}}]})",
                   R"({"state":{"desired":{"power":true},"reported":{"temperature":25,"fan":{"on":true}}},
                       "metadata":{"desired":{"power":{"timestamp":1}},"reported":{"temperature":{"timestamp":1707413791},
                                   "fan":{"on":{"timestamp":1707413700}}}},"version":1,"timestamp":1707413794})",
                   "$aws/things/plant-7/shadow/update/accepted"),
            (Events{event("plant-7", "temperature", int64_t{25}, "", 1'707'413'791 * kSecond),
                    event("plant-7", "fan.on", true, "", 1'707'413'700 * kSecond)}));
}

}  // namespace
}  // namespace weir::mapping
