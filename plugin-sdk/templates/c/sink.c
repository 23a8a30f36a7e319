/* @name@.sink: takes every event. Put your destination in the place of deliver(). */
#include <stdlib.h>
#include <string.h>

#include "weir/plugin.h"

/* One instance: what one manifest asked for. There can be many, so nothing of it is ever global. */
typedef struct instance {
  weir_host* host;
  const weir_delivery_v1* delivery;
} instance;

static weir_status fail(weir_error* error, weir_status code, const char* text) {
  error->code = code;
  if (error->text_capacity > 0) {
    strncpy(error->text, text, error->text_capacity - 1);
    error->text[error->text_capacity - 1] = '\0';
  }
  /* When one key of the configuration is at fault, its JSON pointer ("/path") goes here. */
  if (error->pointer_capacity > 0) error->pointer[0] = '\0';
  return code;
}

/* ---- Life: weir/component.h says in which order these are called ---- */

/* `config` is JSON text that fits the schema below, valid only during the call. Keep what you need; open nothing. */
static weir_status create(weir_host* host, weir_text config, void** self, weir_error* error) {
  (void)config;
  instance* made = calloc(1, sizeof *made);
  if (made == NULL) return fail(error, WEIR_E_UNAVAILABLE, "out of memory");
  made->host = host;
  made->delivery = weir_host_get(host, WEIR_DELIVERY); /* required below, so it is there */
  *self = made;
  return WEIR_OK;
}

/* Open files and connections in prepare, begin in start, wait in drain for what is under way, close in stop: a
 * function of its own for each that has something to do. */
static weir_status nothing_to_do(void* self, int64_t deadline_ns, weir_error* error) {
  (void)self, (void)deadline_ns, (void)error;
  return WEIR_OK;
}

static void destroy(void* self) { free(self); }

/* May be called while the instance works: what both use has to be atomic or behind a lock. */
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

/* ---- Work: weir/sink.h ---- */

/* Where the i-th event goes. WEIR_RETRY: the destination is at fault, and the event waits. WEIR_REJECT: the event is, and
 * goes to the dead letters. Delivery is at least once: a destination that stores by (gateway_id, epoch, sequence, part) has
 * each event once. */
static uint32_t deliver(instance* self, const weir_batch* batch, uint32_t i) {
  const weir_event_v1* event = weir_event_at(batch, i);
  weir_text device_id = weir_text_at(batch, event->device_id);
  (void)self, (void)device_id;
  return WEIR_DELIVERED;
}

/* 0 leaves the choice to the host. One batch in flight keeps everything in order. */
static void limits(void* self, weir_sink_limits* limits) {
  (void)self;
  *limits = (weir_sink_limits){.max_batch_events = 1000, .max_in_flight = 1};
}

/* The batch stays valid until it is completed: here, or later from a thread of your own. */
static weir_status submit(void* self, const weir_batch* batch, uint64_t token, int64_t deadline_ns, weir_error* error) {
  (void)deadline_ns;
  instance* sink = self;
  weir_sink_result* results = calloc(batch->count, sizeof *results);
  if (results == NULL) return fail(error, WEIR_E_UNAVAILABLE, "out of memory"); /* not taken: it comes again */
  uint32_t count = batch->count;
  for (uint32_t i = 0; i < count; ++i) results[i].outcome = deliver(sink, batch, i);
  sink->delivery->complete(sink->host, token, results, count);
  free(results);
  return WEIR_OK;
}

/* When it returns, the batch is not read any more. Every batch here is completed within submit(). */
static void cancel(void* self, uint64_t token) { (void)self, (void)token; }

static const weir_sink_v1 kSink = {.limits = limits, .submit = submit, .cancel = cancel};

/* ---- What the library says about itself: weir/entry.h ---- */

static const char* const kRequired[] = {WEIR_DELIVERY, NULL};
static const char* const kOptional[] = {NULL};

static const weir_descriptor kDescriptor = {
    .size = sizeof(weir_descriptor),
    .kind = WEIR_KIND_SINK,
    .name = "@name@.sink",
    .description = "Takes every event",
    /* JSON Schema draft-07: a manifest's "config" is checked against it before create(). */
    .config_schema = "{\"type\":\"object\",\"additionalProperties\":false}",
    .required = kRequired,
    .optional = kOptional,
    .takeover = WEIR_TAKEOVER_OVERLAP, /* EXCLUSIVE when two instances cannot hold what it holds */
};

static weir_status init(weir_host* host, weir_error* error) {
  (void)host, (void)error;
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

/* Read without running any code of the library; it must say the same as the descriptor: {name: kind}. */
WEIR_PLUGIN_NOTE("@name@", PLUGIN_VERSION, "\"@name@.sink\":\"sink\"")
