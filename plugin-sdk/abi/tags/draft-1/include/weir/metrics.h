/* weir.metrics: numbers an instance shows in /metrics and `weir status`. The host adds the label `instance`. */
#ifndef WEIR_METRICS_H
#define WEIR_METRICS_H

#include "weir/host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_METRICS "weir.metrics.draft/1"

typedef uint32_t weir_metric; /* 0 is no metric; every function ignores it */

enum { WEIR_METRIC_COUNTER = 1, WEIR_METRIC_GAUGE = 2 };

typedef struct weir_metrics_v1 {
  /* Declares a metric and returns its handle; the same name gives the same handle. `name` is [a-z0-9_]+ without
   * prefix or unit suffix rules broken ("requests_total", "connections"); text is copied. 0 when the name is not
   * valid or the instance has 256 already. [any thread] */
  weir_metric (*declare)(weir_host* host, uint32_t kind, weir_text name, weir_text help);

  /* Adds to a counter (delta >= 0) or a gauge. Lock-free. [any thread] */
  void (*add)(weir_host* host, weir_metric metric, double delta);

  /* Sets a gauge. Lock-free. [any thread] */
  void (*set)(weir_host* host, weir_metric metric, double value);
} weir_metrics_v1;

#ifdef __cplusplus
}
#endif
#endif
