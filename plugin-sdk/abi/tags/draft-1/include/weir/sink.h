/* weir.sink: delivers events. The host's side of it is weir.delivery.
 *
 * Delivery is at least once: a sink can see an event again after a crash, with the same key
 * (gateway_id, epoch, sequence, part).
 */
#ifndef WEIR_SINK_H
#define WEIR_SINK_H

#include "weir/batch.h"
#include "weir/host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_SINK "weir.sink.draft/1"
#define WEIR_DELIVERY "weir.delivery.draft/1"

/* What a sink wishes; a manifest may lower it. 0 is the host's default. */
typedef struct weir_sink_limits {
  uint32_t max_batch_events;
  uint32_t max_batch_bytes;
  uint32_t linger_ms;     /* how long the host may wait to fill a batch */
  uint32_t max_in_flight; /* batches submitted and not completed; 1 keeps everything in order */
} weir_sink_limits;

typedef struct weir_sink_v1 {
  /* Its limits; asked once after prepare. [control] */
  void (*limits)(void* self, weir_sink_limits* limits);

  /* Takes a batch to deliver; it stays valid until `token` is completed or cancel(token) has returned. Events of
   * one device are in order, and must be delivered in it. The sink may work here (a database) or hand it to its
   * own thread. A status other than WEIR_OK means not taken: complete() is not called, the host tries again.
   * [host thread, may block until deadline] */
  weir_status (*submit)(void* self, const weir_batch* batch, uint64_t token, int64_t deadline_ns, weir_error* error);

  /* Gives a token up: when it returns, the batch is no longer read. The sink may still complete it (ignored).
   * [host thread, must not block] */
  void (*cancel)(void* self, uint64_t token);
} weir_sink_v1;

enum { WEIR_DELIVERED = 1, WEIR_RETRY = 2, WEIR_REJECT = 3 };

/* The outcome for one event. */
typedef struct weir_sink_result {
  uint32_t outcome;
  uint32_t retry_after_ms; /* RETRY: 0 leaves it to the host's backoff */
  uint32_t code;           /* REJECT, RETRY: the sink's own number, an HTTP status for example */
  uint32_t reserved;
  weir_text reason;        /* one line; copied */
} weir_sink_result;

typedef struct weir_delivery_v1 {
  /* Reports a submitted batch, exactly once a token; may be called within submit. `n` results in the batch's order;
   * n must be the batch's count, or 1 for all of them alike. A token that is unknown (abandoned, completed already)
   * is ignored and counted. [any thread] */
  void (*complete)(weir_host* host, uint64_t token, const weir_sink_result* results, uint32_t n);
} weir_delivery_v1;

#ifdef __cplusplus
}
#endif
#endif
