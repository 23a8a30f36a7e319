// Payloads that want to hurt: they are refused with a reason, and cost no more than the limits say.
#include <gtest/gtest.h>

#include <random>

#include "event/validate.h"
#include "mapping/mapped.h"

namespace weir::mapping {
namespace {

constexpr const char* kEachOf =
    R"({"for_each": "", "device": "d", "readings": [{"type": "t", "value": ""}]})";
constexpr const char* kEveryField = R"({"device": "d", "readings": [{"every_field": "", "nested": true}]})";

std::string repeated(const std::string& text, size_t times) {
  std::string out;
  out.reserve(text.size() * times);
  for (size_t i = 0; i < times; ++i) out += text;
  return out;
}

std::string list_of(const std::string& element, size_t count) {
  return "[" + repeated(element + ",", count - 1) + element + "]";
}

TEST(HostilePayload, IsNestedTenThousandDeep) {
  for (const char* open : {"[", "{\"a\":"}) {
    EXPECT_EQ(refused(kEveryField, repeated(open, 10'000)).message.substr(0, 11), "the payload");
    const std::string closed = repeated(open, 10'000) + "1" + repeated(*open == '[' ? "]" : "}", 10'000);
    const PayloadFault fault = refused(kEveryField, closed);
    EXPECT_EQ(fault.message, "the payload is nested more than 64 deep");
  }
}

// Once ended the process: simdjson answers an exception where a null was expected.
TEST(HostilePayload, IsAlmostNull) {
  const std::string almost = "null" + std::string(9, '\x1a') + "[][0,";
  EXPECT_NE(refused(kEachOf, almost).message.find("is not well-formed JSON"), std::string::npos);
  MappingFault wrong;
  EXPECT_EQ(Mapping::compile(almost, {}, &wrong), nullptr);
  EXPECT_NE(wrong.message.find("is not well-formed JSON"), std::string::npos) << wrong.message;
}

TEST(HostilePayload, IsNestedAsDeepAsAllowed) {
  const std::string payload = repeated("{\"a\":", 64) + "1" + repeated("}", 64);
  EXPECT_EQ(mapped(kEveryField, payload).size(), 1u);
}

TEST(HostilePayload, HasMoreValuesThanAreAllowed) {
  EXPECT_EQ(refused(kEachOf, list_of("0", 1'000'000)).message, "the payload holds more than 524288 values");
}

TEST(HostilePayload, GivesMoreEventsThanABatchHolds) {
  EXPECT_EQ(refused(kEachOf, list_of("0", 65'537)).message, "the payload gives more than 65536 events");
  EXPECT_EQ(mapped(kEachOf, list_of("0", 65'536)).size(), 65'536u);
}

TEST(HostilePayload, GivesMoreBytesThanABatchHolds) {
  const std::string text = "\"" + std::string(1'000'000, 'x') + "\"";
  EXPECT_EQ(
      refused(
          R"({"device": "d", "readings": [{"for_each": "/a", "type": "t", "value": "", "metadata": {"m": "{#/b}{key}"}}]})",
          "{\"a\":" + list_of("1", 1'000) + ",\"b\":" + text + "}")
          .message,
      "the payload gives events of more than 16 MiB");
}

TEST(HostilePayload, IsLongerThanAllowed) {
  EXPECT_EQ(refused(kEachOf, std::string(kMaxPayloadBytes + 1, ' ')).message, "the payload is over 16 MiB");
  EXPECT_EQ(refused(R"({"payload": "text", "device": "d", "readings": [{"type": "t", "value": ""}]})",
                    std::string(kMaxPayloadBytes + 1, 'x'))
                .message,
            "the payload is over 16 MiB");
}

TEST(HostilePayload, HasAnObjectOfMoreMembersThanAllowed) {
  std::string payload = "{\"0\":0";
  for (int i = 1; i <= 4'096; ++i) payload += ",\"" + std::to_string(i) + "\":0";
  EXPECT_EQ(refused(kEveryField, payload + "}").message, "the payload has more than 4096 members");
}

TEST(HostilePayload, HasAKeyTwiceAmongMany) {
  std::string payload = "{\"k\":0";
  for (int i = 1; i < 1'000; ++i) payload += ",\"" + std::to_string(i) + "\":0";
  EXPECT_EQ(refused(kEveryField, payload + ",\"k\":1}").pointer, "/k");
}

TEST(HostilePayload, HasANumberOfAMillionDigits) {
  const std::string digits(1'000'000, '7');
  EXPECT_EQ(refused(kEveryField, "{\"a\":" + digits + "}").message,
            "\"/a\" is a number that is beyond the range of a 64-bit floating-point number");
  EXPECT_EQ(mapped(kEveryField, "{\"a\":0." + digits + "}").size(), 1u);
}

TEST(HostilePayload, HasTextOfMoreThanAnEventTakes) {
  const PayloadFault fault = refused(R"({"device": "{/id}", "readings": [{"type": "t", "value": "/v"}]})",
                                     "{\"v\":1,\"id\":\"" + std::string(4'097, 'x') + "\"}");
  EXPECT_EQ(fault.message, "\"/id\" gives a device longer than 4096 bytes");
}

// Whatever a payload looks like, what is taken is a batch that the gateway takes.
TEST(HostilePayload, IsAGoodOneWithBytesChanged) {
  const std::string good =
      R"({"id":"d","t":"2026-11-24T20:15:00Z","e":[{"n":"a","v":1.5,"u":"C"},{"n":"b","v":"ON"}],"o":{"x":{"y":-1e3}}})";
  const auto mapping = compiled(
      R"({"device": "{/id}", "time": "/t", "words": {"ON": true}, "metadata": {"m": "{/o/x/y?}"}, "readings": [
      {"for_each": "/e", "type": "{/n}", "value": "/v", "unit": "{/u?}"}, {"every_field": "/o", "nested": true}]})");
  std::mt19937 random(8428);
  MappedParser parser;
  sdk::BatchBuilder batch;
  int taken = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string payload = good;
    payload[random() % payload.size()] = static_cast<char>(random() % 256);
    PayloadFault fault;
    if (!parser.parse(*mapping, payload, {}, batch, &fault)) {
      EXPECT_FALSE(fault.message.empty());
      continue;
    }
    ++taken;
    const weir_batch* block = batch.finish();
    const auto wrong = event::validate(block, block->total_size, event::Check::kFromSource);
    EXPECT_FALSE(wrong) << payload << ' ' << wrong->field << ' ' << wrong->message;
  }
  EXPECT_GT(taken, 300) << "or it says nothing about what is taken";
}

}  // namespace
}  // namespace weir::mapping
