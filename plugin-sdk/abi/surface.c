/* Uses every public type of the plugin ABI, so that a compiler with -g describes them all. It is never linked into
 * anything: abidw reads the description, and abidiff compares it with baseline.abi. A new public type gets a line here;
 * tests/sdk/abi_test.cpp looks for those that are missing. */
#include "weir/plugin.h"

/* Tables that the host offers. */
WEIR_EXPORT const weir_clock_v1* weir_abi_clock;
WEIR_EXPORT const weir_delivery_v1* weir_abi_delivery;
WEIR_EXPORT const weir_gateway_v1* weir_abi_gateway;
WEIR_EXPORT const weir_ingress_v1* weir_abi_ingress;
WEIR_EXPORT const weir_keyvalue_v1* weir_abi_keyvalue;
WEIR_EXPORT const weir_log_v1* weir_abi_log;
WEIR_EXPORT const weir_metrics_v1* weir_abi_metrics;
WEIR_EXPORT const weir_socket_v1* weir_abi_socket;
WEIR_EXPORT const weir_timer_v1* weir_abi_timer;
WEIR_EXPORT const weir_watch_v1* weir_abi_watch;
WEIR_EXPORT weir_host* weir_abi_host;

/* Tables that a plugin offers. */
WEIR_EXPORT const weir_component_v1* weir_abi_component;
WEIR_EXPORT const weir_entry* weir_abi_entry;
WEIR_EXPORT const weir_sink_v1* weir_abi_sink;
WEIR_EXPORT const weir_source_v1* weir_abi_source;
WEIR_EXPORT const weir_transform_v1* weir_abi_transform;

/* Data that is not a parameter of those. */
WEIR_EXPORT const weir_event_v1* weir_abi_event;
WEIR_EXPORT const weir_metadata* weir_abi_metadata;
