// What each command prints and how it ends: 0 done, 1 it failed, 2 wrong usage or wrong manifest.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "end_to_end/site.h"

namespace weir::test {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) out.push_back(line);
  return out;
}

// A transform that refuses device-1 stands before the sink.
void with_dead_letters(Site& site) {
  site.main_line();
  site.manifest("judge", {{"plugin", "test.transform"}, {"from", {"api"}}, {"config", {{"reject_devices", {"device-1"}}}}});
  site.manifest("store", {{"plugin", "sqlite.sink"}, {"from", {"judge"}}, {"config", {{"path", "data/events.db"}}}});
}

TEST(Check, ShowsTheGraphOfARightFolder) {
  Site site;
  site.main_line();
  Finished check = site.weir({"check", site.manifests()}, false);
  EXPECT_EQ(check.exit.code, 0) << check.errors;
  EXPECT_THAT(check.output, AllOf(HasSubstr("ok: 2 instances"), HasSubstr("store: sqlite.sink"), HasSubstr("<- api")));
}

TEST(Check, NamesFileLineAndColumnOfWhatIsWrong) {
  Site site;
  site.main_line();
  site.manifest_text("store", "{\n  \"plugin\": \"sqlite.sink\",\n  \"from\": [\"nobody\"],\n  \"config\": { \"path\": \"x.db\" }\n}\n");
  Finished check = site.weir({"check", site.manifests()}, false);
  EXPECT_EQ(check.exit.code, 2);
  EXPECT_THAT(check.output, IsEmpty());
  EXPECT_THAT(check.errors, AllOf(HasSubstr("store.json:3:"), HasSubstr("nobody"), HasSubstr("1 problem in ")));
  Finished as_json = site.weir({"check", site.manifests(), "--json"}, false);
  EXPECT_EQ(as_json.exit.code, 2);
  json answer = json::parse(as_json.output);
  EXPECT_EQ(answer["version"], 1);
  EXPECT_EQ(answer["ok"], false);
  EXPECT_EQ(answer["problems"][0]["line"], 3);
}

TEST(Check, WantsAFolder) {
  Site site;
  Finished check = site.weir({"check", site.path("nowhere")}, false);
  EXPECT_EQ(check.exit.code, 2);
  EXPECT_THAT(check.errors, HasSubstr("there is no folder '" + site.path("nowhere") + "'"));
}

TEST(Status, ShowsThatTheLedgerBalances) {
  Site site;
  site.main_line();
  site.start();
  ASSERT_EQ(site.post(events(3)).status, 202);
  ASSERT_TRUE(site.wait_settled("store", 3));
  Finished status = site.weir({"status"});
  EXPECT_EQ(status.exit.code, 0) << status.errors;
  EXPECT_THAT(status.output, AllOf(StartsWith("weir test-site"), HasSubstr("ready"), HasSubstr("ledger balances"),
                                   HasSubstr("sqlite.sink"), Not(HasSubstr("\033["))))
      << "colours are for terminals";
  json answer = json::parse(site.weir({"status", "--json"}).output);
  EXPECT_EQ(answer["version"], 1);
  EXPECT_EQ(answer["ready"], true);
  EXPECT_EQ(answer["balanced"], true);
  EXPECT_EQ(answer["instances"].size(), 2u);
}

TEST(Tail, ShowsTheNewestEventsOfOneSourceOrOfAll) {
  Site site;
  site.main_line();
  site.manifest("meter", {{"plugin", "test.source"}, {"config", {{"count", 2}}}});
  site.start();
  ASSERT_EQ(site.post(events(5)).status, 202);
  ASSERT_TRUE(site.wait_settled("store", 7));
  Finished all = site.weir({"tail", "--once"});
  EXPECT_EQ(all.exit.code, 0) << all.errors;
  EXPECT_EQ(lines(all.output).size(), 7u);
  EXPECT_THAT(all.output, AllOf(HasSubstr("device-3  counter  3"), HasSubstr("(meter)")));
  EXPECT_EQ(lines(site.weir({"tail", "--once", "--lines", "4"}).output).size(), 4u);
  Finished meter = site.weir({"tail", "meter", "--once", "--json"});
  ASSERT_EQ(lines(meter.output).size(), 2u) << meter.output;
  EXPECT_EQ(json::parse(lines(meter.output)[1])["sensor_type"], "temperature");
  Finished nobody = site.weir({"tail", "nobody&limit=9", "--once"});
  EXPECT_EQ(nobody.exit.code, 0);
  EXPECT_THAT(nobody.output, IsEmpty());
}

TEST(Tail, GoesOnWithWhatComesIn) {
  Site site;
  site.main_line();
  site.start();
  Process tail({build_folder() + "/bin/weir", "tail", "--manifests", site.manifests()});
  ASSERT_EQ(site.post(events(2)).status, 202);
  EXPECT_TRUE(tail.wait_for_output("device-1  counter  1"));
  ASSERT_EQ(site.post(events(1, 70)).status, 202);
  EXPECT_TRUE(tail.wait_for_output("device-0  counter  70"));
  EXPECT_EQ(lines(tail.output()).size(), 3u) << "each event once";
}

