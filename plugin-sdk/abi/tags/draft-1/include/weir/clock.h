/* weir.clock: time, for sources and sinks. Transforms do not get it: their "now" is the events' own time. */
#ifndef WEIR_CLOCK_H
#define WEIR_CLOCK_H

#include "weir/host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_CLOCK "weir.clock.draft/1"

typedef struct weir_clock_v1 {
  /* Nanoseconds since the Unix epoch, by the gateway's clock. It can jump. [any thread] */
  int64_t (*wall_ns)(weir_host* host);

  /* Nanoseconds of CLOCK_MONOTONIC; what every deadline_ns of this ABI is measured in. [any thread] */
  int64_t (*monotonic_ns)(weir_host* host);

  /* 1 when the wall clock is plausible (it has been set since the machine started). [any thread] */
  uint32_t (*plausible)(weir_host* host);
} weir_clock_v1;

#ifdef __cplusplus
}
#endif
#endif
