/* @name@.source: emits a reading at regular intervals. Put your device in the place of read_device(). */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "weir/plugin.h"

#define INTERVAL_MS 100

/* A block of one event and its text, in the layout of weir/batch.h. Text is referred to by its offset in the block. */
typedef struct block {
  weir_batch head;
  weir_event_v1 event;
  char device_id[8];
  char sensor_type[8];
} block;

/* One instance: what one manifest asked for. There can be many, so nothing of it is ever global. Threads: life-cycle calls
 * come on the host's control thread, due() on its event thread, settled() and health() on others. */
typedef struct instance {
  weir_host* host;
  const weir_ingress_v1* ingress;
  const weir_timer_v1* timers;
  const weir_clock_v1* clock;
  uint64_t timer; /* the control thread's; 0: none */

  /* due()'s own. */
  block batch;
  int has_batch; /* refused as BUSY: it is offered again */
  int64_t not_before_ns;
  uint64_t token;
  double reading;

  pthread_mutex_t lock; /* what follows */
  pthread_cond_t changed;
  uint64_t unsettled; /* the token of the batch that is on its way to the journal; 0: none */
  int paused;    /* by the host's call */
  int no_credit; /* the gateway is full */
  int offering;  /* due() is about to emit */
} instance;

static weir_status fail(weir_error* error, weir_status code, const char* text) {
  error->code = code;
  if (error->text_capacity > 0) {
    strncpy(error->text, text, error->text_capacity - 1);
    error->text[error->text_capacity - 1] = '\0';
  }
  /* When one key of the configuration is at fault, its JSON pointer ("/device") goes here. */
  if (error->pointer_capacity > 0) error->pointer[0] = '\0';
  return code;
}

/* ---- Work: weir/source.h ---- */

static double read_device(instance* source) { return source->reading += 1; }

static void make_batch(instance* source) {
  block* batch = &source->batch;
  memset(batch, 0, sizeof *batch);
  batch->head = (weir_batch){.magic = WEIR_BATCH_MAGIC,
                             .header_size = offsetof(block, event),
                             .event_size = sizeof(weir_event_v1),
                             .count = 1,
                             .total_size = sizeof *batch};
  memcpy(batch->device_id, "demo", 4);
  memcpy(batch->sensor_type, "reading", 7);
  batch->event.device_id = (weir_ref){offsetof(block, device_id), 4};
  batch->event.sensor_type = (weir_ref){offsetof(block, sensor_type), 7};
  batch->event.timestamp_ns = source->clock->wall_ns(source->host);
  batch->event.value_type = WEIR_F64;
  batch->event.value.f64 = read_device(source);
}

/* The timer's callback. It must not block: a device that has to be waited for needs a thread, or weir/watch.h. */
static void due(void* context, uint64_t timer) {
  (void)timer;
  instance* source = context;
  if (source->clock->monotonic_ns(source->host) < source->not_before_ns) return;
  pthread_mutex_lock(&source->lock);
  /* One batch at a time: so nothing piles up here when the journal is slow. */
  int wait = source->paused || source->no_credit || source->unsettled != 0;
  if (!wait) {
    source->offering = 1;
    source->unsettled = ++source->token; /* before emit: the settlement may come first */
  }
  pthread_mutex_unlock(&source->lock);
  if (wait) return;

  if (!source->has_batch) make_batch(source);
  char message[128] = "";
  weir_emit_result result = {.message = message, .message_capacity = sizeof message};
  uint32_t answer = source->ingress->emit(source->host, &source->batch.head, source->token, &result);
  /* BUSY: the same batch again, after the time that the host asks for. INVALID would be a mistake of make_batch(). */
  source->has_batch = answer == WEIR_BUSY;
  if (answer == WEIR_BUSY) {
    source->not_before_ns =
        source->clock->monotonic_ns(source->host) + (int64_t)result.retry_after_ms * 1000 * 1000;
  }

  pthread_mutex_lock(&source->lock);
  if (answer != WEIR_ACCEPTED) source->unsettled = 0;
  source->offering = 0;
  pthread_cond_broadcast(&source->changed);
  pthread_mutex_unlock(&source->lock);
}

/* DURABLE: the events are on disk, and the device may be told so. FAILED: it should send again. */
static void settled(void* self, const weir_settlement* settlements, uint32_t n) {
  instance* source = self;
  pthread_mutex_lock(&source->lock);
  for (uint32_t i = 0; i < n; ++i) {
    if (settlements[i].token == source->unsettled) source->unsettled = 0;
  }
  pthread_cond_broadcast(&source->changed);
  pthread_mutex_unlock(&source->lock);
}

/* How much the host would take now. With 0 there is no use in reading the device. */
static void credit(void* self, uint64_t events, uint64_t bytes) {
  (void)bytes;
  instance* source = self;
  pthread_mutex_lock(&source->lock);
  source->no_credit = events == 0;
  pthread_mutex_unlock(&source->lock);
}

static const weir_source_v1 kSource = {.settled = settled, .credit = credit};

