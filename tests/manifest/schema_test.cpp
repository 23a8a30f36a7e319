#include "manifest/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace weir::manifest {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> complaints(std::string_view schema_text, std::string_view text) {
  auto schema = Schema::parse(schema_text);
  if (!schema.ok()) return {"schema: " + schema.error().text()};
  Problems problems;
  const auto document = Document::parse("a.json", text, problems);
  if (document == nullptr) return {"document: " + manifest::text(problems)};
  std::vector<std::string> texts;
  for (const Problem& problem : schema->check(document->root(), *document, ""))
    texts.push_back(problem.text());
  return texts;
}

std::string refusal(std::string_view schema_text) {
  auto schema = Schema::parse(schema_text);
  return schema.ok() ? "accepted" : schema.error().text();
}

TEST(Schema, SaysNothingAboutWhatFits) {
  EXPECT_THAT(
      complaints(R"({"type":"object","required":["a"],"properties":{"a":{"type":"integer"}}})", R"({"a":1})"),
      IsEmpty());
}

TEST(Schema, NamesTheWrongTypeAndTheRightOne) {
  constexpr const char* kSchema = R"({"properties":{"port":{"type":"integer","minimum":1,"maximum":65535}}})";
  EXPECT_THAT(complaints(kSchema, R"({"port": "80"})"),
              ElementsAre("a.json:1:10: /port: the value is a string (expected an integer from 1 to 65535)"));
}

TEST(Schema, JoinsTheTypesOfAllBranches) {
  constexpr const char* kSchema =
      R"({"properties":{"a":{"anyOf":[{"type":"string"},{"type":"array","items":{"type":"string"}}]}}})";
  EXPECT_THAT(complaints(kSchema, R"({"a": true})"),
              ElementsAre("a.json:1:7: /a: the value is true (expected a string or an array)"));
  EXPECT_THAT(complaints(kSchema, R"({"a": ["x", 5]})"),
              ElementsAre("a.json:1:13: /a/1: the value is an integer (expected a string)"));
}

TEST(Schema, ListsTheValuesOfAnEnumAndTheNearest) {
  constexpr const char* kSchema = R"({"properties":{"mode":{"enum":["fast","safe","off"]}}})";
  EXPECT_THAT(
      complaints(kSchema, R"({"mode": "sfae"})"),
      ElementsAre("a.json:1:10: /mode: \"sfae\" is none of the values allowed here, did you mean \"safe\"? "
                  "(expected \"fast\", \"safe\" or \"off\")"));
  EXPECT_THAT(
      complaints(kSchema, R"({"mode": 3})"),
      ElementsAre("a.json:1:10: /mode: 3 is none of the values allowed here (expected \"fast\", \"safe\" or "
                  "\"off\")"));
}

TEST(Schema, NamesTheConstant) {
  EXPECT_THAT(complaints(R"({"properties":{"v":{"const":1}}})", R"({"v": 2})"),
              ElementsAre("a.json:1:7: /v: 2 is none of the values allowed here (expected 1)"));
}

TEST(Schema, NamesTheMissingKeyAndWhatItIs) {
  constexpr const char* kSchema =
      R"({"required":["path"],"properties":{"path":{"type":"string","description":"The database file. Made when missing."}}})";
  EXPECT_THAT(complaints(kSchema, "\n{ }"),
              ElementsAre("a.json:2:1: the key 'path' is missing (expected a string: The database file)"));
}

TEST(Schema, NamesEveryUnknownKeyAndTheOneThatWasMeant) {
  constexpr const char* kSchema =
      R"({"additionalProperties":false,"properties":{"listen":{},"limits":{"additionalProperties":false}}})";
  EXPECT_THAT(
      complaints(kSchema, "{ \"lisen\": 1,\n  \"x\": 2, \"limits\": { \"y\": 3 } }"),
      ElementsAre("a.json:2:23: /limits/y: unknown key 'y' (expected no keys)",
                  "a.json:1:3: /lisen: unknown key 'lisen', did you mean 'listen'? (expected 'limits' or "
                  "'listen')",
                  "a.json:2:3: /x: unknown key 'x' (expected 'limits' or 'listen')"));
}

