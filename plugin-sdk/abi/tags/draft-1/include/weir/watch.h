/* weir.watch: tells when a file descriptor is ready, on the instance's event thread. */
#ifndef WEIR_WATCH_H
#define WEIR_WATCH_H

#include "weir/host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_WATCH "weir.watch.draft/1"

enum { WEIR_WATCH_READ = 1u << 0, WEIR_WATCH_WRITE = 1u << 1, WEIR_WATCH_ERROR = 1u << 2 };

/* Called when `fd` is ready for one of `events`; level-triggered. [host thread, must not block] */
typedef void (*weir_watch_callback)(void* context, int32_t fd, uint32_t events);

typedef struct weir_watch_v1 {
  /* Watches `fd`, which stays the plugin's; a second call for the same fd replaces the events. Fails with
   * WEIR_E_INVALID for a descriptor that cannot be polled. [any thread] */
  weir_status (*set)(weir_host* host, int32_t fd, uint32_t events, weir_watch_callback callback, void* context);

  /* Ends the watch; call it before closing fd. When it returns, the callback is not running and will not run,
   * unless it is called from the callback itself. [any thread] */
  void (*clear)(weir_host* host, int32_t fd);
} weir_watch_v1;

#ifdef __cplusplus
}
#endif
#endif
