/* weir.timer: calls after a time, on the instance's event thread. */
#ifndef WEIR_TIMER_H
#define WEIR_TIMER_H

#include "weir/host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_TIMER "weir.timer.draft/1"

/* Called when a timer is due. [host thread, must not block] */
typedef void (*weir_timer_callback)(void* context, uint64_t timer);

typedef struct weir_timer_v1 {
  /* Starts a timer due in delay_ms, then every period_ms (0: once). Returns its handle, 0 when the instance has
   * 1,024 already. `context` must live until cancel returns or the instance has stopped. [any thread] */
  uint64_t (*start)(weir_host* host, uint64_t delay_ms, uint64_t period_ms, weir_timer_callback callback,
                    void* context);

  /* Ends a timer. When it returns, the callback is not running and will not run, unless it is called from the
   * callback itself. An unknown handle is ignored. [any thread] */
  void (*cancel)(weir_host* host, uint64_t timer);
} weir_timer_v1;

#ifdef __cplusplus
}
#endif
#endif
