/* The host as an instance sees it: an opaque handle, and services found by string id. */
#ifndef WEIR_HOST_H
#define WEIR_HOST_H

#include "weir/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One a plugin and one an instance. Its only visible member is how services are found; never copy it. */
typedef struct weir_host weir_host;
struct weir_host {
  const void* (*get)(weir_host* host, const char* id);
};

/* The service `id` (a constant table such as weir_log_v1, valid as long as the host handle), or null when this
 * host does not offer it. [any thread] */
static inline const void* weir_host_get(weir_host* host, const char* id) { return host->get(host, id); }

#ifdef __cplusplus
}
#endif
#endif
