/* null.sink: takes every event, counts it and says that it was delivered.
 *
 * The smallest complete sink in C, and the file to copy when you begin your own. To use it:
 *
 *   // manifests/nowhere.json
 *   { "plugin": "null.sink", "from": ["api"] }
 *
 * A plugin has four parts, in this order below: the instance, its life (weir_component_v1), its work
 * (weir_sink_v1), and how the library says what it is (descriptor, entry table, note).
 */
#include <stdlib.h>
#include <string.h>

#include "weir/plugin.h"

/* One instance: what one manifest asked for. A library can have many of them at once, so nothing of an
 * instance is ever kept in a global variable. */
typedef struct null_sink {
  weir_host* host;
  const weir_delivery_v1* delivery;
  const weir_metrics_v1* metrics; /* null when this host offers none: it is an optional interface below */
  weir_metric delivered;
} null_sink;

/* Says why a call failed: one line that tells the operator what is wrong and what to do. */
static weir_status fail(weir_error* error, weir_status code, const char* text) {
  size_t size = strlen(text);
  error->code = code;
  if (error->text_capacity > 0) {
    if (size >= error->text_capacity) size = error->text_capacity - 1;
    memcpy(error->text, text, size);
    error->text[size] = '\0';
  }
  /* When the fault lies in one key of the configuration, also write its JSON pointer ("/path") to
   * error->pointer. */
  if (error->pointer_capacity > 0) error->pointer[0] = '\0';
  return code;
}

/* ---- Life: see component.h for the order of the calls ---- */

/* Gets the configuration as JSON text that already fits the schema below; this sink has nothing to configure.
 * Check it and keep what you need; open nothing yet, because this may be a trial run of a new manifest. */
static weir_status create(weir_host* host, weir_text config, void** self, weir_error* error) {
  (void)config;
  null_sink* sink = calloc(1, sizeof *sink);
  if (sink == NULL) return fail(error, WEIR_E_UNAVAILABLE, "out of memory");
  sink->host = host;

  /* A required interface (descriptor below) is always there; one that is optional can be null. */
  sink->delivery = weir_host_get(host, WEIR_DELIVERY);
  sink->metrics = weir_host_get(host, WEIR_METRICS);
  if (sink->metrics != NULL) {
    static const char kName[] = "events_total";
    static const char kHelp[] = "Events that were taken";
    weir_text name = {kName, sizeof kName - 1};
    weir_text help = {kHelp, sizeof kHelp - 1};
    sink->delivered = sink->metrics->declare(host, WEIR_METRIC_COUNTER, name, help);
  }
  *self = sink;
  return WEIR_OK;
}

/* A real sink opens its file or connection in prepare, starts its threads in start, waits in drain until
 * everything submitted is completed, and joins its threads and closes everything in stop. This one has
 * nothing to hold, so one function serves for all of them. */
static weir_status nothing_to_do(void* self, int64_t deadline_ns, weir_error* error) {
  (void)self;
  (void)deadline_ns;
  (void)error;
  return WEIR_OK;
}

static void destroy(void* self) { free(self); }

/* May be called from another thread while submit() runs: what both use has to be atomic or behind a lock. */
static void health(void* self, weir_health* health) {
  (void)self;
  health->state = WEIR_HEALTH_OK;
  if (health->text_capacity > 0) health->text[0] = '\0';
}

static const weir_component_v1 kComponent = {
    .create = create,
    .prepare = nothing_to_do,
    .start = nothing_to_do,
    .pause = nothing_to_do,
    .resume = nothing_to_do,
    .drain = nothing_to_do,
    .stop = nothing_to_do,
    .destroy = destroy,
    .health = health,
};

/* ---- Work: see sink.h ---- */

/* What this sink wishes for; 0 leaves the choice to the host. */
static void limits(void* self, weir_sink_limits* limits) {
  (void)self;
  memset(limits, 0, sizeof *limits);
}

/* Takes one batch. It may be completed here, as this sink does, or later from a thread of your own; the batch
 * stays valid until then. One result is enough when it holds for every event, else give one for each, in
 * order. */
static weir_status submit(void* self, const weir_batch* batch, uint64_t token, int64_t deadline_ns,
                          weir_error* error) {
  (void)deadline_ns;
  (void)error;
  null_sink* sink = self;
  if (sink->metrics != NULL) sink->metrics->add(sink->host, sink->delivered, batch->count);

  weir_sink_result delivered = {.outcome = WEIR_DELIVERED};
  sink->delivery->complete(sink->host, token, &delivered, 1);
  return WEIR_OK;
}

/* After this returns the batch is not read any more. Every batch here is completed within submit(). */
static void cancel(void* self, uint64_t token) {
  (void)self;
  (void)token;
}

static const weir_sink_v1 kSink = {.limits = limits, .submit = submit, .cancel = cancel};

/* ---- What the library says about itself: see entry.h ---- */

static const char* const kRequired[] = {WEIR_DELIVERY, NULL};
static const char* const kOptional[] = {WEIR_METRICS, NULL};

static const weir_descriptor kDescriptor = {
    .size = sizeof(weir_descriptor),
    .kind = WEIR_KIND_SINK,
    .name = "null.sink",
    .description = "Takes every event and keeps none: for measuring, and for trying out a graph",
    /* A manifest is checked against this before create() is called, so an unknown key is refused with its
       line. */
    .config_schema = "{\"type\":\"object\",\"additionalProperties\":false}",
    .required = kRequired,
    .optional = kOptional,
    .takeover = WEIR_TAKEOVER_OVERLAP, /* it holds nothing that two instances could not hold at once */
};

static weir_status init(weir_host* host, weir_error* error) {
  (void)host;
  (void)error;
  return WEIR_OK;
}
static void deinit(void) {}
static uint32_t component_count(void) { return 1; }
static const weir_descriptor* descriptor(uint32_t i) { return i == 0 ? &kDescriptor : NULL; }

static const void* get_interface(const char* name, const char* id) {
  if (strcmp(name, kDescriptor.name) != 0) return NULL;
  if (strcmp(id, WEIR_COMPONENT) == 0) return &kComponent;
  if (strcmp(id, WEIR_SINK) == 0) return &kSink;
  return NULL;
}

/* The one symbol that the library shows. */
extern WEIR_EXPORT const weir_entry weir_plugin_entry;
const weir_entry weir_plugin_entry = {
    .abi_major = WEIR_ABI_MAJOR,
    .abi_minor = WEIR_ABI_MINOR,
    .init = init,
    .deinit = deinit,
    .component_count = component_count,
    .descriptor = descriptor,
    .get_interface = get_interface,
};

/* Read without running any code of the library; it must say the same as the descriptors. */
WEIR_PLUGIN_NOTE("null", "1.0.0", "\"null.sink\":\"sink\"")