TEST(Schema, KeepsAFaultOfAnObjectBesideOneInsideIt) {
  constexpr const char* kSchema = R"({"required":["b"],"properties":{"a":{"type":"string"},"b":{}}})";
  EXPECT_THAT(complaints(kSchema, R"({"a": 1})"),
              testing::UnorderedElementsAre("a.json:1:7: /a: the value is an integer (expected a string)",
                                            "a.json:1:1: the key 'b' is missing"));
}

TEST(Schema, NamesTheRange) {
  EXPECT_THAT(complaints(R"({"properties":{"a":{"type":"number","exclusiveMinimum":0}}})", R"({"a": 0})"),
              ElementsAre("a.json:1:7: /a: 0 is out of range (expected a number greater than 0)"));
  EXPECT_THAT(complaints(R"({"properties":{"a":{"type":"number","maximum":0.5}}})", R"({"a": 0.75})"),
              ElementsAre("a.json:1:7: /a: 0.75 is out of range (expected a number of at most 0.5)"));
}

TEST(Schema, NamesThePatternAndWhatItIsFor) {
  constexpr const char* kSchema =
      R"({"properties":{"a":{"type":"string","pattern":"^[a-z]+$","description":"The topic"}}})";
  EXPECT_THAT(
      complaints(kSchema, R"({"a": "A b"})"),
      ElementsAre(
          "a.json:1:7: /a: \"A b\" does not have the right form (expected text that matches ^[a-z]+$: "
          "The topic)"));
}

TEST(Schema, CountsElementsKeysAndCharacters) {
  constexpr const char* kSchema = R"({"properties":{
      "a":{"type":"array","minItems":1}, "s":{"type":"string","maxLength":2}, "o":{"maxProperties":1},
      "u":{"uniqueItems":true}}})";
  EXPECT_THAT(
      complaints(kSchema, R"({"a": [], "s": "abc", "o": {"x":1,"y":2}, "u": [1,1]})"),
      testing::UnorderedElementsAre(
          "a.json:1:7: /a: there are 0 elements (expected no fewer than 1 elements)",
          "a.json:1:16: /s: \"abc\" is too long or too short (expected no more than 2 characters in length)",
          "a.json:1:28: /o: there are 2 keys (expected no more than 1 properties)",
          "a.json:1:48: /u: two elements are equal (expected each one once)"));
}

TEST(Schema, FollowsReferencesAndConditions) {
  constexpr const char* kSchema = R"({
      "definitions": { "port": { "type": "integer" } },
      "properties": { "port": { "$ref": "#/definitions/port" }, "tls": { "type": "boolean" } },
      "if": { "properties": { "tls": { "const": true } }, "required": ["tls"] },
      "then": { "required": ["certificate"] } })";
  EXPECT_THAT(complaints(kSchema, R"({"port": "x"})"),
              ElementsAre("a.json:1:10: /port: the value is a string (expected an integer)"));
  EXPECT_THAT(complaints(kSchema, R"({"tls": true})"),
              ElementsAre("a.json:1:1: the key 'certificate' is missing"));
}

TEST(Schema, ReportsWhatTheValidatorRefusesWithoutAWord) {
  EXPECT_THAT(complaints(R"({"properties":{"old":false}})", R"({"old": 1})"),
              ElementsAre("a.json:1:2: /old: the key 'old' is not allowed here"));
  EXPECT_THAT(complaints(R"({"propertyNames":{"pattern":"^[a-z]+$"}})", R"({"A": 1})"),
              ElementsAre("a.json:1:1: the value does not fit the schema"));
}

TEST(Schema, DoesNotLookAtFormats) {
  EXPECT_THAT(complaints(R"({"properties":{"a":{"format":"date"},"format":{"type":"string"}}})",
                         R"({"a": 5, "format": 1})"),
              ElementsAre("a.json:1:20: /format: the value is an integer (expected a string)"));
}

