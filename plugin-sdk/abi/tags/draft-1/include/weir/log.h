/* weir.log: lines for the people who run the gateway. */
#ifndef WEIR_LOG_H
#define WEIR_LOG_H

#include "weir/host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_LOG "weir.log.draft/1"

enum { WEIR_LOG_DEBUG = 1, WEIR_LOG_INFO = 2, WEIR_LOG_WARN = 3, WEIR_LOG_ERROR = 4 };

typedef struct weir_log_v1 {
  /* Writes one line; the host adds time and instance. The text is copied. Lines over 4 KiB are cut, and an
   * instance that floods is thinned out with a count of what was left out. [any thread] */
  void (*write)(weir_host* host, uint32_t level, weir_text text);
} weir_log_v1;

#ifdef __cplusplus
}
#endif
#endif
