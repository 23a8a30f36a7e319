/* Everything a plugin in C needs. Read base.h first, then entry.h, component.h and the header of your kind. */
#ifndef WEIR_PLUGIN_H
#define WEIR_PLUGIN_H

#include "weir/base.h"
#include "weir/batch.h"
#include "weir/clock.h"
#include "weir/component.h"
#include "weir/entry.h"
#include "weir/gateway.h"
#include "weir/host.h"
#include "weir/keyvalue.h"
#include "weir/log.h"
#include "weir/metrics.h"
#include "weir/sink.h"
#include "weir/socket.h"
#include "weir/source.h"
#include "weir/timer.h"
#include "weir/transform.h"
#include "weir/watch.h"

#endif
