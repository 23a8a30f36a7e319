/* One event as one line of JSON, in the form of docs/event.md. */
#ifndef EVENT_LINE_H
#define EVENT_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "weir/batch.h"

/* Text that grows. `failed` is set for good when there was no memory; check it once at the end. */
typedef struct line_buffer {
  char* data;
  size_t size, capacity;
  bool failed;
} line_buffer;

/* Adds the i-th event and a newline. */
void event_line_write(line_buffer* out, weir_text gateway_id, const weir_batch* batch, uint32_t i);

#endif
