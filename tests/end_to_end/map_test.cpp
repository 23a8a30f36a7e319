// `weir map try`: what it prints and how it ends: 0 there are events, 1 the payload does not fit, 2 the mapping or the
// command is wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "end_to_end/site.h"

namespace weir::test {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kMapping = R"({
  "template": "plant/{site}/{device_id}",  // as in a manifest, comments are allowed
  "device": "{device_id}",
  "time": { "pointer": "/at", "unit": "s", "optional": true },
  "metadata": { "site": "{site}" },
  "readings": [ { "type": "temperature", "value": "/temp", "unit": "Cel" } ] })";

class MapTry : public testing::Test {
 protected:
  Finished map(std::vector<std::string> arguments, const std::string& mapping = kMapping,
               const std::string& payload = R"({"temp": 21.5, "at": 1700000000})") {
    std::vector<std::string> all = {"map", "try", "--mapping", folder_.write("m.json", mapping), "--payload", folder_.write("p.json", payload)};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return site_.weir(all, false);
  }
  std::string file(const char* name) const { return folder_ / name; }
  Site& site() { return site_; }

 private:
  Site site_;
  TempDir folder_;
};

TEST_F(MapTry, ShowsTheEvents) {
  Finished tried = map({"--topic", "plant/north/boiler-7"});
  EXPECT_EQ(tried.exit.code, 0) << tried.errors;
  EXPECT_EQ(tried.output,
            "  device    sensor type  value  unit  time                  metadata\n"
            "  boiler-7  temperature   21.5  Cel   2023-11-14T22:13:20Z  site=north\n"
            "1 event\n");
  EXPECT_THAT(tried.errors, IsEmpty());
}

TEST_F(MapTry, PrintsTheEventsAsJson) {
  Finished tried = map({"--topic", "plant/north/boiler-7", "--json"}, kMapping, R"({"temp": 21.5})");
  EXPECT_EQ(tried.exit.code, 0) << tried.errors;
  EXPECT_EQ(json::parse(tried.output),
            (json{{"version", 1}, {"ok", true}, {"events", {{{"device_id", "boiler-7"}, {"sensor_type", "temperature"}, {"value", 21.5},
                                                             {"unit", "Cel"}, {"metadata", {{"site", "north"}}}}}}}))
      << "without a time of the device there is none";
}

TEST_F(MapTry, NamesPlaceAndRuleOfWhatDoesNotFit) {
  const std::string payload = "{\n  \"temp\": [21.5]\n}\n";
  Finished tried = map({"--topic", "plant/north/boiler-7"}, kMapping, payload);
  EXPECT_EQ(tried.exit.code, 1);
  EXPECT_THAT(tried.output, IsEmpty());
  EXPECT_THAT(tried.errors, AllOf(HasSubstr(file("p.json") + ":2:11: \"/temp\" must be a number, true, false or text, not an array\n"),
                                  HasSubstr("asked for by " + file("m.json") + ":6:51: /readings/0/value\n")));
  Finished as_json = map({"--topic", "plant/north/boiler-7", "--json"}, kMapping, payload);
  EXPECT_EQ(as_json.exit.code, 1);
  const json answer = json::parse(as_json.output);
  EXPECT_EQ(answer["ok"], false);
  EXPECT_EQ(answer["line"], 2);
  EXPECT_EQ(answer["pointer"], "/temp");
  EXPECT_EQ(answer["rule"], "/readings/0/value");
}

TEST_F(MapTry, NamesTheColumnOfATopicThatDoesNotFit) {
  Finished tried = map({"--topic", "plant/north"});
  EXPECT_EQ(tried.exit.code, 1);
  EXPECT_THAT(tried.errors, HasSubstr("--topic plant/north: column 12: it ends too early for \"plant/{site}/{device_id}\""));
}

TEST_F(MapTry, WantsATopicExactlyWhenThereIsATemplate) {
  Finished without = map({});
  EXPECT_EQ(without.exit.code, 2);
  EXPECT_THAT(without.errors, HasSubstr("say with --topic where the payload came to"));
  Finished with = map({"--topic", "x"}, R"({"device": "d", "readings": [{"type": "t", "value": "/temp"}]})");
  EXPECT_EQ(with.exit.code, 2);
  EXPECT_THAT(with.errors, HasSubstr("has no \"template\""));
}

TEST_F(MapTry, NamesLineAndColumnOfAWrongMapping) {
  Finished tried = map({}, "{ \"device\": \"d\",\n  \"readings\": [ { \"type\": \"t\", \"valu\": \"/temp\" } ] }");
  EXPECT_EQ(tried.exit.code, 2);
  EXPECT_THAT(tried.errors, HasSubstr(file("m.json") + ":2:17: \"/readings/0\" has neither \"value\""));
  Finished broken = map({}, "{ \"device\": \"d\",\n");
  EXPECT_EQ(broken.exit.code, 2);
  EXPECT_THAT(broken.errors, HasSubstr("m.json:"));
}

TEST_F(MapTry, FindsAMappingInsideOfAManifest) {
  map({}, "{ \"plugin\": \"http.source\", \"config\": { \"mapping\": { \"device\": \"{device_id}\",\n\"readings\": [{\"type\": \"t\", \"value\": \"/temp\"}] } } }");
  auto tried = [&](const std::string& pointer) {
    return site().weir({"map", "try", "--mapping", file("m.json") + pointer, "--payload", file("p.json"), "--variable", "device_id=boiler-7"}, false);
  };
  EXPECT_THAT(tried("#/config/mapping").output, HasSubstr("boiler-7"));
  Finished nothing = tried("#/config/mappings");
  EXPECT_EQ(nothing.exit.code, 2);
  EXPECT_THAT(nothing.errors, HasSubstr("there is nothing at /config/mappings"));
}

TEST_F(MapTry, WantsFilesThatAreThere) {
  for (const auto& [mapping, payload] : {std::pair{"nowhere.json", "p.json"}, std::pair{"m.json", "nowhere.json"}}) {
    map({}, R"({"device": "d", "readings": [{"type": "t", "value": "/temp"}]})");
    Finished tried = site().weir({"map", "try", "--mapping", file(mapping), "--payload", file(payload)}, false);
    EXPECT_EQ(tried.exit.code, 2);
    EXPECT_THAT(tried.errors, HasSubstr("nowhere.json"));
  }
  EXPECT_EQ(site().weir({"map", "try"}, false).exit.code, 2);
  EXPECT_EQ(map({"--variable", "x"}).exit.code, 2);
}

}  // namespace
}  // namespace weir::test
