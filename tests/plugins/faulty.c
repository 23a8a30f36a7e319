/* One small sink that is built many times, each time with one fault: -DFAULT_... in CMakeLists.txt. Without a
 * fault it is a right plugin, `fault.sink`; -DPLUGIN_VERSION="..." gives it another version.
 *
 * Its calls misbehave when the configuration names them:
 *   {"hang": "prepare"}   the call never returns (create, prepare, start, pause, resume, drain, stop,
 * destroy)
 *   {"fail": "prepare"}   the call fails with WEIR_E_INVALID, a text and the pointer "/fail"
 * health() is ok and its text is the version, so that a test sees which code runs. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "weir/plugin.h"

#ifndef PLUGIN_VERSION
#define PLUGIN_VERSION "1.0.0"
#endif

_Noreturn static void hang(void) {
  for (;;) pause();
}

/* ---- faults of constructors and destructors ---- */

#ifdef FAULT_CONSTRUCTOR_ABORTS
__attribute__((constructor)) static void construct(void) {
  fputs("first line\nthe licence server is missing\n", stderr);
  abort();
}
#endif
#ifdef FAULT_CONSTRUCTOR_CRASHES
__attribute__((constructor)) static void construct(void) { raise(SIGSEGV); }
#endif
#ifdef FAULT_CONSTRUCTOR_EXITS
__attribute__((constructor)) static void construct(void) { _exit(3); }
#endif
#ifdef FAULT_CONSTRUCTOR_EXITS_WELL
__attribute__((constructor)) static void construct(void) { _exit(0); }
#endif
#ifdef FAULT_CONSTRUCTOR_HANGS
__attribute__((constructor)) static void construct(void) { hang(); }
#endif
#ifdef FAULT_CONSTRUCTOR_HANGS_WITH_CHILD
/* The descendant keeps the pipes open, and has to go with its parent. */
__attribute__((constructor)) static void construct(void) {
  if (fork() == 0) hang();
  hang();
}
#endif
#ifdef FAULT_CONSTRUCTOR_PRINTS
/* Looks like a result; must not be taken for one. */
__attribute__((constructor)) static void construct(void) {
  puts("{\"ok\": false, \"what\": \"forged\"}");
  fflush(stdout);
}
#endif
#ifdef FAULT_DESTRUCTOR_ABORTS
__attribute__((destructor)) static void destruct(void) { abort(); }
#endif
#ifdef FAULT_UNDEFINED_SYMBOL
extern void weir_test_nobody_defines_this(void);
__attribute__((constructor)) static void construct(void) {
  if (getenv("WEIR_TEST_NEVER_SET")) weir_test_nobody_defines_this();
}
#endif
#ifdef FAULT_MISSING_DEPENDENCY
extern void weir_test_gone(void);
__attribute__((constructor)) static void construct(void) {
  if (getenv("WEIR_TEST_NEVER_SET")) weir_test_gone();
}
#endif

/* ---- the instance ---- */

typedef struct fault_sink {
  weir_host* host;
  char config[256];
} fault_sink;

static weir_status fail(weir_error* error, weir_status code, const char* text, const char* pointer) {
  error->code = code;
  error->retry_after_ms = 250;
  if (error->text_capacity > 0) snprintf(error->text, error->text_capacity, "%s", text);
  if (error->pointer_capacity > 0) snprintf(error->pointer, error->pointer_capacity, "%s", pointer);
  return code;
}

/* Whether the configuration has {"<what>": "<call>"}. */
static int asks(const fault_sink* sink, const char* what, const char* call) {
  char wanted[64];
  snprintf(wanted, sizeof wanted, "{\"%s\": \"%s\"}", what, call);
  return strcmp(sink->config, wanted) == 0;
}

static weir_status misbehave(const fault_sink* sink, const char* call, weir_error* error) {
  if (asks(sink, "hang", call)) hang();
  if (asks(sink, "fail", call)) return fail(error, WEIR_E_INVALID, "it was told to fail", "/fail");
  return WEIR_OK;
}

static weir_status create(weir_host* host, weir_text config, void** self, weir_error* error) {
  fault_sink* sink = calloc(1, sizeof *sink);
  if (sink == NULL) return fail(error, WEIR_E_UNAVAILABLE, "out of memory", "");
  sink->host = host;
  if (config.size < sizeof sink->config) memcpy(sink->config, config.data, config.size);
  weir_status status = misbehave(sink, "create", error);
  if (status == WEIR_OK) {
    *self = sink;
  } else {
    free(sink);
  }
  return status;
}

