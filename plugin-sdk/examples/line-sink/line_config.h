/* The configuration of a line.sink instance. */
#ifndef LINE_CONFIG_H
#define LINE_CONFIG_H

#include <stdbool.h>

#include "weir/base.h"

typedef struct line_config {
  char* path; /* owned: free() it */
  bool sync;
} line_config;

/* JSON Schema draft-07. The host checks the configuration against it before create(). */
extern const char line_config_schema[];

/* Reads an object that fits the schema. On failure returns what is wrong, one line, and config->path is null. */
const char* line_config_read(weir_text json, line_config* config);

#endif
