#include "manifest/secrets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "manifests.h"

namespace weir::manifest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kSource = R"({ "plugin": "http.source",
  "config": { "listen": "h:1", "token": TOKEN } })";

class Secrets : public testing::Test {
 protected:
  Secrets() { ::setenv("WEIR_TEST_TOKEN", "from-env", 1); }
  ~Secrets() override { ::unsetenv("WEIR_TEST_TOKEN"); }

  // Loads a source with this token, as JSON.
  LoadedSet load(const std::string& token) {
    std::string text = kSource;
    text.replace(text.find("TOKEN"), 5, token);
    manifests.write("api.json", text);
    return manifests.load();
  }
  std::string config(const std::string& token) {
    const LoadedSet set = load(token);
    EXPECT_EQ(text(set.problems), "");
    return set.instances.at("api").config;
  }
  std::vector<std::string> complaints(const std::string& token) {
    load(token);
    return manifests.complaints();
  }

  Manifests manifests;
};

TEST_F(Secrets, ComeFromFilesBesideTheManifestsFolder) {
  manifests.write_outside("secrets/token", "from-file\n");
  EXPECT_THAT(config(R"("${file:secrets/token}")"), HasSubstr(R"("token":"from-file")"));
}

TEST_F(Secrets, ComeFromFilesWithAnAbsolutePath) {
  manifests.write_outside("token", "absolute\r\n");
  EXPECT_THAT(config("\"${file:" + (manifests.home() / "token").string() + "}\""),
              HasSubstr(R"("token":"absolute")"));
}

TEST_F(Secrets, ComeFromTheEnvironment) {
  EXPECT_THAT(config(R"("${env:WEIR_TEST_TOKEN}")"), HasSubstr(R"("token":"from-env")"));
}

TEST_F(Secrets, LoseOneLineEndOnly) {
  manifests.write_outside("token", "two\n\n");
  EXPECT_THAT(config(R"("${file:token}")"), HasSubstr(R"("token":"two\n")"));
}

TEST_F(Secrets, StandWithinOtherText) {
  manifests.write_outside("token", "abc");
  EXPECT_THAT(config(R"("Bearer ${file:token}/${env:WEIR_TEST_TOKEN}!")"),
              HasSubstr(R"("Bearer abc/from-env!")"));
}

TEST_F(Secrets, AreNotExpandedThemselves) {
  manifests.write_outside("token", "${env:WEIR_TEST_TOKEN} $${ $HOME");
  EXPECT_THAT(config(R"("${file:token}")"), HasSubstr(R"("token":"${env:WEIR_TEST_TOKEN} $${ $HOME")"));
}

TEST_F(Secrets, AreWrittenWithTwoDollarsWhenTheyAreNone) {
  EXPECT_THAT(config(R"("$${env:X} costs $5 or $$")"), HasSubstr(R"("token":"${env:X} costs $5 or $$")"));
}

TEST_F(Secrets, AreNeverShown) {
  manifests.write_outside("token", "hush-hush");
  const LoadedSet set = load(R"("${file:token}")");
  EXPECT_THAT(set.instances.at("api").redacted_config, HasSubstr(R"("token":"${file:token}")"));
  EXPECT_THAT(set.instances.at("api").redacted_config, Not(HasSubstr("hush")));
}

TEST_F(Secrets, AreNotLookedUpForADisabledInstance) {
  manifests.write("api.json",
                  R"({ "plugin": "http.source", "enabled": false, "config": { "token": "${file:none}" } })");
  EXPECT_THAT(manifests.complaints(), IsEmpty());
}

TEST_F(Secrets, SayWhichFileIsMissing) {
  EXPECT_THAT(
      complaints(R"("${file:none}")"),
      ElementsAre(
          "manifests/api.json:2:41: /config/token: the secret file \"none\" cannot be read: No such file "
          "or directory (expected a readable file)"));
}

TEST_F(Secrets, SayWhichVariableIsMissing) {
  EXPECT_THAT(
      complaints(R"("${env:WEIR_TEST_NONE}")"),
      ElementsAre(
          "manifests/api.json:2:41: /config/token: the environment variable \"WEIR_TEST_NONE\" is not "
          "set (expected a variable of the gateway's process)"));
}

TEST_F(Secrets, RefuseWhatIsNoReference) {
  EXPECT_THAT(
      complaints(R"("${HOME}")"),
      ElementsAre(
          "manifests/api.json:2:41: /config/token: \"${HOME}\" is not a reference to a secret (expected "
          "\"${file:PATH}\" or \"${env:NAME}\"; \"$${\" for the characters \"${\")"));
  EXPECT_THAT(
      complaints(R"("${file:x")"),
      ElementsAre("manifests/api.json:2:41: /config/token: a reference to a secret does not end (expected "
                  "\"${file:PATH}\" or \"${env:NAME}\"; \"$${\" for the characters \"${\")"));
}

TEST_F(Secrets, RefuseFilesThatAreNoText) {
  manifests.write_outside("token", std::string_view("a\0b", 3));
  EXPECT_THAT(
      complaints(R"("${file:token}")"),
      ElementsAre("manifests/api.json:2:41: /config/token: the secret file \"token\" holds bytes that are no "
                  "text (expected UTF-8 without NUL)"));
}

TEST_F(Secrets, RefuseFoldersAndEndlessFiles) {
  std::filesystem::create_directory(manifests.home() / "folder");
  EXPECT_THAT(
      complaints(R"("${file:folder}")"),
      ElementsAre("manifests/api.json:2:41: /config/token: the secret file \"folder\" is not a regular file "
                  "(expected a readable file)"));
  EXPECT_THAT(complaints(R"("${file:/dev/zero}")"), ElementsAre(HasSubstr("is not a regular file")));
  manifests.write_outside("large", std::string(kMaxSecretBytes + 1, 'x'));
  EXPECT_THAT(complaints(R"("${file:large}")"), ElementsAre(HasSubstr("\"large\" is larger than 64 KiB")));
}

}  // namespace
}  // namespace weir::manifest
