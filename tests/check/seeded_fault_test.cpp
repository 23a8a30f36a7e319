// Each seeded fault is found by the one check that is about it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "check_run.h"

namespace weir::check {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Seeded {
  const char* plugin;
  const char* fault;
  const char* check;   // the only one that fails
  const char* saying;  // part of what it says
};

class SeededFault : public ::testing::TestWithParam<Seeded> {};

TEST_P(SeededFault, IsFoundByItsCheckAlone) {
  const Seeded& seeded = GetParam();
  const Checked checked = check(test_plugin(seeded.plugin), seeded.fault, {"--stimulus", "true"});
  ASSERT_TRUE(checked.report.is_object()) << checked.finished.errors;
  EXPECT_EQ(checked.finished.exit.code, 1);
  std::vector<std::string> failed = checked.with("failed");
  // Whether others meet the memory that this one reads too late is chance.
  if (std::string_view(seeded.fault) == "reads-after-completing") std::erase(failed, "cancel");
  EXPECT_THAT(failed, ElementsAre(seeded.check)) << checked.finished.output;
  EXPECT_THAT(checked.findings(seeded.check), HasSubstr(seeded.saying));
}

constexpr Seeded kFile[] = {
    {"seeded-version", "", "note", "'first' is no semantic version"},
    {"note-not-json", "", "note", "not valid JSON"},
    {"seeded-symbols", "", "symbols", "shows symbols beside weir_plugin_entry"},
    {"seeded-lazy", "", "symbols", "without -z now"},
    {"constructor-aborts", "", "load", "SIGABRT"},
    {"constructor-exits", "", "load", "ended the process with exit code 3"},
    {"null-function", "", "load", "null function"},
    {"seeded-sink", "hangs-in-init", "load", "hung: loading"},
};

constexpr Seeded kAnyKind[] = {
    {"seeded-sink", "no-description", "descriptor", "no description"},
    {"seeded-sink", "answers-any-id", "descriptor", "an id that nobody knows"},
    {"seeded-sink", "schema-lets-anything-pass", "schema", "unknown key pass"},
    {"seeded-sink", "default-of-another-type", "schema", "/properties/level"},
    {"seeded-sink", "opens-in-create", "create-opens-nothing", "/dev/null"},
    {"seeded-sink", "crashes-on-a-value", "config-values", "SIGABRT in create with the configuration {\"level\":9}"},
    {"seeded-sink", "fails-without-text", "error-text", "no text"},
    {"seeded-sink", "overruns-the-error", "error-text", "writes behind the buffer"},
    {"seeded-sink", "pointer-without-slash", "error-text", "no RFC 6901 pointer"},
    {"seeded-sink", "hangs-in-pause", "life-cycle", "hung: pause"},
    {"seeded-sink", "cannot-resume", "life-cycle", "it is too late"},
    {"seeded-sink", "exits-in-start", "life-cycle", "ended the process with exit code 0 in start"},
    {"seeded-sink", "destroy-wants-start", "life-orders", "SIGABRT in destroy after create, prepare"},
    {"seeded-sink", "ignores-the-deadline", "deadlines", "prepare() took"},
    {"seeded-sink", "health-blocks", "does-not-block", "health()"},
    {"seeded-sink", "unwell-without-a-reason", "health", "not why"},
    {"seeded-sink", "health-text-too-long", "health", "behind the buffer"},
    {"seeded-sink", "needs-an-optional-service", "optional-services", "SIGSEGV in start"},
    {"seeded-sink", "stops-the-others", "two-instances", "the library is closed"},
    {"seeded-sink", "leaves-a-thread", "threads-left", "1 thread"},
    {"seeded-sink", "leaves-a-descriptor", "descriptors-left", "/dev/null"},
    {"seeded-sink", "changes-the-locale", "process-state", "the locale"},
    {"seeded-sink", "ignores-sigpipe", "process-state", "SIGPIPE"},
    {"seeded-sink", "prints", "prints", "here I am"},
    {"seeded-sink", "log-not-utf8", "log-lines", "not UTF-8"},
    {"seeded-sink", "log-of-two-lines", "log-lines", "line break"},
    {"seeded-sink", "metric-name", "metrics", "Events Total"},
    {"seeded-sink", "undeclared-service", "declared-services", "weir.gateway"},
    {"seeded-sink", "logs-in-destroy", "calls-after-stop", "log.write()"},
    {"seeded-sink", "closes-a-watched-descriptor", "timers-and-watches", "watch"},
    {"seeded-sink", "leaks-an-instance", "leak", "bytes of heap"},
    {"seeded-sink", "stays-loaded", "unload", "did not unload"},
    {"seeded-sink", "leaves-a-lock-file", "kill", "remove the file lock"},
};

constexpr Seeded kSink[] = {
    {"seeded-sink", "never-completes", "work", "was not completed"},
    {"seeded-sink", "completes-twice", "completes-once", "twice"},
    {"seeded-sink", "completes-an-unknown-token", "completes-once", "never submitted"},
    {"seeded-sink", "one-result-too-few", "results", "results for a batch of"},
    {"seeded-sink", "unknown-outcome", "results", "unknown outcome 9"},
    {"seeded-sink", "rejects-without-a-reason", "results", "without a reason"},
    {"seeded-sink", "completes-what-it-refuses", "refused-submit", "not taken"},
    {"seeded-sink", "changes-the-batch", "batch-untouched", "changed the batch"},
    {"seeded-sink", "reads-after-completing", "batch-lifetime", "SIGSEGV"},
    {"seeded-sink", "crashes-on-an-empty-batch", "batch-sizes", "SIGABRT in submit with 0 events"},
    {"seeded-sink", "crashes-on-bytes", "value-kinds", "SIGABRT"},
    {"seeded-sink", "crashes-on-an-unknown-type", "unknown-values", "SIGABRT"},
    {"seeded-sink", "ignores-the-stride", "larger-stride", "event_size"},
    {"seeded-sink", "buffer-for-short-names", "hostile-text", "SIGABRT"},
    {"seeded-sink", "wishes-for-too-much", "limits", "max_in_flight 100000"},
    {"seeded-sink", "loses-the-third", "in-flight", "was not completed"},
    {"seeded-sink", "drains-at-once", "drain", "were not completed"},
    {"seeded-sink", "cancel-does-nothing", "cancel", "SIGSEGV"},
    {"seeded-sink", "cancel-blocks", "does-not-block", "cancel()"},
    {"seeded-sink", "leaks-a-batch", "leak-data", "bytes of heap"},
};

constexpr Seeded kTransform[] = {
    {"seeded-transform", "forgets-an-event", "decisions", "got no decision"},
    {"seeded-transform", "names-no-event", "decisions", "names event"},
    {"seeded-transform", "decides-twice", "decisions", "second decision"},
    {"seeded-transform", "amends-not-a-number", "amendments", "NaN"},
    {"seeded-transform", "sets-host-metadata", "amendments", "weir."},
    {"seeded-transform", "drops-without-a-reason", "amendments", "no reason"},
    {"seeded-transform", "puts-though-pure", "amendments", "pure"},
    {"seeded-transform", "depends-on-the-cut", "cut-independence", "first:yes"},
    {"seeded-transform", "remembers", "pure", "every fifth"},
    {"seeded-transform", "uses-an-old-output", "thread-tags", "keep()"},
    {"seeded-transform", "reads-the-last-batch", "batch-lifetime", "SIGSEGV in process"},
    {"seeded-transform", "writes-into-the-batch", "batch-untouched", "amend()"},
    {"seeded-transform", "blocks", "does-not-block", "process()"},
    {"seeded-transform", "slow-in-bulk", "throughput", "events a second"},
    {"seeded-count", "forgets-to-put", "state-round-trip", "count"},
    {"seeded-count", "takes-any-format", "state-declined", "WEIR_E_UNSUPPORTED"},
    {"seeded-count", "crashes-on-a-cut-state", "state-declined", "cut short"},
    {"seeded-count", "ticks-by-the-wall-clock", "tick", "the state"},
    {"seeded-count", "decides-in-a-tick", "decisions", "tick() decides about an event"},
    {"seeded-count", "depends-on-the-cut", "cut-independence", "first:yes"},
};

constexpr Seeded kSource[] = {
    {"seeded-source", "reuses-a-token", "settled-once", "again before it was settled"},
    {"seeded-source", "holds-a-lock-over-emit", "settled-in-emit", "settled() did not return"},
    {"seeded-source", "crashes-on-failed", "settled-failed", "settled"},
    {"seeded-source", "asserts-known-tokens", "settled-unknown", "SIGABRT"},
    {"seeded-source", "settled-blocks", "does-not-block", "settled()"},
    {"seeded-source", "emits-while-paused", "emit-state", "while it was paused"},
    {"seeded-source", "never-resumes", "pause", "emits nothing any more"},
    {"seeded-source", "emits-nameless-events", "emitted-batches", "device_id"},
    {"seeded-source", "ignores-credit", "credit", "credit is 0"},
    {"seeded-source", "ignores-busy", "busy", "BUSY"},
    {"seeded-source", "drains-too-early", "drain-waits", "were not settled"},
    {"seeded-source", "listens-in-start", "thread-tags", "prepare()"},
    {"seeded-source", "uses-up-the-timers", "timers-and-watches", "1,024 timers"},
};

std::string name(const ::testing::TestParamInfo<Seeded>& info) {
  std::string text = info.param.plugin + std::string("_") + info.param.fault;
  for (char& c : text) c = c == '-' ? '_' : c;
  return text;
}

INSTANTIATE_TEST_SUITE_P(OfTheFile, SeededFault, ::testing::ValuesIn(kFile), name);
INSTANTIATE_TEST_SUITE_P(OfAnyKind, SeededFault, ::testing::ValuesIn(kAnyKind), name);
INSTANTIATE_TEST_SUITE_P(OfASink, SeededFault, ::testing::ValuesIn(kSink), name);
INSTANTIATE_TEST_SUITE_P(OfATransform, SeededFault, ::testing::ValuesIn(kTransform), name);
INSTANTIATE_TEST_SUITE_P(OfASource, SeededFault, ::testing::ValuesIn(kSource), name);

}  // namespace
}  // namespace weir::check
