/* weir.component: the life of an instance, the same for every kind.
 *
 *   create -> prepare -> start -> (pause -> resume)* -> drain -> stop -> destroy
 *
 * Calls are serial on the instance's control thread. destroy may follow any of them; a failed call leaves the
 * instance where it was. After stop returns the plugin has no thread left and calls nothing of the host.
 * Every deadline_ns is an instant of CLOCK_MONOTONIC. A call that overruns it is abandoned and reported.
 */
#ifndef WEIR_COMPONENT_H
#define WEIR_COMPONENT_H

#include "weir/host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_COMPONENT "weir.component.draft/1"

enum { WEIR_HEALTH_OK = 0, WEIR_HEALTH_DEGRADED = 1, WEIR_HEALTH_FAILED = 2 };

typedef struct weir_health {
  uint32_t state;
  uint32_t text_capacity; /* bytes of text, NUL included; the caller owns it */
  char* text;             /* why, one line; empty when ok */
} weir_health;

typedef struct weir_component_v1 {
  /* Makes an instance from its configuration: JSON text that fits the descriptor's schema, secrets resolved; it is
   * valid only during the call. Checks it and keeps what it needs; opens nothing. On success *self is the instance
   * and `host` is valid until destroy returns. [control] */
  weir_status (*create)(weir_host* host, weir_text config, void** self, weir_error* error);

  /* Gets what it needs: sockets, files, memory. Nothing is visible outside yet, a predecessor may still be
   * running. [control] [may block until deadline] */
  weir_status (*prepare)(void* self, int64_t deadline_ns, weir_error* error);

  /* Begins to work. [control] [may block until deadline] */
  weir_status (*start)(void* self, int64_t deadline_ns, weir_error* error);

  /* Stops taking new work, keeps everything held; resume() goes on. [control] [may block until deadline] */
  weir_status (*pause)(void* self, int64_t deadline_ns, weir_error* error);
  weir_status (*resume)(void* self, int64_t deadline_ns, weir_error* error);

  /* Takes nothing new and returns when all that was taken is settled (source) or completed (sink), answers
   * included. WEIR_E_TIMEOUT when the deadline came first. [control] [may block until deadline] */
  weir_status (*drain)(void* self, int64_t deadline_ns, weir_error* error);

  /* Ends: threads joined, descriptors closed. [control] [may block until deadline] */
  weir_status (*stop)(void* self, int64_t deadline_ns, weir_error* error);

  /* Frees the instance. Cannot fail. [control] */
  void (*destroy)(void* self);

  /* How it is. May run beside data calls. [any thread] [host thread, must not block] */
  void (*health)(void* self, weir_health* health);
} weir_component_v1;

#ifdef __cplusplus
}
#endif
#endif