/* ---- Life: weir/component.h says in which order these are called ---- */

/* `config` is JSON text that fits the schema below, valid only during the call. Keep what you need; open nothing. */
static weir_status create(weir_host* host, weir_text config, void** self, weir_error* error) {
  (void)config;
  instance* made = calloc(1, sizeof *made);
  if (made == NULL) return fail(error, WEIR_E_UNAVAILABLE, "out of memory");
  made->host = host;
  made->ingress = weir_host_get(host, WEIR_INGRESS); /* required below, so they are there */
  made->timers = weir_host_get(host, WEIR_TIMER);
  made->clock = weir_host_get(host, WEIR_CLOCK);
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC); /* what deadlines are in */
  pthread_cond_init(&made->changed, &monotonic);
  pthread_condattr_destroy(&monotonic);
  pthread_mutex_init(&made->lock, NULL);
  *self = made;
  return WEIR_OK;
}

/* Open what you need here: it may fail, and a predecessor may still be running. */
static weir_status prepare(void* self, int64_t deadline_ns, weir_error* error) {
  (void)self, (void)deadline_ns, (void)error;
  return WEIR_OK;
}

static weir_status start(void* self, int64_t deadline_ns, weir_error* error) {
  (void)deadline_ns;
  instance* source = self;
  source->timer = source->timers->start(source->host, INTERVAL_MS, INTERVAL_MS, due, source);
  return source->timer != 0 ? WEIR_OK : fail(error, WEIR_E_UNAVAILABLE, "the host has no timer left");
}

static void set_paused(instance* source, int paused) {
  pthread_mutex_lock(&source->lock);
  source->paused = paused;
  /* Nothing is emitted any more when pause returns. emit() never blocks, so this is short. */
  while (paused && source->offering) pthread_cond_wait(&source->changed, &source->lock);
  pthread_mutex_unlock(&source->lock);
}

static weir_status pause_source(void* self, int64_t deadline_ns, weir_error* error) {
  (void)deadline_ns, (void)error;
  set_paused(self, 1);
  return WEIR_OK;
}

static weir_status resume(void* self, int64_t deadline_ns, weir_error* error) {
  (void)deadline_ns, (void)error;
  set_paused(self, 0);
  return WEIR_OK;
}

/* Takes nothing new; returns when everything that was emitted is settled. */
static weir_status drain(void* self, int64_t deadline_ns, weir_error* error) {
  instance* source = self;
  struct timespec until = {deadline_ns / 1000000000, deadline_ns % 1000000000};
  set_paused(source, 1);
  pthread_mutex_lock(&source->lock);
  int waited = 0;
  while (source->unsettled != 0 && waited == 0) {
    waited = pthread_cond_timedwait(&source->changed, &source->lock, &until);
  }
  int settled_all = source->unsettled == 0;
  pthread_mutex_unlock(&source->lock);
  return settled_all ? WEIR_OK : fail(error, WEIR_E_TIMEOUT, "events are not settled yet");
}

static weir_status stop(void* self, int64_t deadline_ns, weir_error* error) {
  (void)deadline_ns, (void)error;
  instance* source = self;
  if (source->timer != 0) source->timers->cancel(source->host, source->timer); /* due() is over when it returns */
  source->timer = 0;
  return WEIR_OK;
}

static void destroy(void* self) {
  instance* source = self;
  if (source->timer != 0) source->timers->cancel(source->host, source->timer);
  pthread_cond_destroy(&source->changed);
  pthread_mutex_destroy(&source->lock);
  free(source);
}

/* May be called while the instance works: what both use has to be atomic or behind a lock. */
static void health(void* self, weir_health* health) {
  (void)self;
  health->state = WEIR_HEALTH_OK;
  if (health->text_capacity > 0) health->text[0] = '\0';
}

static const weir_component_v1 kComponent = {
    .create = create,
    .prepare = prepare,
    .start = start,
    .pause = pause_source,
    .resume = resume,
    .drain = drain,
    .stop = stop,
    .destroy = destroy,
    .health = health,
};

/* ---- What the library says about itself: weir/entry.h ---- */

static const char* const kRequired[] = {WEIR_INGRESS, WEIR_TIMER, WEIR_CLOCK, NULL};
static const char* const kOptional[] = {NULL};

static const weir_descriptor kDescriptor = {
    .size = sizeof(weir_descriptor),
    .kind = WEIR_KIND_SOURCE,
    .name = "@name@.source",
    .description = "Emits a reading at regular intervals",
    /* JSON Schema draft-07: a manifest's "config" is checked against it before create(). */
    .config_schema = "{\"type\":\"object\",\"additionalProperties\":false}",
    .required = kRequired,
    .optional = kOptional,
    .capabilities = WEIR_CAP_NET,      /* what it may do in a process of its own */
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
  if (strcmp(id, WEIR_SOURCE) == 0) return &kSource;
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
WEIR_PLUGIN_NOTE("@name@", PLUGIN_VERSION, "\"@name@.source\":\"source\"")