TEST(JournalStats, ShowsTheSegments) {
  Site site;
  site.main_line();
  site.start();
  ASSERT_EQ(site.post(events(3)).status, 202);
  Finished stats = site.weir({"journal", "stats"});
  EXPECT_EQ(stats.exit.code, 0) << stats.errors;
  EXPECT_THAT(stats.output, AllOf(HasSubstr("3 events in 1 segment,"), HasSubstr("00000001.db"), HasSubstr("open")));
  json answer = json::parse(site.weir({"journal", "stats", "--json"}).output);
  EXPECT_EQ(answer["version"], 1);
  EXPECT_EQ(answer["newest_sequence"], 3);
}

TEST(JournalRecount, AgreesWithTheLedger) {
  Site site;
  with_dead_letters(site);
  site.start();
  ASSERT_EQ(site.post(events(8)).status, 202);
  ASSERT_TRUE(site.wait_settled("store", 8));
  Finished recount = site.weir({"journal", "recount"});
  EXPECT_EQ(recount.exit.code, 0) << recount.output << recount.errors;
  EXPECT_THAT(recount.output, AllOf(HasSubstr("store"), HasSubstr("agrees"), Not(HasSubstr("DIFFERS"))));
  json answer = json::parse(site.weir({"journal", "recount", "--json"}).output);
  EXPECT_EQ(answer["agrees"], true);
  auto consumers = answer["consumers"];
  auto store = std::find_if(consumers.begin(), consumers.end(), [](const json& one) { return one["consumer"] == "store"; });
  ASSERT_NE(store, consumers.end());
  EXPECT_EQ((*store)["dead_disk"], 2);
}

TEST(Dead, ListsAndShowsLetters) {
  Site site;
  with_dead_letters(site);
  site.start();
  EXPECT_EQ(site.weir({"dead", "list"}).output, "no dead letters\n");
  ASSERT_EQ(site.post(events(6)).status, 202);
  ASSERT_TRUE(site.wait_settled("store", 6));
  Finished list = site.weir({"dead", "list"});
  EXPECT_EQ(list.exit.code, 0) << list.errors;
  EXPECT_THAT(list.output, AllOf(HasSubstr("device-1"), HasSubstr("judge (test.transform 1.0.0)"), HasSubstr("not allowed")));
  EXPECT_EQ(lines(list.output).size(), 3u) << "a header and two letters";
  EXPECT_EQ(lines(site.weir({"dead", "list", "--limit", "1"}).output).size(), 2u);
  json letters = json::parse(site.weir({"dead", "list", "--json"}).output)["dead_letters"];
  ASSERT_EQ(letters.size(), 2u);
  std::string number = letters[0]["number"].dump();
  Finished show = site.weir({"dead", "show", number});
  EXPECT_EQ(show.exit.code, 0) << show.errors;
  EXPECT_THAT(show.output, AllOf(HasSubstr("refused_by      judge"), HasSubstr("\"device_id\": \"device-1\"")));
  EXPECT_EQ(json::parse(site.weir({"dead", "show", number, "--json"}).output)["event"]["value"], 5);
}

TEST(Dead, SaysThatThereIsNoSuchLetter) {
  Site site;
  site.main_line();
  site.start();
  Finished missing = site.weir({"dead", "show", "99"});
  EXPECT_EQ(missing.exit.code, 1);
  EXPECT_THAT(missing.errors, HasSubstr("there is no dead letter 99"));
  EXPECT_EQ(site.weir({"dead", "show", "last"}).exit.code, 2);
}

TEST(PluginList, ShowsTheOnesThatCameWithTheProgram) {
  Site site;
  Finished list = site.weir({"plugin", "list"});
  EXPECT_EQ(list.exit.code, 0) << list.errors;
  EXPECT_THAT(list.output, AllOf(HasSubstr("http.source"), HasSubstr("sqlite.sink"), HasSubstr("enrich.units")));
  json plugins = json::parse(site.weir({"plugin", "list", "--json"}).output)["plugins"];
  EXPECT_TRUE(std::any_of(plugins.begin(), plugins.end(), [](const json& one) { return one.value("id", "") == "http"; }));
}

TEST(PluginInspect, ShowsComponentsAndTheirConfiguration) {
  Site site;
  std::string file = build_folder() + "/lib/weir/plugins/sqlite.so";
  Finished inspect = site.weir({"plugin", "inspect", file}, false);
  EXPECT_EQ(inspect.exit.code, 0) << inspect.errors;
  EXPECT_THAT(inspect.output, AllOf(StartsWith("sqlite "), HasSubstr("sqlite.sink (sink)"), HasSubstr("\"path\"")));
  json answer = json::parse(site.weir({"plugin", "inspect", file, "--json"}, false).output);
  EXPECT_EQ(answer["components"][0]["name"], "sqlite.sink");
  EXPECT_EQ(answer["components"][0]["kind"], "sink");
}

