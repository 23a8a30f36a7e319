#include "cli/render.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/table.h"

namespace weir::cli {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

json status() {
  return json::parse(R"({
    "version": 1, "gateway_id": "site-a", "manifests": "manifests", "admin": "127.0.0.1:9600", "uptime_s": 75.0,
    "ready": true, "balanced": true,
    "journal": {"epoch": "00000000000000ff", "oldest_sequence": 1, "newest_sequence": 12345, "events": 12345,
                "bytes": 1048576, "max_bytes": 1073741824, "trouble": "", "segments": [{}]},
    "instances": [
      {"name": "api", "plugin": "http.source", "version": "1.0.0", "from": [], "state": "running", "reason": "",
       "durability": "strict", "loss_window_ms": 0,
       "door": {"admitted": 12345, "committed": 12300, "duplicates": 45, "refused": 0, "in_flight": 0, "busy": 7, "invalid": 0}},
      {"name": "store", "plugin": "sqlite.sink", "version": "1.0.0", "from": ["api"], "state": "running", "reason": "",
       "process": {"pid": 4711, "restarts": 3, "memory_bytes": 5000000, "lacking": ""}}],
    "consumers": [
      {"name": "store", "role": "sink", "committed": 12300, "delivered": 12000, "filtered": 200, "dead": 50, "expired": 0,
       "discarded": 0, "lost": 0, "pending": 50, "balanced": true, "breaker": "closed", "last_failure": "",
       "parked_devices": 0, "trouble": "", "filtered_by": {"valid: out of range": 200}}],
    "lost": [], "refused_manifests": []})");
}

TEST(RenderStatus, ShowsTheLedgerOfEachConsumerAsASum) {
  EXPECT_EQ(render_status(status(), {}),
            "weir site-a  up 1m 15s  ready  ledger balances  admin http://127.0.0.1:9600\n"
            "journal  12,345 events in 1 segment, 1.0 MiB of 1.0 GiB, sequences 1 to 12,345, epoch 00000000000000ff\n"
            "\n"
            "  source  admitted  = committed  + duplicates  + refused  + in flight  busy  invalid  durability\n"
            "  api       12,345       12,300            45          0            0     7        0  strict\n"
            "\n"
            "  consumer  committed  = delivered  + filtered  + dead  + other  + pending\n"
            "  store        12,300       12,000         200      50        0         50\n"
            "  store: filtered 200 (valid: out of range)\n"
            "\n"
            "  instance  plugin       version  from  runs in                          state\n"
            "  api       http.source  1.0.0          gateway                          running\n"
            "  store     sqlite.sink  1.0.0    api   process 4711, restarted 3 times  running\n");
}

TEST(RenderStatus, ShoutsWhenTheLedgerDoesNotBalance) {
  json broken = status();
  broken["balanced"] = false;
  broken["consumers"][0]["balanced"] = false;
  std::string text = render_status(broken, {});
  EXPECT_THAT(text, HasSubstr("LEDGER DOES NOT BALANCE"));
  EXPECT_THAT(text, HasSubstr("50  DOES NOT BALANCE"));
}

TEST(RenderStatus, NamesWhatIsWrongAndWhatToDo) {
  json bad = status();
  bad["ready"] = false;
  bad["journal"]["trouble"] = "database or disk is full";
  bad["instances"][0]["state"] = "failed";
  bad["instances"][0]["reason"] = "the address is taken";
  bad["consumers"][0]["role"] = "detached";
  bad["instances"][1]["process"]["pid"] = 0;
  bad["instances"][1]["process"]["lacking"] = "Landlock: it can read files";
  bad["lost"] = json::parse(R"([{"first_sequence": 5, "last_sequence": 9, "reason": "damaged"}])");
  bad["refused_manifests"] = json::parse(R"([{"text": "manifests/x.json:1:2: /a: wrong"}])");
  std::string text = render_status(bad, {});
  EXPECT_THAT(text, HasSubstr("no process, restarted 3 times"));
  EXPECT_THAT(text, HasSubstr("store: this kernel cannot confine its process fully: Landlock: it can read files"));
  for (const char* part : {"not ready", "cannot be written: database or disk is full", "api: the address is taken",
                           "`weir forget store`", "lost  5 to 9: damaged", "  manifests/x.json:1:2: /a: wrong"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(RenderStatus, UsesColourOnlyWhenAsked) {
  EXPECT_THAT(render_status(status(), {}), Not(HasSubstr("\033")));
  EXPECT_THAT(render_status(status(), {true}), HasSubstr("\033[32mready\033[0m"));
}

TEST(Table, AlignsTextByWhatIsSeenNotByBytes) {
  Table table({{"unit", Table::Align::kLeft}, {"n", Table::Align::kRight}});
  table.add({"°C", "1"});
  table.add({"kPa", "22"});
  EXPECT_EQ(table.text(), "  unit   n\n  °C     1\n  kPa   22\n");
}

TEST(RenderEvent, IsOneLineAPersonCanRead) {
  json line = json::parse(R"({"source": "api", "event": {"timestamp": "2026-01-31T12:00:00Z", "device_id": "d1",
                              "sensor_type": "temperature", "value": 21.5, "unit": "Cel"}})");
  EXPECT_EQ(render_event(line), "2026-01-31T12:00:00Z  d1  temperature  21.5 Cel  (api)");
}

}  // namespace
}  // namespace weir::cli
