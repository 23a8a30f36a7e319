/* line.sink: appends every event to a file, one line of JSON each. README.md says what it guarantees.
 *
 * Four parts, as in null-sink: the instance, its life (weir_component_v1), its work (weir_sink_v1), and how the library
 * says what it is.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event_line.h"
#include "line_config.h"
#include "line_file.h"
#include "weir/plugin.h"

typedef struct line_sink {
  weir_host* host;
  const weir_delivery_v1* delivery;
  const weir_gateway_v1* gateway;
  line_config config;
  line_file file;     /* used in prepare, submit and stop, which never run at once */
  line_buffer buffer; /* the lines of one batch; kept, because the next is about as long */
  pthread_mutex_t mutex;
  char trouble[256];  /* guarded by mutex: health() may be called during submit(). Empty when all is well */
} line_sink;

static void copy(char* to, uint32_t capacity, const char* text) {
  if (capacity > 0) snprintf(to, capacity, "%s", text);
}

static weir_status fail(weir_error* error, weir_status code, const char* text, const char* pointer) {
  error->code = code;
  copy(error->text, error->text_capacity, text);
  copy(error->pointer, error->pointer_capacity, pointer);
  return code;
}

/* Remembers what is wrong with the file for health(), and leaves it in `text`. failed: an errno, 0 when all is well. */
static void note_trouble(line_sink* sink, int failed, char* text, size_t capacity) {
  char reason[128] = "";
  text[0] = '\0';
  if (failed != 0) {
    strerror_r(failed, reason, sizeof reason);
    snprintf(text, capacity, "%s: %s", sink->config.path,
             failed == EWOULDBLOCK ? "another instance or program writes to it; give each a file of its own" : reason);
  }
  pthread_mutex_lock(&sink->mutex);
  snprintf(sink->trouble, sizeof sink->trouble, "%s", text);
  pthread_mutex_unlock(&sink->mutex);
}

/* ---- Life ---- */

static weir_status create(weir_host* host, weir_text config, void** self, weir_error* error) {
  line_sink* sink = calloc(1, sizeof *sink);
  if (sink == NULL) return fail(error, WEIR_E_UNAVAILABLE, "out of memory", "");
  const char* wrong = line_config_read(config, &sink->config);
  if (wrong != NULL) {
    free(sink);
    return fail(error, WEIR_E_INVALID, wrong, "");
  }
  sink->host = host;
  sink->delivery = weir_host_get(host, WEIR_DELIVERY);
  sink->gateway = weir_host_get(host, WEIR_GATEWAY);
  sink->file = (line_file){.path = sink->config.path, .sync = sink->config.sync, .fd = -1};
  pthread_mutex_init(&sink->mutex, NULL);
  *self = sink;
  return WEIR_OK;
}

static weir_status prepare(void* self, int64_t deadline_ns, weir_error* error) {
  (void)deadline_ns;
  line_sink* sink = self;
  int failed = line_file_open(&sink->file);
  if (failed == 0) return WEIR_OK;
  char text[256];
  note_trouble(sink, failed, text, sizeof text);
  return fail(error, WEIR_E_UNAVAILABLE, text, "/path");
}

static weir_status nothing_to_do(void* self, int64_t deadline_ns, weir_error* error) {
  (void)self, (void)deadline_ns, (void)error;
  return WEIR_OK;
}

/* Every batch is completed within submit(), so there is nothing to wait for before. */
static weir_status stop(void* self, int64_t deadline_ns, weir_error* error) {
  (void)deadline_ns, (void)error;
  line_sink* sink = self;
  line_file_close(&sink->file);
  return WEIR_OK;
}

static void destroy(void* self) {
  line_sink* sink = self;
  line_file_close(&sink->file);
  pthread_mutex_destroy(&sink->mutex);
  free(sink->buffer.data);
  free(sink->config.path);
  free(sink);
}

static void health(void* self, weir_health* health) {
  line_sink* sink = self;
  pthread_mutex_lock(&sink->mutex);
  health->state = sink->trouble[0] == '\0' ? WEIR_HEALTH_OK : WEIR_HEALTH_DEGRADED;
  copy(health->text, health->text_capacity, sink->trouble);
  pthread_mutex_unlock(&sink->mutex);
}

static const weir_component_v1 kComponent = {
    .create = create,
    .prepare = prepare,
    .start = nothing_to_do,
    .pause = nothing_to_do,
    .resume = nothing_to_do,
    .drain = nothing_to_do,
    .stop = stop,
    .destroy = destroy,
    .health = health,
};

/* ---- Work ---- */

/* One batch in flight keeps the lines in order; a sync costs as much for a thousand events as for one. */
static void limits(void* self, weir_sink_limits* limits) {
  (void)self;
  *limits = (weir_sink_limits){.max_batch_events = 1000, .max_batch_bytes = 4u << 20, .linger_ms = 50, .max_in_flight = 1};
}

static weir_status submit(void* self, const weir_batch* batch, uint64_t token, int64_t deadline_ns, weir_error* error) {
  (void)deadline_ns;
  line_sink* sink = self;
  sink->buffer.size = 0;
  sink->buffer.failed = false;
  weir_text gateway_id = sink->gateway->id(sink->host);
  for (uint32_t i = 0; i < batch->count; ++i) event_line_write(&sink->buffer, gateway_id, batch, i);
  if (sink->buffer.failed) return fail(error, WEIR_E_UNAVAILABLE, "out of memory", "");

  char text[256];
  int failed = line_file_append(&sink->file, sink->buffer.data, sink->buffer.size);
  note_trouble(sink, failed, text, sizeof text);
  /* The disk, not the event, is at fault: RETRY keeps it until there is room, REJECT would give it up. */
  weir_sink_result result = {.outcome = failed == 0 ? WEIR_DELIVERED : WEIR_RETRY,
                             .code = (uint32_t)failed,
                             .reason = {text, strlen(text)}};
  sink->delivery->complete(sink->host, token, &result, 1);
  return WEIR_OK;
}

/* Every batch is completed within submit(), so none is read any more when this is called. */
static void cancel(void* self, uint64_t token) { (void)self, (void)token; }

static const weir_sink_v1 kSink = {.limits = limits, .submit = submit, .cancel = cancel};

/* ---- What the library says about itself ---- */

static const char* const kRequired[] = {WEIR_DELIVERY, WEIR_GATEWAY, NULL};
static const char* const kOptional[] = {NULL};

static const weir_descriptor kDescriptor = {
    .size = sizeof(weir_descriptor),
    .kind = WEIR_KIND_SINK,
    .name = "line.sink",
    .description = "Appends events to a file, one line of JSON each",
    .config_schema = line_config_schema,
    .required = kRequired,
    .optional = kOptional,
    .capabilities = WEIR_CAP_FS,
    .takeover = WEIR_TAKEOVER_EXCLUSIVE, /* two writers of one file would cut off each other's lines */
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

WEIR_PLUGIN_NOTE("line", "1.0.0", "\"line.sink\":\"sink\"")
