// The bodies of the checks, by file. Each runs in a child process of its own, with the plugin loaded unless it is one
// of the file's.
#pragma once

#include "check/trial.h"

namespace weir::check {

// checks_file.cpp
void check_note(Trial& trial);
void check_symbols(Trial& trial);
void check_load(Trial& trial);
void check_unload(Trial& trial);

// checks_descriptor.cpp
void check_descriptor(Trial& trial);
void check_schema(Trial& trial);

// checks_config.cpp
void check_create(Trial& trial);
void check_create_opens_nothing(Trial& trial);
void check_config_values(Trial& trial);

// checks_life.cpp
void check_life_cycle(Trial& trial);
void check_work(Trial& trial);
void check_life_orders(Trial& trial);
void check_deadlines(Trial& trial);
void check_two_instances(Trial& trial);
void check_optional_services(Trial& trial);
void check_health(Trial& trial);
void check_does_not_block(Trial& trial);

// checks_process.cpp
void check_threads_left(Trial& trial);
void check_descriptors_left(Trial& trial);
void check_process_state(Trial& trial);
void check_leak(Trial& trial);
void check_leak_data(Trial& trial);

// checks_data.cpp
void check_batch_sizes(Trial& trial);
void check_value_kinds(Trial& trial);
void check_unknown_values(Trial& trial);
void check_larger_stride(Trial& trial);
void check_hostile_text(Trial& trial);
void check_batch_lifetime(Trial& trial);
void check_throughput(Trial& trial);

// checks_transform.cpp
void check_cut_independence(Trial& trial);
void check_pure(Trial& trial);
void check_state_round_trip(Trial& trial);
void check_state_declined(Trial& trial);
void check_tick(Trial& trial);

// checks_sink.cpp
void check_limits(Trial& trial);
void check_in_flight(Trial& trial);
void check_drain(Trial& trial);
void check_cancel(Trial& trial);

// checks_source.cpp
void check_settled_unknown(Trial& trial);
void check_settled_in_emit(Trial& trial);
void check_settled_failed(Trial& trial);
void check_credit(Trial& trial);
void check_busy(Trial& trial);
void check_pause(Trial& trial);
void check_drain_waits(Trial& trial);

// checks_swap.cpp
void check_swap(Trial& trial);
void check_kill(Trial& trial);

}  // namespace weir::check
