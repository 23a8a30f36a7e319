/* weir.gateway: which gateway this is. A sink needs it for the idempotency key (gateway_id, epoch, sequence, part);
 * it is the same for every event, so it is not repeated in the batches. */
#ifndef WEIR_GATEWAY_H
#define WEIR_GATEWAY_H

#include "weir/host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_GATEWAY "weir.gateway.draft/1"

typedef struct weir_gateway_v1 {
  /* The gateway_id of gateway.json, not empty, at most 255 bytes. It never changes while the instance lives; the
   * text is the host's and is valid as long as the host handle. [any thread] */
  weir_text (*id)(weir_host* host);
} weir_gateway_v1;

#ifdef __cplusplus
}
#endif
#endif
