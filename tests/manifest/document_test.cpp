#include "manifest/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace weir::manifest {
namespace {

using testing::ElementsAre;

std::vector<std::string> complaints(std::string_view text) {
  Problems problems;
  const auto document = Document::parse("a.json", text, problems);
  EXPECT_EQ(document == nullptr, !problems.empty());
  std::vector<std::string> texts;
  for (const Problem& problem : problems) texts.push_back(problem.text());
  return texts;
}

std::shared_ptr<const Document> parse(std::string_view text) {
  Problems problems;
  auto document = Document::parse("a.json", text, problems);
  EXPECT_EQ(manifest::text(problems), "");
  return document;
}

TEST(Document, ReadsValuesBesideComments) {
  const auto document =
      parse("// first\n{ /* a */ \"a\": 1, // one\n \"b\": [true, /* , */ null, \"x//y\"] }\n// end");
  EXPECT_EQ(document->root(), nlohmann::json::parse(R"({"a":1,"b":[true,null,"x//y"]})"));
}

TEST(Document, KnowsWhereKeysAndValuesBegin) {
  const auto document = parse("{\n  \"a\": 12,\n  \"b\" : { \"c\":\"x\" },\n  \"d\": [ 1,\n   -2.5e1 ]\n}\n");
  EXPECT_EQ(document->value_position(""), (Position{1, 1}));
  EXPECT_EQ(document->key_position("/a"), (Position{2, 3}));
  EXPECT_EQ(document->value_position("/a"), (Position{2, 8}));  // a number at a line's end
  EXPECT_EQ(document->key_position("/b/c"), (Position{3, 11}));
  EXPECT_EQ(document->value_position("/b/c"), (Position{3, 15}));
  EXPECT_EQ(document->value_position("/d/0"), (Position{4, 10}));
  EXPECT_EQ(document->value_position("/d/1"), (Position{5, 4}));
  EXPECT_EQ(document->key_position("/d/1"), (Position{5, 4}));
}

TEST(Document, CountsCharactersNotBytesAndATabAsOne) {
  const auto document =
      parse("{\t\"gr\xC3\xBC\xC3\x9F\x65\":\t\"\xF0\x9F\x98\x80\", /* \xE2\x82\xAC */ \"b\": 1}");
  EXPECT_EQ(document->value_position("/gr\xC3\xBC\xC3\x9F\x65"), (Position{1, 12}));
  EXPECT_EQ(document->key_position("/b"), (Position{1, 25}));
}

TEST(Document, StepsOverAByteOrderMarkAndWindowsLineEnds) {
  const auto document = parse("\xEF\xBB\xBF{\r\n\"a\":\r\n1}");
  EXPECT_EQ(document->value_position(""), (Position{1, 1}));
  EXPECT_EQ(document->key_position("/a"), (Position{2, 1}));
  EXPECT_EQ(document->value_position("/a"), (Position{3, 1}));
}

TEST(Document, FindsKeysThatPointersEscape) {
  const auto document = parse("{ \"a/b\": { \"~\": 5 } }");
  EXPECT_EQ(document->value_position(child_pointer(child_pointer("", "a/b"), "~")), (Position{1, 17}));
  EXPECT_EQ(child_pointer(child_pointer("", "a/b"), "~"), "/a~1b/~0");
}

TEST(Document, PointsToTheNearestValueAroundOneThatIsNotThere) {
  const auto document = parse("{ \"a\": { } }");
  EXPECT_EQ(document->value_position("/a/b/c"), (Position{1, 8}));
  EXPECT_EQ(document->value_position("/x"), (Position{1, 1}));
}

TEST(Document, KnowsPlacesBehindStringsWithEscapes) {
  const auto document = parse(R"({ "a": "\"}\\", "b": "\u00e4,{", "c": 3 })");
  EXPECT_EQ(document->key_position("/b"), (Position{1, 17}));
  EXPECT_EQ(document->key_position("/c"), (Position{1, 34}));
}

TEST(Document, NamesEachDuplicateKeyAndItsFirstLine) {
  EXPECT_THAT(
      complaints("{ \"a\": 1,\n  \"b\": { \"x\": 1, \"x\": 2 },\n  \"a\": 3 }"),
      ElementsAre("a.json:2:18: /b/x: the key \"x\" appears twice (expected each key once; the first is in "
                  "line 2)",
                  "a.json:3:3: /a: the key \"a\" appears twice (expected each key once; the first is in "
                  "line 1)"));
}

TEST(Document, RefusesATrailingComma) {
  EXPECT_THAT(complaints("{ \"a\": [1, 2,\n] }"),
              ElementsAre("a.json:1:13: /a: a comma with nothing after it (expected no comma before ']')"));
  EXPECT_THAT(complaints("{ \"a\": 1, // more?\n}"),
              ElementsAre("a.json:1:9: a comma with nothing after it (expected no comma before '}')"));
}

TEST(Document, RefusesAMissingComma) {
  EXPECT_THAT(complaints("{ \"a\": 1\n  \"b\": 2 }"),
              ElementsAre("a.json:2:3: unexpected string literal (expected ',' or '}')"));
}

TEST(Document, RefusesTwoCommas) {
  EXPECT_THAT(complaints("{ \"a\": [1,,2] }"),
              ElementsAre("a.json:1:11: /a: unexpected ',' (expected a value: text goes in double quotes)"));
}

TEST(Document, RefusesAMissingColonAndABareKey) {
  EXPECT_THAT(complaints("{ \"a\" 1 }"),
              ElementsAre("a.json:1:7: unexpected number literal (expected ':' after the key)"));
  EXPECT_THAT(complaints("{ a: 1 }"),
              ElementsAre("a.json:1:3: invalid literal (expected a key in double quotes)"));
}

TEST(Document, RefusesWordsThatAreNoValue) {
  EXPECT_THAT(complaints("{ \"a\": yes }"),
              ElementsAre("a.json:1:8: invalid literal (expected a value: text goes in double quotes)"));
  EXPECT_THAT(complaints("{ \"a\": 'x' }"),
              ElementsAre("a.json:1:8: invalid literal (expected a value: text goes in double quotes)"));
}

TEST(Document, SaysWhatIsOpenWhenTheFileEndsTooEarly) {
  EXPECT_THAT(
      complaints("{\n \"a\": [1,\n"),
      ElementsAre("a.json:3:1: /a: the file ends too early (expected ']' to close the array that begins in "
                  "line 2)"));
  EXPECT_THAT(complaints(""), ElementsAre("a.json:1:1: the file ends too early (expected a JSON object)"));
}

TEST(Document, RefusesAStringThatDoesNotEndInItsLine) {
  EXPECT_THAT(
      complaints("{ \"a\": \"x,\n \"b\": 1 }"),
      ElementsAre("a.json:1:8: the string does not end in its line (expected '\"' at its end, \\n for a new "
                  "line)"));
}

TEST(Document, RefusesABadEscapeAtItsPlace) {
  EXPECT_THAT(
      complaints("{ \"a\": \"C:\\data\" }"),
      ElementsAre("a.json:1:12: forbidden character after backslash (expected a string as JSON writes it)"));
}

TEST(Document, RefusesACommentThatDoesNotEnd) {
  EXPECT_THAT(
      complaints("{ \"a\": 1 /* why\n }"),
      ElementsAre("a.json:1:10: a comment that does not end or is none (expected // to the line's end, or /* "
                  "... */)"));
}

TEST(Document, RefusesBytesThatAreNoTextEvenInComments) {
  EXPECT_THAT(complaints("{ \"a\": \"\xC3(\" }"),
              ElementsAre("a.json:1:9: bytes that are no text (expected UTF-8)"));
  EXPECT_THAT(complaints("{ // \xFF\n }"),
              ElementsAre("a.json:1:6: bytes that are no text (expected UTF-8)"));
  EXPECT_THAT(complaints("{ \"a\": \"\xED\xA0\x80\" }"),  // a surrogate
              ElementsAre("a.json:1:9: bytes that are no text (expected UTF-8)"));
  EXPECT_THAT(complaints("{ \"a\": \"\xC0\xAF\" }"),  // an overlong slash
              ElementsAre("a.json:1:9: bytes that are no text (expected UTF-8)"));
}

TEST(Document, RefusesANulThatWouldHideTheRest) {
  EXPECT_THAT(complaints(std::string_view("{ }\0 x", 6)),
              ElementsAre("a.json:1:4: a NUL byte (expected text)"));
  EXPECT_THAT(complaints("{ \"a\": \"x\\u0000y\" }"),
              ElementsAre("a.json:1:8: the string holds a NUL character (expected text without \\u0000)"));
}

TEST(Document, RefusesNumbersThatWouldBecomeOthers) {
  EXPECT_THAT(
      complaints("{ \"a\": 1e999 }"),
      ElementsAre("a.json:1:8: the number '1e999' is out of range (expected a number of at most 1.8e308)"));
  EXPECT_THAT(
      complaints("{ \"a\": 18446744073709551616 }"),
      ElementsAre("a.json:1:8: the number '18446744073709551616' is out of range (expected an integer of 64 "
                  "bits)"));
  EXPECT_EQ(parse("{ \"a\": 18446744073709551615 }")->root()["a"], 18446744073709551615u);
}

TEST(Document, RefusesWhatIsNoObject) {
  EXPECT_THAT(complaints(" [1]"), ElementsAre("a.json:1:2: not an object (expected a JSON object: { ... })"));
  EXPECT_THAT(complaints("{ } { }"),
              ElementsAre("a.json:1:5: unexpected '{' (expected the end of the file)"));
}

TEST(Document, RefusesMoreThanItIsReadyToHold) {
  const std::string deep = "{ \"a\": " + std::string(63, '[');
  EXPECT_NE(parse(deep + "1" + std::string(63, ']') + "}"), nullptr);
  const auto too_deep = complaints(deep + "[1]" + std::string(63, ']') + "}");
  ASSERT_EQ(too_deep.size(), 1u);
  EXPECT_THAT(too_deep[0], testing::StartsWith("a.json:1:71: /a/0/0/"));
  EXPECT_THAT(too_deep[0], testing::EndsWith(": nested too deep (expected at most 64 levels)"));

  std::string many = "{ \"a\": [0";
  for (size_t i = 0; i < Document::kMaxValues; ++i) many += ",0";
  const auto too_many = complaints(many + "] }");
  EXPECT_THAT(too_many, ElementsAre(testing::HasSubstr("/a: too many values (expected at most 100000 in one "
                                                       "manifest)")));

  EXPECT_THAT(complaints("{ \"a\": \"" + std::string(Document::kMaxBytes, 'x') + "\" }"),
              ElementsAre("a.json: the file is larger than 1 MiB (expected a smaller manifest)"));
  EXPECT_THAT(
      complaints("{ \"" + std::string(Document::kMaxKeyBytes + 1, 'k') + "\": 1 }"),
      ElementsAre("a.json:1:3: the key \"" + std::string(80, 'k') +
                  "...\" is too long or holds a NUL character (expected at most 256 bytes of text)"));
}

TEST(Document, ListsNoMoreDuplicatesThanAPersonReads) {
  std::string text = "{ \"a\": 0";
  for (int i = 0; i < 1000; ++i) text += ", \"a\": 0";
  EXPECT_EQ(complaints(text + "}").size(), kMaxProblems);
}

}  // namespace
}  // namespace weir::manifest
