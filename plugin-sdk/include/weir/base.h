/* Weir plugin ABI: what every other header of it uses. C11, and C++ without a warning.
 *
 * Rules that hold for all of the ABI (docs/decisions/001-abi-walkthrough.md says why):
 *  - No C++ type, no exception and no allocation crosses the border. Whoever allocates frees.
 *  - Text is UTF-8 with an explicit size; it holds no NUL. Integers are little-endian, pointers 64 bits.
 *  - An interface is a table of functions with a string id. Once released it never changes: growth is a new id.
 *    While an id says "draft" it may change between minor versions of the ABI.
 *  - Each function's comment ends with the thread it is called on and the state it is called in:
 *      [control]                      the instance's control thread; calls on it are serial
 *      [any thread]                   may be called from any thread of the plugin or the host
 *      [host thread, must not block]  return within a millisecond; never wait, never do I/O
 *      [may block until deadline]     work may take until the deadline_ns passed in
 */
#ifndef WEIR_BASE_H
#define WEIR_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define WEIR_STATIC_ASSERT(condition, text) static_assert(condition, text)
extern "C" {
#else
#define WEIR_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif

WEIR_STATIC_ASSERT(sizeof(void*) == 8, "Weir's ABI is for 64-bit machines");
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Weir's ABI is for little-endian machines"
#endif

/* The version of the ABI these headers describe. Major 0 is the draft: a minor step may break it. */
#define WEIR_ABI_MAJOR 0
#define WEIR_ABI_MINOR 1

#define WEIR_EXPORT __attribute__((visibility("default")))

/* What a fallible call returns. Fixed-width so that a new value cannot change a signature. */
typedef int32_t weir_status;
enum {
  WEIR_OK = 0,
  WEIR_E_INVALID = 1,     /* the caller's data or configuration is wrong; the same call fails again */
  WEIR_E_UNAVAILABLE = 2, /* not now: a peer, a file or a resource is missing; try again later */
  WEIR_E_TIMEOUT = 3,     /* the deadline passed */
  WEIR_E_UNSUPPORTED = 4, /* this side does not offer what was asked for */
  WEIR_E_DENIED = 5,      /* not allowed: permission, capability, authentication */
  WEIR_E_INTERNAL = 6     /* a defect of the callee */
};

/* Text that is not owned. size counts bytes; data may be null when size is 0. */
typedef struct weir_text {
  const char* data;
  uint64_t size;
} weir_text;

/* Where a failing call says why. The caller provides it and owns all of it; the callee writes at most
 * text_capacity (pointer_capacity) bytes and NUL-terminates both. */
typedef struct weir_error {
  weir_status code;
  uint32_t retry_after_ms;   /* 0: no advice */
  char* text;                /* what is wrong and what to do, one line */
  uint32_t text_capacity;    /* bytes, NUL included */
  uint32_t pointer_capacity; /* bytes, NUL included */
  char* pointer;             /* RFC 6901 pointer into the configuration, "" when it is not about one key */
} weir_error;

#ifdef __cplusplus
}
#endif
#endif
