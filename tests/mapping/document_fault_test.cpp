// Wrong mapping documents: each is refused with the pointer of what is wrong, and what would be right.
#include <gtest/gtest.h>

#include <ostream>

#include "mapping/mapped.h"

namespace weir::mapping {
namespace {

struct DocumentCase {
  const char* document;
  const char* pointer;
  const char* message;
};
void PrintTo(const DocumentCase& c, std::ostream* out) { *out << c.document; }
class WrongMapping : public testing::TestWithParam<DocumentCase> {};
TEST_P(WrongMapping, IsRefusedWithPointerAndReason) {
  const MappingFault fault = wrong(GetParam().document);
  EXPECT_EQ(fault.pointer, GetParam().pointer);
  EXPECT_EQ(fault.message.substr(0, std::string_view(GetParam().message).size()), GetParam().message)
      << fault.message;
}

#define READING(members) R"({"device": "d", "readings": [{)" members "}]}"
#define TOP(members) "{" members R"(, "device": "d", "readings": [{"type": "t", "value": ""}]})"

INSTANTIATE_TEST_SUITE_P(
    , WrongMapping,
    testing::Values(
        DocumentCase{"", "", "the mapping is not well-formed JSON: it is empty"},
        DocumentCase{"[]", "", "the mapping must be an object"},
        DocumentCase{"{", "", "the mapping is not well-formed JSON"},
        DocumentCase{R"({"device": "d"})", "/readings", "\"/readings\" is missing"},
        DocumentCase{R"({"device": "d", "readings": []})", "/readings",
                     "\"/readings\" must hold at least one reading"},
        DocumentCase{R"({"device": "d", "readings": {}})", "/readings",
                     "\"/readings\" must be an array of readings, not an object"},
        DocumentCase{R"({"device": "d", "readings": [1]})", "/readings/0",
                     "\"/readings/0\" must be an object with \"type\" and \"value\", not a number"},
        DocumentCase{R"({"readings": [{"type": "t", "value": ""}]})", "/device", "\"/device\" is missing"},
        DocumentCase{TOP(R"("devise": 1)"), "/devise",
                     "\"/devise\" is not known here; known are format, payload"},
        DocumentCase{TOP(R"("time": 1, "time": 2)"), "/time", "\"/time\" appears twice"},
        DocumentCase{TOP(R"("format": "xml")"), "/format",
                     "\"/format\" must be \"readings\" (the default) or \"senml\""},
        DocumentCase{TOP(R"("format": "senml")"), "/readings",
                     "\"/readings\" is not known here; known are format"},
        DocumentCase{TOP(R"("payload": "xml")"), "/payload",
                     "\"/payload\" must be \"json\" (the default) or \"text\""},
        DocumentCase{TOP(R"("template": "a/{b")"), "/template", "\"/template\" column 3: there is no }"},
        DocumentCase{TOP(R"("template": "a/{key}")"), "/template",
                     "\"/template\" has {key}, a name that means something else"},
        DocumentCase{TOP(R"("allow_empty": 1)"), "/allow_empty",
                     "\"/allow_empty\" must be true or false, not a number"},
        DocumentCase{TOP(R"("units": {"a": 1})"), "/units/a", "\"/units/a\" must be text, not a number"},
        DocumentCase{TOP(R"("words": {"a": []})"), "/words/a",
                     "\"/words/a\" must be true, false, a number or text"},
        DocumentCase{TOP(R"("words": {"a": 1e999})"), "/words/a",
                     "\"/words/a\" is a number that does not fit"},
        DocumentCase{TOP(R"("metadata": {"weir.x": "1"})"), "/metadata/weir.x",
                     "\"/metadata/weir.x\" is reserved"},
        DocumentCase{TOP(R"("metadata": {"": "1"})"), "/metadata/",
                     "\"/metadata/\" is not a key that an event can have"},
        DocumentCase{TOP(R"("metadata": {"a": 1})"), "/metadata/a", "\"/metadata/a\" must be text such as"},
        DocumentCase{TOP(R"("time": 1)"), "/time",
                     "\"/time\" must be a pointer to RFC 3339 text, or an object"},
        DocumentCase{TOP(R"("time": {})"), "/time/pointer", "\"/time/pointer\" is missing"},
        DocumentCase{TOP(R"("time": {"pointer": "/t", "unit": "min"})"), "/time/unit",
                     "\"/time/unit\" must be \"rfc3339\" (the default), \"s\""},
        DocumentCase{TOP(R"("time": {"pointer": "/t", "zone": "CET"})"), "/time/zone",
                     "\"/time/zone\" must be \"Z\" or an offset such as"},
        DocumentCase{TOP(R"("time": {"pointer": "/t", "unit": "s", "zone": "Z"})"), "/time/zone",
                     "\"/time/zone\" is for times that are text"},
        DocumentCase{TOP(R"("for_each": 1)"), "/for_each",
                     "\"/for_each\" must be a pointer to an array or object"},
        DocumentCase{TOP(R"("for_each": {"pointer": "", "only": "x"})"), "/for_each/only",
                     "\"/for_each/only\" must be an array of keys"},
        DocumentCase{TOP(R"("for_each": "e")"), "/for_each", "\"/for_each\" is not a pointer"}));

INSTANTIATE_TEST_SUITE_P(
    Readings, WrongMapping,
    testing::Values(
        DocumentCase{READING(R"("value": "")"), "/readings/0/type", "\"/readings/0/type\" is missing"},
        DocumentCase{READING(R"("type": "t")"), "/readings/0", "\"/readings/0\" has neither \"value\""},
        DocumentCase{READING(R"("type": "t", "value": "", "every_field": "")"), "/readings/0",
                     "\"/readings/0\" has \"value\" and \"every_field\""},
        DocumentCase{READING(R"("type": "t", "value": "a/b")"), "/readings/0/value",
                     "\"/readings/0/value\" is not a pointer: \"\" is the item itself"},
        DocumentCase{READING(R"("type": "t", "value": "/a~2")"), "/readings/0/value",
                     "\"/readings/0/value\" has a ~ without 0 or 1"},
        DocumentCase{READING(R"("type": "t", "value": "/{key}")"), "/readings/0/value",
                     "\"/readings/0/value\" has {key}, but no name is known here"},
        DocumentCase{READING(R"("type": "", "value": "")"), "/readings/0/type",
                     "\"/readings/0/type\" must not be empty"},
        DocumentCase{READING(R"("type": "/n", "value": "")"), "/readings/0/type",
                     "\"/readings/0/type\" is plain text that begins with /: write \"{/n}\""},
        DocumentCase{READING(R"("type": "a{", "value": "")"), "/readings/0/type",
                     "\"/readings/0/type\" has a { without } at column 2"},
        DocumentCase{READING(R"("type": "a}", "value": "")"), "/readings/0/type",
                     "\"/readings/0/type\" has a } without { at column 2"},
        DocumentCase{READING(R"("type": "{site}", "value": "")"), "/readings/0/type",
                     "\"/readings/0/type\" has {site}, but no name is known here"},
        DocumentCase{READING(R"("type": "{x}", "every_field": "")"), "/readings/0/type",
                     "\"/readings/0/type\" has {x}, but the names known here are key and path"},
        DocumentCase{READING(R"("type": "t", "value": "", "nested": true)"), "/readings/0/nested",
                     "\"/readings/0/nested\" is not known here; known are type, value"},
        DocumentCase{READING(R"("every_field": "", "as": "boolean")"), "/readings/0/as",
                     "\"/readings/0/as\" cannot be \"boolean\" for every field"},
        DocumentCase{READING(R"("every_field": "", "for_each": "")"), "/readings/0/for_each",
                     "\"/readings/0/for_each\" is not known here; known are type, every_field"},
        DocumentCase{READING(R"("type": "t", "value": "", "as": "int")"), "/readings/0/as",
                     "\"/readings/0/as\" must be \"number\", \"boolean\" or \"text\""},
        DocumentCase{READING(R"("type": "t", "value": "", "as": "text", "words": {})"), "/readings/0/words",
                     "\"/readings/0/words\" has no use beside"},
        DocumentCase{READING(R"("type": "t", "value": "", "optional": "yes")"), "/readings/0/optional",
                     "\"/readings/0/optional\" must be true or false, not text"},
        DocumentCase{READING(R"("type": "t", "value": "", "unit": null)"), "/readings/0/unit",
                     "\"/readings/0/unit\" must be text, not null"}));

TEST(Mapping, RefusesATemplateVariableThatIsKnownWithoutIt) {
  const std::string_view names[] = {"device_id"};
  MappingFault fault;
  EXPECT_EQ(Mapping::compile(TOP(R"("template": "{device_id}")"), names, &fault), nullptr);
  EXPECT_EQ(fault.message, "\"/template\" has {device_id}, which is known without it");
}

TEST(Mapping, RefusesMoreReadingsThanAreAllowed) {
  std::string document = R"({"device": "d", "readings": [)";
  for (int i = 0; i < 257; ++i) document += std::string(i == 0 ? "" : ",") + R"({"type": "t", "value": ""})";
  EXPECT_EQ(wrong(document + "]}").message, "\"/readings\" holds more than 256 readings");
}

}  // namespace
}  // namespace weir::mapping
