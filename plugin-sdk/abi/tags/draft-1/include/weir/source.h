/* weir.source: takes data in. The host's side of it is weir.ingress.
 *
 * A source maps the protocol's message to a batch and emits it. It answers its device only when the batch is
 * settled: DURABLE means that the events will not be lost any more.
 */
#ifndef WEIR_SOURCE_H
#define WEIR_SOURCE_H

#include "weir/batch.h"
#include "weir/host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_SOURCE "weir.source.draft/1"
#define WEIR_INGRESS "weir.ingress.draft/1"

enum { WEIR_DURABLE = 1, WEIR_FAILED = 2 };

/* The fate of one emitted batch. */
typedef struct weir_settlement {
  uint64_t token;          /* as given to emit */
  uint32_t state;          /* WEIR_DURABLE or WEIR_FAILED */
  uint32_t count;          /* events */
  uint64_t epoch;
  uint64_t first_sequence; /* of the batch's first event; the others follow, except where duplicates were found */
  const uint8_t (*ids)[16]; /* count ids in the batch's order; for a duplicate, the id it got the first time */
  uint32_t duplicates;     /* how many of count were known already and are not stored again */
  uint32_t retry_after_ms; /* for WEIR_FAILED: advice for the device */
} weir_settlement;

typedef struct weir_source_v1 {
  /* Tells what became of emitted batches; the array and what it points at are valid during the call. Exactly one
   * settlement comes for each accepted token; it may come before emit returns. [host thread, must not block] */
  void (*settled)(void* self, const weir_settlement* settlements, uint32_t n);

  /* How much the host would take now, in events and in bytes of batches. 0: stop reading from devices. A hint:
   * emit may answer BUSY all the same. [host thread, must not block] */
  void (*credit)(void* self, uint64_t events, uint64_t bytes);
} weir_source_v1;

enum { WEIR_ACCEPTED = 1, WEIR_BUSY = 2, WEIR_INVALID = 3 };

/* The answer to emit. The caller provides it with `message` pointing at message_capacity bytes of its own (or 0). */
typedef struct weir_emit_result {
  uint32_t retry_after_ms;   /* BUSY: when to try again */
  uint32_t index;            /* INVALID: the event that is wrong; nothing of the batch was taken */
  char field[32];            /* INVALID: the field, "value" for example; NUL-terminated */
  char* message;             /* why, one line, NUL-terminated */
  uint32_t message_capacity; /* bytes, NUL included */
  uint32_t reserved;
} weir_emit_result;

typedef struct weir_ingress_v1 {
  /* Offers a batch, which is copied: it is the caller's again when emit returns. Never blocks. Returns
   * WEIR_ACCEPTED (one settlement with `token` follows), WEIR_BUSY or WEIR_INVALID (no settlement follows).
   * The host sets id, sequence, part, received_ns and epoch; trace_id where it is zero; timestamp_ns where
   * WEIR_NO_DEVICE_TIME is set. [any thread] [running] */
  uint32_t (*emit)(weir_host* host, const weir_batch* batch, uint64_t token, weir_emit_result* result);
} weir_ingress_v1;

#ifdef __cplusplus
}
#endif
#endif
