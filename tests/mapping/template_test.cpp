// Templates of paths and topics.
#include "weir/mapping/template.h"

#include <gtest/gtest.h>

#include <ostream>

namespace weir::mapping {
namespace {

using Values = std::vector<std::string_view>;

Template compiled_template(std::string_view text) {
  TemplateFault fault;
  auto out = Template::compile(text, &fault);
  EXPECT_TRUE(out) << text << ": " << fault.message;
  return out ? *out : Template();
}

struct Match {
  const char* text;
  const char* subject;
  Values values;
};
void PrintTo(const Match& match, std::ostream* out) { *out << match.text << " and " << match.subject; }
class TemplateMatch : public testing::TestWithParam<Match> {};
TEST_P(TemplateMatch, GivesTheVariablesTheirValues) {
  Values values{"of an earlier match"};
  TemplateFault fault;
  EXPECT_TRUE(compiled_template(GetParam().text).match(GetParam().subject, &values, &fault)) << fault.message;
  EXPECT_EQ(values, GetParam().values);
}
INSTANTIATE_TEST_SUITE_P(
    , TemplateMatch,
    testing::Values(Match{"/{site}/{device_id}", "/a/b-7", {"a", "b-7"}},
                    Match{"site/{site}/{device_id}/{sensor_type}", "site/x/y/z", {"x", "y", "z"}},
                    Match{"tele/{d}/SENSOR", "tele/kitchen/SENSOR", {"kitchen"}},
                    Match{"a/pre-{d}.post/c", "a/pre-x.post/c", {"x"}},
                    Match{"z/{d...}", "z/kitchen/lamp", {"kitchen/lamp"}},
                    Match{"z/{d...}", "z/lamp", {"lamp"}}, Match{"a/+/{d}/#", "a/any/x/and/more", {"x"}},
                    Match{"{d}/#", "x", {"x"}},
                    Match{"$aws/things/{d}/shadow", "$aws/things/t/shadow", {"t"}},
                    Match{"plain", "plain", {}}, Match{"/{d}/", "/x/", {"x"}},
                    Match{"{d}", "with%20escape", {"with%20escape"}}));

struct Mismatch {
  const char* text;
  const char* subject;
  size_t column;
  const char* message;
};
void PrintTo(const Mismatch& match, std::ostream* out) { *out << match.text << " and " << match.subject; }
class TemplateMismatch : public testing::TestWithParam<Mismatch> {};
TEST_P(TemplateMismatch, NamesTheColumnOfThePathOrTopic) {
  Values values;
  TemplateFault fault;
  EXPECT_FALSE(compiled_template(GetParam().text).match(GetParam().subject, &values, &fault));
  EXPECT_EQ(fault.column, GetParam().column);
  EXPECT_EQ(fault.message, "column " + std::to_string(GetParam().column) + ": " + GetParam().message);
}
INSTANTIATE_TEST_SUITE_P(
    , TemplateMismatch,
    testing::Values(Mismatch{"tele/{d}/SENSOR", "tele/x/STATE", 8,
                             "it has \"STATE\" where \"tele/{d}/SENSOR\" has \"SENSOR\""},
                    Mismatch{"tele/{d}/SENSOR", "tele/x", 7, "it ends too early for \"tele/{d}/SENSOR\""},
                    Mismatch{"tele/{d}", "tele/x/y", 7, "it goes on where \"tele/{d}\" ends"},
                    Mismatch{"/{d}/x", "//x", 2, "it has \"\" where \"/{d}/x\" has \"{d}\""},
                    Mismatch{"p-{d}-s", "p--s", 1, "it has \"p--s\" where \"p-{d}-s\" has \"p-{d}-s\""},
                    Mismatch{"p-{d}-s", "q-1-s", 1, "it has \"q-1-s\" where \"p-{d}-s\" has \"p-{d}-s\""},
                    Mismatch{"z/{d...}", "z/", 3, "it has \"\" where \"z/{d...}\" has \"{d}\""},
                    Mismatch{"a/b", "", 1, "it has \"\" where \"a/b\" has \"a\""}));

struct NoTemplate {
  const char* text;
  size_t column;
  const char* message;
};
void PrintTo(const NoTemplate& c, std::ostream* out) { *out << c.text; }
class NotATemplate : public testing::TestWithParam<NoTemplate> {};
TEST_P(NotATemplate, IsRefusedWithItsColumn) {
  TemplateFault fault;
  EXPECT_FALSE(Template::compile(GetParam().text, &fault));
  EXPECT_EQ(fault.column, GetParam().column);
  EXPECT_EQ(fault.message, "column " + std::to_string(GetParam().column) + ": " + GetParam().message);
}
constexpr const char* kRule = " is not a name: lower-case letters, digits and _, not a digit first";
INSTANTIATE_TEST_SUITE_P(
    , NotATemplate,
    testing::Values(NoTemplate{"", 1, "the template is empty"},
                    NoTemplate{"a/{b", 3, "there is no } behind this { before the next /"},
                    NoTemplate{"a/{b/c}", 3, "there is no } behind this { before the next /"},
                    NoTemplate{"a/b}", 4, "there is no { before this }"},
                    NoTemplate{"{a}{b}", 4, "a level has one variable at most"},
                    NoTemplate{"{a}/x/{a}", 8, "\"a\" appears twice"},
                    NoTemplate{"x/{d...}/y", 9, "nothing may follow what takes all levels that are left"},
                    NoTemplate{"x/{d...}y", 9, "nothing may follow what takes all levels that are left"},
                    NoTemplate{"x/#/y", 4, "nothing may follow what takes all levels that are left"},
                    NoTemplate{"x/a+", 4, "+ and # must be a whole level"}));
TEST(Template, RefusesNamesThatAreNone) {
  for (const char* name : {"", "A", "1a", "a-b", "a b", "..."}) {
    TemplateFault fault;
    EXPECT_FALSE(Template::compile(std::string("x/{") + name + "}", &fault)) << name;
    EXPECT_NE(fault.message.find(kRule), std::string::npos) << fault.message;
  }
}

TEST(Template, KnowsTheTopicFilterThatLetsItThrough) {
  EXPECT_EQ(compiled_template("a/p-{d}/+/x").topic_filter(), "a/+/+/x");
  EXPECT_EQ(compiled_template("z/{d...}").topic_filter(), "z/#");
  EXPECT_EQ(compiled_template("z/{d}/#").topic_filter(), "z/+/#");
}

}  // namespace
}  // namespace weir::mapping
