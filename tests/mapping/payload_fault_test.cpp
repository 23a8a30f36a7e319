// What does not fit: each failure names pointer, rule and reason, and nothing of the payload is taken.
#include <gtest/gtest.h>

#include <ostream>

#include "mapping/mapped.h"

namespace weir::mapping {
namespace {

struct FaultCase {
  const char* mapping;
  const char* payload;
  const char* pointer;
  const char* rule;
  const char* message;
};
void PrintTo(const FaultCase& c, std::ostream* out) { *out << c.mapping << ' ' << c.payload; }
class PayloadFaultCase : public testing::TestWithParam<FaultCase> {};
TEST_P(PayloadFaultCase, NamesPointerRuleAndReason) {
  const PayloadFault fault = refused(GetParam().mapping, GetParam().payload);
  EXPECT_EQ(fault.pointer, GetParam().pointer);
  EXPECT_EQ(fault.rule, GetParam().rule);
  EXPECT_EQ(fault.message.substr(0, std::string_view(GetParam().message).size()), GetParam().message)
      << fault.message;
}

#define ONE(member) \
  R"({"device": "d", "readings": [{"type": "t", "value": "/v"}, {"type": "u", )" member "}]}"
#define WITH(member) R"({"device": "d", )" member R"(, "readings": [{"type": "t", "value": "/v"}]})"

INSTANTIATE_TEST_SUITE_P(
    Values, PayloadFaultCase,
    testing::Values(
        FaultCase{ONE(R"("value": "/a/b~1c")"), R"({"v":1,"a":{}})", "/a/b~1c", "/readings/1/value",
                  "\"/a/b~1c\" is missing"},
        FaultCase{ONE(R"("value": "/a/3")"), R"({"v":1,"a":[1]})", "/a/3", "/readings/1/value",
                  "\"/a/3\" is missing"},
        FaultCase{ONE(R"("value": "/a/01")"), R"({"v":1,"a":[1,2]})", "/a/01", "/readings/1/value",
                  "\"/a/01\" is missing"},
        FaultCase{ONE(R"("value": "/a/b")"), R"({"v":1,"a":1})", "/a/b", "/readings/1/value",
                  "\"/a/b\" is missing"},
        FaultCase{ONE(R"("value": "/a")"), R"({"v":1,"a":null})", "/a", "/readings/1/value",
                  "\"/a\" is null"},
        FaultCase{ONE(R"("value": "/a")"), R"({"v":1,"a":{}})", "/a", "/readings/1/value",
                  "\"/a\" must be a number, true, false or text, not an object"},
        FaultCase{ONE(R"("value": "")"), R"({"v":1})", "", "/readings/1/value",
                  "the payload must be a number, true, false or text, not an object"},
        FaultCase{ONE(R"("value": "/a", "as": "number")"), R"({"v":1,"a":"1,5"})", "/a", "/readings/1/value",
                  "\"/a\" is \"1,5\", which is not a number"},
        FaultCase{ONE(R"("value": "/a", "as": "number")"), R"({"v":1,"a":""})", "/a", "/readings/1/value",
                  "\"/a\" is \"\", which is not a number"},
        FaultCase{ONE(R"("value": "/a", "as": "number")"), R"({"v":1,"a":true})", "/a", "/readings/1/value",
                  "\"/a\" is true, which is not a number"},
        FaultCase{ONE(R"("value": "/a", "as": "boolean")"), R"({"v":1,"a":2})", "/a", "/readings/1/value",
                  "\"/a\" is \"2\", which is neither"},
        FaultCase{ONE(R"("value": "/a", "as": "boolean")"), R"({"v":1,"a":"ON"})", "/a", "/readings/1/value",
                  "\"/a\" is \"ON\", which is not true or false: say in \"words\""},
        FaultCase{ONE(R"("value": "/a", "words": {"ON": true, "OFF": false})"), R"({"v":1,"a":"on"})", "/a",
                  "/readings/1/value", "\"/a\" is \"on\", which is none of its words: \"ON\", \"OFF\""},
        FaultCase{ONE(R"("value": "/a")"), R"({"v":1,"a":1e309})", "/a", "/readings/1/value",
                  "\"/a\" is a number that is beyond the range"},
        FaultCase{ONE(R"("value": "/a")"), R"({"v":1,"a":"\u0000"})", "/a", "/readings/1/value",
                  "\"/a\" holds a NUL character"},
        FaultCase{R"({"device": "d", "readings": [{"every_field": "/o"}]})", R"({"o":{"a":1e999}})", "/o/a",
                  "/readings/0", "\"/o/a\" is a number that is beyond"},
        FaultCase{R"({"device": "d", "readings": [{"every_field": "/o"}]})", "{}", "/o",
                  "/readings/0/every_field", "\"/o\" is missing: an object is wanted"},
        FaultCase{R"({"device": "d", "readings": [{"every_field": "/o"}]})", R"({"o":[]})", "/o",
                  "/readings/0/every_field", "\"/o\" must be an object, not an array"},
        FaultCase{R"({"device": "d", "readings": [{"for_each": "/o", "type": "t", "value": "/v"}]})",
                  R"({"o":[{"v":1},{"w":1}]})", "/o/1/v", "/readings/0/value", "\"/o/1/v\" is missing"},
        FaultCase{R"({"device": "d", "readings": [{"for_each": "/o", "type": "t", "value": "/v"}]})",
                  R"({"o":7})", "/o", "/readings/0/for_each",
                  "\"/o\" must be an array or object, not a number"}));

INSTANTIATE_TEST_SUITE_P(
    Places, PayloadFaultCase,
    testing::Values(
        FaultCase{R"({"for_each": "/e", "device": "d", "readings": [{"type": "t", "value": ""}]})", "{}",
                  "/e", "/for_each", "\"/e\" is missing"},
        FaultCase{R"({"device": "{/id}", "readings": [{"type": "t", "value": "/v"}]})", R"({"v":1})", "/id",
                  "/device", "\"/id\" is missing"},
        FaultCase{R"({"device": "{/id}", "readings": [{"type": "t", "value": "/v"}]})", R"({"v":1,"id":{}})",
                  "/id", "/device", "\"/id\" must be text, a number, true or false, not an object"},
        FaultCase{R"({"device": "{/id}", "readings": [{"type": "t", "value": "/v"}]})", R"({"v":1,"id":""})",
                  "/id", "/device", "\"/id\" gives a device that is empty"},
        FaultCase{R"({"device": "{/id?}", "readings": [{"type": "t", "value": "/v"}]})", R"({"v":1})", "/id",
                  "/device", "\"/id\" gives a device that is empty"},
        FaultCase{R"({"device": "{/id}", "readings": [{"type": "t", "value": "/v"}]})",
                  R"({"v":1,"id":"a\u0000"})", "/id", "/device", "\"/id\" gives a device with a NUL"},
        FaultCase{R"({"device": "d", "readings": [{"type": "{/n}", "value": "/v"}]})", R"({"v":1,"n":null})",
                  "/n", "/readings/0/type", "\"/n\" is null, where text is wanted"},
        FaultCase{R"({"device": "d", "readings": [{"type": "t", "value": "/v", "unit": "{/u}"}]})",
                  R"({"v":1})", "/u", "/readings/0/unit", "\"/u\" is missing"},
        FaultCase{WITH(R"("metadata": {"m": "{/m}"})"), R"({"v":1})", "/m", "/metadata/m",
                  "\"/m\" is missing"},
        FaultCase{WITH(R"("time": "/t")"), R"({"v":1})", "/t", "/time", "\"/t\" is missing"},
        FaultCase{WITH(R"("time": "/t")"), R"({"v":1,"t":null})", "/t", "/time",
                  "\"/t\" must be a time, not null"},
        FaultCase{WITH(R"("time": "/t")"), R"({"v":1,"t":1700000000})", "/t", "/time",
                  "\"/t\" is a number: say in the mapping what it counts"},
        FaultCase{WITH(R"("time": "/t")"), R"({"v":1,"t":"2026-11-24T20:15:00"})", "/t", "/time",
                  "\"/t\" has no time zone: say in the mapping which it is"},
        FaultCase{WITH(R"("time": {"pointer": "/t", "zone": "Z"})"), R"({"v":1,"t":"2026-13-24T20:15:00"})",
                  "/t", "/time", "\"/t\" has a month that is not 01 to 12"},
        FaultCase{WITH(R"("time": {"pointer": "/t", "unit": "s"})"), R"({"v":1,"t":"now"})", "/t", "/time",
                  "\"/t\" is not a number, which the mapping says it is"},
        FaultCase{WITH(R"("time": {"pointer": "/t", "unit": "s"})"), R"({"v":1,"t":1700000000000})", "/t",
                  "/time", "\"/t\" lies outside of the years"},
        FaultCase{WITH(R"("time": {"pointer": "/t", "unit": "s"})"), R"({"v":1,"t":1e99999999999999999999})",
                  "/t", "/time", "\"/t\" lies outside of the years"},
        FaultCase{
            R"({"device": "d", "readings": [{"every_field": "/s", "time": {"pointer": "#/m/{path}/t", "unit": "s"}}]})",
            R"({"s":{"a/b":1},"m":{}})", "/m/a~1b/t", "/readings/0/time", "\"/m/a~1b/t\" is missing"}));

INSTANTIATE_TEST_SUITE_P(
    Json, PayloadFaultCase,
    testing::Values(
        FaultCase{ONE(R"("value": "/v")"), "", "", "", "the payload is not well-formed JSON: it is empty"},
        FaultCase{ONE(R"("value": "/v")"), "  \n", "", "",
                  "the payload is not well-formed JSON: it is empty"},
        FaultCase{ONE(R"("value": "/v")"), "{\"v\":1", "", "", "the payload is not well-formed JSON"},
        FaultCase{ONE(R"("value": "/v")"), "{\"v\":1}}", "", "", "the payload is not well-formed JSON"},
        FaultCase{ONE(R"("value": "/v")"), "{\"v\":1} {}", "", "", "the payload is not well-formed JSON"},
        FaultCase{ONE(R"("value": "/v")"), "{\"v\":1},{}", "", "", "the payload goes on after its end"},
        FaultCase{ONE(R"("value": "/v")"), "{\"v\":1}],[2", "", "", "the payload is not well-formed JSON"},
        FaultCase{ONE(R"("value": "/v")"), "]", "", "", "the payload is not well-formed JSON"},
        FaultCase{ONE(R"("value": "/v")"), "{\"v\":01}", "", "",
                  "the payload is not well-formed JSON: a number is malformed"},
        FaultCase{ONE(R"("value": "/v")"), "{\"v\":1,\"x\":[nul]}", "", "",
                  "the payload is not well-formed JSON"},
        FaultCase{ONE(R"("value": "/v")"), "{\"v\":1,\"x\":truer}", "", "",
                  "the payload is not well-formed JSON"},
        FaultCase{ONE(R"("value": "/v")"), "{\"v\":1,\"x\":NaN}", "", "",
                  "the payload is not well-formed JSON"},
        FaultCase{ONE(R"("value": "/v")"), "{\"v\":\"\\ud800\"}", "", "",
                  "the payload is not well-formed JSON: a text holds an escape"},
        FaultCase{ONE(R"("value": "/v")"), "{\"v\":\"\xff\"}", "", "",
                  "the payload is not well-formed JSON: it is not valid UTF-8"},
        FaultCase{ONE(R"("value": "/v")"), "{\"v\":1,\"x\":{\"a\":1,\"a\":2}}", "/x/a", "",
                  "\"/x/a\" appears twice"},
        FaultCase{ONE(R"("value": "/v")"), "{\"v\":1,\"\\u0076\":2}", "/v", "", "\"/v\" appears twice"},
        FaultCase{R"({"payload": "text", "device": "d", "readings": [{"type": "t", "value": ""}]})", "a\xff",
                  "", "", "the payload is not valid UTF-8"},
        FaultCase{
            R"({"payload": "text", "device": "d", "readings": [{"type": "t", "value": "", "as": "number"}]})",
            "", "", "/readings/0/value", "the payload is \"\", which is not a number"}));

}  // namespace
}  // namespace weir::mapping
