/* weir.keyvalue: small durable state of a source or a sink (a position, a session), kept by the host.
 * It belongs to the instance's name and survives restarts and swaps. Stateful transforms do not use it: their state
 * is put() with their output, so that both advance as one. */
#ifndef WEIR_KEYVALUE_H
#define WEIR_KEYVALUE_H

#include "weir/host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_KEYVALUE "weir.keyvalue.draft/1"

#define WEIR_KEYVALUE_MAX_BYTES (1024u * 1024u) /* all keys and values of one instance */

typedef struct weir_keyvalue_v1 {
  /* Copies at most `capacity` bytes of the value to `buffer` and sets *size to the value's whole size.
   * WEIR_E_UNAVAILABLE when there is no such key. [any thread] */
  weir_status (*get)(weir_host* host, weir_text key, void* buffer, uint64_t capacity, uint64_t* size);

  /* Sets a value, copied; size 0 removes the key. get() sees it at once, the disk within a second; sync() waits.
   * WEIR_E_UNAVAILABLE when the instance's bytes are used up. [any thread] */
  weir_status (*put)(weir_host* host, weir_text key, const void* value, uint64_t size);

  /* Returns when every put before it is on disk, or WEIR_E_TIMEOUT. [may block until deadline] */
  weir_status (*sync)(weir_host* host, int64_t deadline_ns);
} weir_keyvalue_v1;

#ifdef __cplusplus
}
#endif
#endif
