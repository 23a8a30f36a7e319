// SenML, with the examples of RFC 8428 section 5.1.
#include <gtest/gtest.h>

#include "mapping/mapped.h"

namespace weir::mapping {
namespace {

using Events = std::vector<test::TestEvent>;
constexpr const char* kSenml = R"({"format": "senml"})";
constexpr int64_t kSecond = 1'000'000'000;

// Section 5.1.1.
TEST(SenML, TakesANameInOnePieceWhenTheMappingSaysWhatIsMeasured) {
  constexpr const char* kPack = R"([{"n":"urn:dev:ow:10e2073a01080063","u":"Cel","v":23.1}])";
  EXPECT_EQ(mapped(R"({"format": "senml", "type": "{unit}"})", kPack),
            (Events{event("urn:dev:ow:10e2073a01080063", "Cel", 23.1, "Cel")}));
  const PayloadFault fault = refused(kSenml, kPack);
  EXPECT_EQ(fault.pointer, "/0");
  EXPECT_NE(fault.message.find("\"type\": \"{unit}\""), std::string::npos) << fault.message;
}

// Section 5.1.2, the second example.
TEST(SenML, AppliesBaseNameTimeAndUnit) {
  const std::string device = "urn:dev:ow:10e2073a0108006";
  const int64_t now = 1'276'020'076'001'000'000;
  EXPECT_EQ(
      mapped(kSenml, R"([
      {"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076001e+09,"bu":"A","bver":5,"n":"voltage","u":"V","v":120.1},
      {"n":"current","t":-5,"v":1.2}, {"n":"current","t":-4,"v":1.3}, {"n":"current","t":-3,"v":1.4},
      {"n":"current","t":-2,"v":1.5}, {"n":"current","t":-1,"v":1.6}, {"n":"current","v":1.7}])"),
      (Events{event(device, "voltage", 120.1, "V", now),
              event(device, "current", 1.2, "A", now - 5 * kSecond),
              event(device, "current", 1.3, "A", now - 4 * kSecond),
              event(device, "current", 1.4, "A", now - 3 * kSecond),
              event(device, "current", 1.5, "A", now - 2 * kSecond),
              event(device, "current", 1.6, "A", now - kSecond), event(device, "current", 1.7, "A", now)}));
}

// Section 5.1.3, its beginning: the base name alone is the name.
TEST(SenML, TakesABaseNameAlone) {
  const std::string device = "urn:dev:ow:10e2073a01080063";
  EXPECT_EQ(mapped(R"({"format": "senml", "type": "{unit}", "unit_names": {"lon": "deg"}})",
                   R"([{"bn":"urn:dev:ow:10e2073a01080063","bt":1.320067464e+09,"bu":"%RH","v":20},
                       {"u":"lon","v":24.30621}, {"t":60,"v":20.3}])"),
            (Events{event(device, "%RH", int64_t{20}, "%RH", 1'320'067'464 * kSecond),
                    event(device, "deg", 24.30621, "deg", 1'320'067'464 * kSecond),
                    event(device, "%RH", 20.3, "%RH", 1'320'067'524 * kSecond)}));
}

// Section 5.1.5.
TEST(SenML, TakesEachTypeOfValue) {
  const std::string device = "urn:dev:ow:10e2073a01080063";
  EXPECT_EQ(mapped(kSenml, R"([{"bn":"urn:dev:ow:10e2073a01080063:","n":"temp","u":"Cel","v":23.1},
                               {"n":"label","vs":"Machine Room"}, {"n":"open","vb":false}, {"n":"nfv-reader","vd":"aGkgCg"}])"),
            (Events{event(device, "temp", 23.1, "Cel"), event(device, "label", std::string("Machine Room")),
                    event(device, "open", false), event(device, "nfv-reader", test::Bytes{"hi \n"})}));
}

// Section 5.1.6: the last record has the base name of the third and the base time of the first.
TEST(SenML, KeepsEachBaseFieldUntilItIsSetAgain) {
  const int64_t time = 1'320'078'429 * kSecond;
  EXPECT_EQ(
      mapped(kSenml, R"([{"bn":"2001:db8::2/","bt":1.320078429e+09,"n":"temperature","u":"Cel","v":25.2},
        {"n":"humidity","u":"%RH","v":30}, {"bn":"2001:db8::1/","n":"temperature","u":"Cel","v":12.3}, {"n":"humidity","u":"%RH","v":67}])"),
      (Events{event("2001:db8::2", "temperature", 25.2, "Cel", time),
              event("2001:db8::2", "humidity", int64_t{30}, "%RH", time),
              event("2001:db8::1", "temperature", 12.3, "Cel", time),
              event("2001:db8::1", "humidity", int64_t{67}, "%RH", time)}));
}

// Section 5.1.7: a record of base fields alone.
TEST(SenML, MakesNoEventOfBaseFieldsAlone) {
  EXPECT_EQ(mapped(kSenml, R"([{"bn":"d:"},{"n":"heat","u":"/","v":1}])"),
            (Events{event("d", "heat", int64_t{1}, "/")}));
}

// Section 4.5.4.
TEST(SenML, AddsBaseValueAndBaseSum) {
  EXPECT_EQ(
      mapped(
          kSenml,
          R"([{"bn":"d:","bv":20,"n":"a","v":1.5},{"n":"a"},{"n":"b","v":2},{"bs":10,"n":"c","u":"W","v":0,"s":5}])"),
      (Events{event("d", "a", 21.5), event("d", "a", int64_t{20}), event("d", "b", int64_t{22}),
              event("d", "c", int64_t{20}, "W"), event("d", "c.sum", int64_t{15}, "W.s")}));
  EXPECT_EQ(mapped(kSenml, R"([{"bn":"d:","n":"w","u":"W","s":7.5}])"),
            (Events{event("d", "w.sum", 7.5, "W.s")}));
}

// Section 4.5.3.
TEST(SenML, TakesTimesBelowTwoToTheTwentyEightAsRelativeToNow) {
  EXPECT_EQ(
      mapped(
          kSenml,
          R"([{"bn":"d:","n":"a","t":-1.25,"v":1},{"n":"a","t":268435455,"v":1},{"n":"a","t":268435456,"v":1}])"),
      (Events{event("d", "a", int64_t{1}, "", kReceivedNs - 1'250'000'000),
              event("d", "a", int64_t{1}, "", kReceivedNs + 268'435'455 * kSecond),
              event("d", "a", int64_t{1}, "", 268'435'456 * kSecond)}));
  MappedParser parser;
  sdk::BatchBuilder batch;
  PayloadFault fault;
  EXPECT_FALSE(parser.parse(*compiled(kSenml), R"([{"bn":"d:","n":"a","t":-1,"v":1}])", {}, batch, &fault));
  EXPECT_EQ(fault.message, "\"/0\" has a time relative to now, and when it was received is not known here");
}

// Section 4.4.
TEST(SenML, IgnoresFieldsItDoesNotKnow) {
  EXPECT_EQ(mapped(kSenml, R"([{"bn":"d:","n":"a","v":1,"ut":5,"vendor":{"x":1}}])"),
            (Events{event("d", "a", int64_t{1})}));
}

struct Refusal {
  const char* pack;
  const char* pointer;
  const char* message;
};
void PrintTo(const Refusal& c, std::ostream* out) { *out << c.pack; }
class SenMLFault : public testing::TestWithParam<Refusal> {};
TEST_P(SenMLFault, NamesPointerAndReason) {
  const PayloadFault fault = refused(kSenml, GetParam().pack);
  EXPECT_EQ(fault.pointer, GetParam().pointer);
  EXPECT_EQ(fault.message.substr(0, std::string_view(GetParam().message).size()), GetParam().message);
  EXPECT_EQ(fault.rule, std::string_view(GetParam().pack) == "[]" ? "" : "/format");
}
INSTANTIATE_TEST_SUITE_P(
    , SenMLFault,
    testing::Values(
        Refusal{"{}", "", "the payload must be an array of SenML records, not an object"},
        Refusal{"[]", "", "the payload holds no reading"},
        Refusal{"[1]", "/0", "\"/0\" must be a SenML record, an object, not a number"},
        Refusal{R"([{"bn":"d:","n":"a"}])", "/0", "\"/0\" has no value: one of v, vs, vb, vd or s is wanted"},
        Refusal{R"([{"bn":"d:","n":"a","v":1,"vb":true}])", "/0",
                "\"/0\" has more than one of v, vs, vb and vd"},
        Refusal{R"([{"bn":"d:","n":"a","v":"1"}])", "/0/v", "\"/0/v\" must be a number, not text"},
        Refusal{R"([{"bn":"d:","n":"a","vb":1}])", "/0/vb", "\"/0/vb\" must be true or false, not a number"},
        Refusal{R"([{"bn":"d:","n":"a","v":1},{"n":1,"v":1}])", "/1/n",
                "\"/1/n\" must be text, not a number"},
        Refusal{R"([{"bn":"d:","n":"a","vd":"a"}])", "/0/vd", "\"/0/vd\" is not base64url without padding"},
        Refusal{R"([{"bn":"d:","n":"a","vd":"aGk="}])", "/0/vd",
                "\"/0/vd\" is not base64url without padding"},
        Refusal{R"([{"bn":"d:","bver":11,"n":"a","v":1}])", "/0/bver",
                "\"/0/bver\" is a SenML version that is not known here"},
        Refusal{R"([{"bn":"d:","n":"a","v":1,"ct_":"60"}])", "/0/ct_",
                "\"/0/ct_\" is not known here, and SenML forbids to ignore it"},
        Refusal{R"([{"bn":"d:","n":"a","t":1e20,"v":1}])", "/0/t", "\"/0/t\" lies outside of the years"},
        Refusal{R"([{"bn":"d:","bt":9e9,"n":"a","t":9e9,"v":1}])", "/0",
                "\"/0\" has a time outside of the years"},
        Refusal{R"([{"bn":"d:","bv":1e308,"n":"a","v":1e308}])", "/0/v",
                "\"/0/v\" and its base value are beyond the range"},
        Refusal{R"([{"v":1}])", "", "the payload gives a device that is empty"}));

}  // namespace
}  // namespace weir::mapping