#define STEP(name)                                                                        \
  __attribute__((unused)) static weir_status name##_step(void* self, int64_t deadline_ns, \
                                                         weir_error* error) {             \
    (void)deadline_ns;                                                                    \
    return misbehave(self, #name, error);                                                 \
  }
STEP(prepare)
STEP(start)
STEP(pause)
STEP(resume)
STEP(drain)
STEP(stop)

static void destroy(void* self) {
  if (asks(self, "hang", "destroy")) hang();
  free(self);
}

static void health(void* self, weir_health* now) {
  (void)self;
  now->state = WEIR_HEALTH_OK;
  if (now->text_capacity > 0) snprintf(now->text, now->text_capacity, "%s", PLUGIN_VERSION);
}

static const weir_component_v1 kComponent = {
#ifdef FAULT_NULL_FUNCTION
    create, prepare_step, NULL, pause_step, resume_step, drain_step, stop_step, destroy, health,
#else
    create, prepare_step, start_step, pause_step, resume_step, drain_step, stop_step, destroy, health,
#endif
};

static void limits(void* self, weir_sink_limits* wanted) {
  (void)self;
  memset(wanted, 0, sizeof *wanted);
}

static weir_status submit(void* self, const weir_batch* batch, uint64_t token, int64_t deadline_ns,
                          weir_error* error) {
  (void)batch;
  (void)deadline_ns;
  (void)error;
  fault_sink* sink = self;
  const weir_delivery_v1* delivery = weir_host_get(sink->host, WEIR_DELIVERY);
  weir_sink_result delivered = {WEIR_DELIVERED, 0, 0, 0, {NULL, 0}};
  delivery->complete(sink->host, token, &delivered, 1);
  return WEIR_OK;
}

static void cancel(void* self, uint64_t token) {
  (void)self;
  (void)token;
}

static const weir_sink_v1 kSink = {limits, submit, cancel};

/* ---- the descriptor ---- */

#ifdef FAULT_REQUIRES_UNKNOWN
#define REQUIRED "weir.teleport/1"
#else
#define REQUIRED WEIR_DELIVERY
#endif
static const char* const kRequired[] = {REQUIRED, NULL};

#ifdef FAULT_OTHER_NAME
#define NAME "fault.pipe"
#else
#define NAME "fault.sink"
#endif

#ifdef FAULT_OTHER_KIND
#define KIND WEIR_KIND_SOURCE
#else
#define KIND WEIR_KIND_SINK
#endif

#ifdef FAULT_BROKEN_SCHEMA
#define SCHEMA "{\"type\": \"object\","
#else
#define SCHEMA "{\"type\": \"object\"}"
#endif

static const weir_descriptor kDescriptor = {sizeof(weir_descriptor),
                                            KIND,
                                            NAME,
                                            "A sink for the loader's tests",
                                            SCHEMA,
                                            kRequired,
                                            NULL,
                                            WEIR_CAP_FS,
                                            WEIR_TAKEOVER_EXCLUSIVE,
                                            0,
                                            0};

static weir_status init(weir_host* host, weir_error* error) {
#ifdef FAULT_INIT_FAILS
  (void)host;
  return fail(error, WEIR_E_UNAVAILABLE, "no fault hardware in this machine", "");
#elif defined(FAULT_INIT_HANGS)
  (void)host;
  (void)error;
  hang();
#else
  (void)error;
  const weir_log_v1* log = weir_host_get(host, WEIR_LOG);
  weir_text line = {"initialised", 11};
  log->write(host, WEIR_LOG_DEBUG, line);
  return WEIR_OK;
#endif
}

/* WEIR_TEST_DEINIT_LOG names a file that gets one character a deinit, so that a test can count them. */
static void deinit(void) {
  const char* path = getenv("WEIR_TEST_DEINIT_LOG");
  FILE* log = path != NULL ? fopen(path, "a") : NULL;
  if (log == NULL) return;
  fputc('x', log);
  fclose(log);
}

#ifdef FAULT_NO_DESCRIPTOR
static uint32_t component_count(void) { return 0; }
#else
static uint32_t component_count(void) { return 1; }
#endif
static const weir_descriptor* descriptor(uint32_t i) { return i == 0 ? &kDescriptor : NULL; }

static const void* get_interface(const char* name, const char* id) {
  if (strcmp(name, NAME) != 0) return NULL;
  if (strcmp(id, WEIR_COMPONENT) == 0) return &kComponent;
#ifndef FAULT_NO_SINK_TABLE
  if (strcmp(id, WEIR_SINK) == 0) return &kSink;
#else
  (void)kSink;
#endif
  return NULL;
}

#ifdef FAULT_TABLE_ABI
#define TABLE_MAJOR (WEIR_ABI_MAJOR + 1)
#else
#define TABLE_MAJOR WEIR_ABI_MAJOR
#endif

#ifdef FAULT_NO_ENTRY
#define weir_plugin_entry weir_plugin_exit
#endif
extern WEIR_EXPORT const weir_entry weir_plugin_entry;
const weir_entry weir_plugin_entry = {TABLE_MAJOR,     WEIR_ABI_MINOR, init,         deinit,
                                      component_count, descriptor,     get_interface};

/* ---- the note ---- */

#ifndef NOTE_TEXT
#define NOTE_TEXT WEIR_NOTE_JSON("fault", PLUGIN_VERSION, "\"fault.sink\":\"sink\"")
#endif
#ifndef FAULT_NO_NOTE
__attribute__((used, section(".note.weir"), aligned(4))) static const struct {
  uint32_t name_size, description_size, type;
  char name[8];
  char description[(sizeof(NOTE_TEXT) + 3) / 4 * 4];
} kNote = {sizeof(WEIR_NOTE_OWNER), sizeof(NOTE_TEXT), WEIR_NOTE_TYPE, WEIR_NOTE_OWNER, NOTE_TEXT};
#endif
