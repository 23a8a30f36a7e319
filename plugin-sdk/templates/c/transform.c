/* @name@.transform: drops negative numbers. Put your own decision in the place of decide(). */
#include <stdlib.h>
#include <string.h>

#include "weir/plugin.h"

/* One instance: what one manifest asked for. There can be many, so nothing of it is ever global. */
typedef struct instance {
  weir_host* host;
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

/* ---- Work: weir/transform.h ---- */

/* Gives the i-th event exactly one of keep, drop, reject, amend, or at least one emit. It is pure: the same event gives the
 * same answer, whenever it runs and however batches are cut. So it remembers nothing and asks no clock. */
static void decide(const weir_batch* batch, uint32_t i, weir_output* output) {
  static const char kReason[] = "negative"; /* short and constant: it is a label of a metric */
  const weir_event_v1* event = weir_event_at(batch, i);
  if ((event->value_type == WEIR_F64 && event->value.f64 < 0) || (event->value_type == WEIR_I64 && event->value.i64 < 0)) {
    weir_text reason = {kReason, sizeof kReason - 1};
    output->drop(output, i, reason);
  } else {
    output->keep(output, i);
  }
}

/* Calls for one instance are serial. */
static weir_status process(void* self, const weir_transform_context* context, const weir_batch* batch,
                           weir_output* output, weir_error* error) {
  (void)self, (void)context, (void)error;
  for (uint32_t i = 0; i < batch->count; ++i) decide(batch, i, output);
  return WEIR_OK;
}

static const weir_transform_v1 kTransform = {.process = process};

/* ---- What the library says about itself: weir/entry.h ---- */

static const char* const kRequired[] = {NULL};
static const char* const kOptional[] = {NULL};

static const weir_descriptor kDescriptor = {
    .size = sizeof(weir_descriptor),
    .kind = WEIR_KIND_TRANSFORM,
    .name = "@name@.transform",
    .description = "Drops negative numbers",
    /* JSON Schema draft-07: a manifest's "config" is checked against it before create(). */
    .config_schema = "{\"type\":\"object\",\"additionalProperties\":false}",
    .required = kRequired,
    .optional = kOptional,
    .takeover = WEIR_TAKEOVER_OVERLAP, /* EXCLUSIVE when two instances cannot hold what it holds */
    .transform = WEIR_TRANSFORM_PURE,
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
  if (strcmp(id, WEIR_TRANSFORM) == 0) return &kTransform;
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
WEIR_PLUGIN_NOTE("@name@", PLUGIN_VERSION, "\"@name@.transform\":\"transform\"")