TEST(Schema, DoesNotTryAPatternOnATextThatWouldOverflowTheStack) {
  constexpr const char* kSchema = R"({"properties":{"a":{"pattern":"^(x|y)*$"},"b":{"type":"string"}}})";
  EXPECT_THAT(
      complaints(kSchema, "{\"a\": \"" + std::string(500'000, 'x') + "\"}"),
      ElementsAre("a.json:1:7: /a: the text is too long for the pattern it must match (expected at most 4096 "
                  "bytes)"));
  EXPECT_THAT(complaints(kSchema, "{\"b\": \"" + std::string(500'000, 'x') + "\"}"), IsEmpty());
}

TEST(Schema, MatchesTheLongestTextItAllowsAgainstADeepPatternWithoutOverflow) {
  const std::string pattern = "^((((((((((((w|x)|y)|z)|a)|b)|c)|d)|e)|f)|g)|h)+)$";
  const std::string schema = R"({"properties":{"a":{"not":{"pattern":")" + pattern + "\"}}}}";
  const size_t longest = 32 * 1024 / pattern.size();
  EXPECT_THAT(complaints(schema, "{\"a\": \"" + std::string(longest, 'w') + "\"}"),
              ElementsAre(testing::HasSubstr("/a: ")));
  EXPECT_THAT(complaints(schema, "{\"a\": \"" + std::string(longest + 1, 'w') + "\"}"),
              ElementsAre(testing::HasSubstr("the text is too long for the pattern")));
}

TEST(Schema, NeverRepeatsAValueThatIsNotInTheFile) {
  auto schema =
      Schema::parse(R"({"properties":{"a":{"enum":["x"]},"b":{"pattern":"^z"},"c":{"maxLength":1}}})");
  Problems problems;
  const auto document =
      Document::parse("a.json", R"({"a":"${env:A}","b":"${env:B}","c":"${env:C}"})", problems);
  const nlohmann::json secret = {{"a", "hush"}, {"b", "hush"}, {"c", "hush"}};
  const std::string text = manifest::text(schema->check(secret, *document, ""));
  EXPECT_THAT(text, testing::HasSubstr("\"${env:B}\" does not have the right form"));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("hush")));
}

TEST(Schema, RefusesBrokenSchemasInsteadOfAborting) {
  EXPECT_EQ(refusal("{"),
            "the schema is broken: schema:1:2: the file ends too early (expected '}' to close the object "
            "that begins in line 1)");
  EXPECT_EQ(refusal(R"({"type":"strnig"})"), "the schema is broken: Unrecognised JSON type name 'strnig'");
  EXPECT_EQ(refusal(R"({"properties":{"a":{"pattern":"("}}})"),
            "the schema is broken: the pattern '(' is no regular expression");
  EXPECT_EQ(refusal(R"({"patternProperties":{"[":{}}})"),
            "the schema is broken: the pattern '[' is no regular expression");
  EXPECT_EQ(refusal(R"({"$ref":"http://example.com/schema"})"),
            "the schema is broken: the $ref 'http://example.com/schema' names nothing in it");
  EXPECT_EQ(refusal(R"({"properties":{"a":{"$ref":"#/definitions/none"}}})"),
            "the schema is broken: the $ref '#/definitions/none' names nothing in it");
  EXPECT_EQ(refusal(R"({"$ref":5})"), "the schema is broken: a $ref is no text");
  EXPECT_EQ(refusal(R"({"minLength":"x"})"),
            "the schema is broken: Expected a non-negative integer value for 'minLength' constraint.");
}

TEST(Schema, RefusesCirclesThatWouldNeverEnd) {
  EXPECT_EQ(refusal(R"({"$ref":"#"})"), "the schema is broken: it refers to itself with nothing in between");
  EXPECT_EQ(refusal(R"({"allOf":[{"anyOf":[{"$ref":"#"}]}]})"),
            "the schema is broken: it refers to itself with nothing in between");
  EXPECT_EQ(refusal(R"({"definitions":{"a":{"$ref":"#/definitions/b"},"b":{"$ref":"#/definitions/a"}},
                        "properties":{"x":{"$ref":"#/definitions/a"}}})"),
            "the schema is broken: it refers to itself with nothing in between");
}

TEST(Schema, AllowsRecursionThatTheDocumentEnds) {
  constexpr const char* kSchema =
      R"({"type":"object","additionalProperties":false,"allOf":[{"properties":{"next":{"$ref":"#"}}}],
          "properties":{"next":{}}})";
  EXPECT_THAT(complaints(kSchema, R"({"next": {"next": {}}})"), IsEmpty());
  EXPECT_THAT(complaints(kSchema, R"({"next": {"next": 5}})"),
              ElementsAre("a.json:1:19: /next/next: the value is an integer (expected an object)"));
}

}  // namespace
}  // namespace weir::manifest