TEST(PluginInspect, RefusesWhatIsNoPlugin) {
  Site site;
  std::ofstream(site.path("notes.so")) << "this is not a library\n";
  Finished inspect = site.weir({"plugin", "inspect", site.path("notes.so")}, false);
  EXPECT_EQ(inspect.exit.code, 1);
  EXPECT_THAT(inspect.errors, AllOf(HasSubstr("notes.so"), HasSubstr("ELF")));
  EXPECT_THAT(inspect.output, IsEmpty());
  EXPECT_EQ(site.weir({"plugin", "inspect", site.path("nothing.so")}, false).exit.code, 1);
}

TEST(ApplyCommand, AnswersWhetherTheChangeWasTaken) {
  Site site;
  site.main_line();
  site.start();
  Finished nothing = site.weir({"apply"});
  EXPECT_EQ(nothing.exit.code, 0) << nothing.errors;
  EXPECT_EQ(nothing.output, "applied\n");
  site.manifest_text("broken", "{ \"plugin\": \"sqlite.sink\",\n  \"form\": [\"api\"] }\n");
  Finished refused = site.weir({"apply"});
  EXPECT_EQ(refused.exit.code, 2);
  EXPECT_THAT(refused.output, AllOf(HasSubstr("what was running goes on"), HasSubstr("broken.json:2:")));
  Finished as_json = site.weir({"apply", "--json"});
  EXPECT_EQ(as_json.exit.code, 2) << "the form of the answer does not change the exit code";
  EXPECT_EQ(json::parse(as_json.output)["applied"], false);
}

TEST(Forget, RefusesWhatIsWantedOrUnknown) {
  Site site;
  site.main_line();
  site.start();
  Finished wanted = site.weir({"forget", "store"});
  EXPECT_EQ(wanted.exit.code, 1);
  EXPECT_THAT(wanted.errors, HasSubstr("remove its manifest first"));
  Finished unknown = site.weir({"forget", "a b?c"});
  EXPECT_EQ(unknown.exit.code, 1);
  EXPECT_THAT(unknown.errors, HasSubstr("nothing in the journal is kept for 'a b?c'"));
}

TEST(Trace, SaysWhatAnIdLooksLike) {
  Site site;
  site.main_line();
  site.start();
  Finished trace = site.weir({"trace", "not an/id?"});
  EXPECT_EQ(trace.exit.code, 1);
  EXPECT_THAT(trace.errors, HasSubstr("'not an/id?' is not an event id"));
}

TEST(Commands, SayThatNoGatewayIsRunning) {
  Site site;
  site.main_line();
  for (const std::string command : {"status", "apply", "tail"}) {
    Finished none = site.weir({command});
    EXPECT_EQ(none.exit.code, 1) << command;
    EXPECT_THAT(none.errors, AllOf(HasSubstr("no gateway is running"), HasSubstr("weir run --manifests"))) << command;
  }
  Finished no_folder = site.weir({"status", "--manifests", site.path("nowhere")}, false);
  EXPECT_EQ(no_folder.exit.code, 2);
  EXPECT_THAT(no_folder.errors, HasSubstr("there is no folder"));
}

TEST(Commands, SayThatGatewayJsonIsInTheWay) {
  Site site;
  site.manifest_text("gateway", "{ \"data_dir\": \n");
  Finished status = site.weir({"status"});
  EXPECT_EQ(status.exit.code, 2);
  EXPECT_THAT(status.errors, AllOf(HasSubstr("gateway.json:2:"), Not(HasSubstr("no gateway is running"))));
}

TEST(Commands, EndWithTwoWhenTheyAreUsedWrongly) {
  Site site;
  const std::vector<std::vector<std::string>> wrong = {
      {"fly"}, {}, {"journal"}, {"journal", "shred"}, {"trace"}, {"status", "--jason"}, {"run", "--log-level", "loud"}};
  for (const auto& arguments : wrong) {
    Finished used = site.weir(arguments, false);
    EXPECT_EQ(used.exit.code, 2) << json(arguments);
    EXPECT_THAT(used.errors, Not(IsEmpty())) << json(arguments);
  }
}

TEST(Commands, TellTheirVersionAndHelp) {
  Site site;
  Finished version = site.weir({"--version"}, false);
  EXPECT_EQ(version.exit.code, 0);
  EXPECT_THAT(version.output, StartsWith("weir 0."));
  Finished help = site.weir({"--help"}, false);
  EXPECT_EQ(help.exit.code, 0);
  EXPECT_THAT(help.output, AllOf(HasSubstr("status"), HasSubstr("journal"), Not(HasSubstr("--probe"))));
}

}  // namespace
}  // namespace weir::test
