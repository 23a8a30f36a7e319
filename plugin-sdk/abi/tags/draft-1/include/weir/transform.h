/* weir.transform: changes events on their way.
 *
 * A pure transform is a function of event and configuration. It runs between the journal and each sink, so a changed
 * one applies to the backlog too; its output must not depend on where batches are cut.
 * A stateful transform also remembers: what it put()s, what it outputs and its position advance as one.
 */
#ifndef WEIR_TRANSFORM_H
#define WEIR_TRANSFORM_H

#include "weir/batch.h"
#include "weir/host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_TRANSFORM "weir.transform.draft/1"

/* Fields that amend() can set. */
enum {
  WEIR_FIELD_TIMESTAMP = 1, /* i64: nanoseconds */
  WEIR_FIELD_DEVICE_ID = 2, /* text */
  WEIR_FIELD_SENSOR_TYPE = 3, /* text */
  WEIR_FIELD_UNIT = 4,      /* text; empty removes it */
  WEIR_FIELD_VALUE = 5,     /* by value_type */
  WEIR_FIELD_METADATA = 6   /* key and text; empty text removes the key */
};

/* What amend() sets a field to. Text and bytes are copied by the host. */
typedef struct weir_amendment {
  uint32_t field;
  uint32_t value_type; /* WEIR_FIELD_VALUE: the new type, WEIR_F64 ... */
  weir_value value;    /* TIMESTAMP (i64), VALUE of an inline type */
  weir_text text;      /* a text field's new content; VALUE of type STRING or BYTES */
  weir_text key;       /* WEIR_FIELD_METADATA */
} weir_amendment;

/* A new event. Text is copied. What is zero or empty is taken from the cause. */
typedef struct weir_new_event {
  int64_t timestamp_ns;
  weir_text device_id, sensor_type, unit;
  uint32_t value_type;
  uint32_t metadata_count;
  weir_value value;
  weir_text value_text;
  const weir_text* metadata; /* metadata_count pairs: key, value, key, value ... */
} weir_new_event;

/* Where a process() call puts its results; valid during that call, on its thread. Each event of the batch must get
 * exactly one of keep, drop, reject, or at least one emit() with it as the cause. amend() implies keep. Events that
 * got none are dropped with the reason "no decision" and counted as the plugin's fault.
 * Index i is the event's place in the batch. */
typedef struct weir_output weir_output;
struct weir_output {
  void (*keep)(weir_output* output, uint32_t i);
  /* reason: short and constant, it is a label of a metric ("out of range") */
  void (*drop)(weir_output* output, uint32_t i, weir_text reason);
  /* The event goes to the dead letters (manifest: on_error). */
  void (*reject)(weir_output* output, uint32_t i, uint32_t code, weir_text message);
  /* Changes one field of the i-th event. WEIR_E_INVALID when the amendment would make the event invalid. */
  weir_status (*amend)(weir_output* output, uint32_t i, const weir_amendment* amendment);
  /* Adds an event derived from the `cause`-th one; the host gives it id, sequence and part. */
  weir_status (*emit)(weir_output* output, uint32_t cause, const weir_new_event* event);
  /* Stateful only: sets (size 0: removes) a key of the state. */
  weir_status (*put)(weir_output* output, weir_text key, const void* value, uint64_t size);
};

typedef struct weir_transform_context {
  uint64_t position; /* of the first event, for a stateful transform: the same input has the same position */
  int64_t now_ns;    /* stateful: the largest received_ns or journaled tick so far; 0 for a pure one */
} weir_transform_context;

typedef struct weir_transform_v1 {
  /* Decides about each event of the batch, which is valid during the call. Calls for one self are serial. A status
   * other than WEIR_OK rejects every event that has no decision yet. [host thread, must not block] */
  weir_status (*process)(void* self, const weir_transform_context* context, const weir_batch* batch,
                         weir_output* output, weir_error* error);

  /* Stateful only, null otherwise: gives back one key of the state before start. format_version is what the
   * writer's state_format said. WEIR_E_UNSUPPORTED declines. [control] */
  weir_status (*restore)(void* self, uint32_t format_version, weir_text key, const void* value, uint64_t size,
                         weir_error* error);

  /* Stateful only, null otherwise: time has come to now_ns without an event. [host thread, must not block] */
  weir_status (*tick)(void* self, const weir_transform_context* context, weir_output* output, weir_error* error);

  uint32_t state_format; /* version of what is put(); 0 for a pure transform */
  uint32_t reserved;
} weir_transform_v1;

#ifdef __cplusplus
}
#endif
#endif
