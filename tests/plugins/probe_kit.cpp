// probe-kit: a source, a transform and a sink that do what a test tells them, right or wrong.
// Every key of a configuration is optional. "hang" and "fail" name a call of the life cycle (create, prepare,
// start, pause, resume, drain, stop): it never returns, or it fails with WEIR_E_UNAVAILABLE.
//
// test.source: emits events on a thread of its own, as fast as the host takes them. Event number i (from 0) has
// the device "device-<i mod devices>", the sensor type "temperature", the unit "Cel" and the value i (F64).
//  - count: events in all; 0, the default, is without end
//  - batch: events a batch (1)
//  - devices: how many devices there are (1)
//  - in_flight: batches emitted and not settled yet (4)
//  - log: a file that gets a line for each durable batch, "epoch first_sequence count first_value", epoch in 16
//    hex digits
//  - hang, fail
//
// test.transform: pure; decides by device. The first of these that applies:
//  - undecided_devices, drop_devices (reason "unwanted"), reject_devices (code 42, "not allowed"): lists of ids
//  - drop_every: drops the events whose sequence is a multiple of it (reason "every nth")
//  - copies: emits so many events instead of the one, with 0, 1, 2 ... added to its value
//  - otherwise the event is kept, with `add` (a number) added to its value when that is one, `unit` as its unit
//    and `metadata` ({key: text}) added to its own
// and besides:
//  - status_devices: process() fails when it comes to one of these devices
//  - hang ("process" too), fail
//
// test.sink: completes within submit(), unless told otherwise. These keys can stand in the control file too, where
// they win; it is read again with each batch:
//  - mode: "deliver" (the default); "retry" or "reject" all; "refuse" (submit fails); "hang" (submit does not
//    return before the control file says something else); "never" (no completion); "twice" (two completions)
//  - retry_devices, reject_devices: lists of ids; the rest of the batch goes by the mode
//  - retry_after_ms: for what is retried (0)
//  - slow_ms: completes so much later, in order, on the sink's own thread
// These are read once:
//  - control: path of the control file, a JSON object; while there is none it says nothing
//  - log: a file that gets a line for each event when its outcome is known and before the completion,
//    "epoch sequence part device value outcome", epoch in 16 hex digits, outcome deliver, retry or reject
//  - max_batch_events, max_batch_bytes, linger_ms, max_in_flight: its limits
//  - hang, fail
#include "probe_kit.h"

#include "probe_kit_sink.h"
#include "probe_kit_source.h"
#include "probe_kit_transform.h"

namespace {

namespace sdk = weir::sdk;
using namespace weir::probe_kit;

// Unknown keys are refused like anywhere else: a test with a typing error must not pass.
#define MISBEHAVIOUR R"("hang": {"type": "string"}, "fail": {"type": "string"})"
#define DEVICES R"({"type": "array", "items": {"type": "string"}})"
#define NUMBER R"({"type": "integer", "minimum": 0})"
#define OBJECT(properties) \
  R"({"type": "object", "additionalProperties": false, "properties": {)" properties "}}"

constexpr char kSourceSchema[] =
    OBJECT("\"count\": " NUMBER ", \"batch\": " NUMBER ", \"devices\": " NUMBER ", \"in_flight\": " NUMBER
           R"(, "log": {"type": "string"}, )" MISBEHAVIOUR);
constexpr char kTransformSchema[] = OBJECT(
    "\"undecided_devices\": " DEVICES ", \"drop_devices\": " DEVICES ", \"reject_devices\": " DEVICES
    ", \"status_devices\": " DEVICES ", \"drop_every\": " NUMBER ", \"copies\": " NUMBER
    R"(, "add": {"type": "number"}, "unit": {"type": "string"}, "metadata": {"type": "object"}, )"
    MISBEHAVIOUR);
constexpr char kSinkSchema[] =
    OBJECT(R"("mode": {"enum": ["deliver", "retry", "reject", "refuse", "hang", "never", "twice"]}, )"
           "\"retry_devices\": " DEVICES ", \"reject_devices\": " DEVICES ", \"retry_after_ms\": " NUMBER
           ", \"slow_ms\": " NUMBER R"(, "control": {"type": "string"}, "log": {"type": "string"}, )"
           "\"max_batch_events\": " NUMBER ", \"max_batch_bytes\": " NUMBER ", \"linger_ms\": " NUMBER
           ", \"max_in_flight\": " NUMBER ", " MISBEHAVIOUR);

constexpr sdk::Registration kComponents[] = {
    sdk::source<TestSource>("test.source", "Emits numbered events for tests", kSourceSchema),
    sdk::pure_transform<TestTransform>("test.transform", "Does to events what a test says", kTransformSchema),
    sdk::sink<TestSink>("test.sink", "Takes or refuses events as a test says", kSinkSchema, WEIR_CAP_FS),
};

}  // namespace

WEIR_PLUGIN(kComponents)
WEIR_PLUGIN_NOTE("test", "1.0.0",
                 "\"test.source\":\"source\",\"test.transform\":\"transform\",\"test.sink\":\"sink\"")
