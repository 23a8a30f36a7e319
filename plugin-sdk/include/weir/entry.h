/* How a library says that it is a Weir plugin: one exported table, and a note that is read before it is loaded. */
#ifndef WEIR_ENTRY_H
#define WEIR_ENTRY_H

#include "weir/base.h"
#include "weir/host.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef uint32_t weir_kind;
enum { WEIR_KIND_SOURCE = 1, WEIR_KIND_TRANSFORM = 2, WEIR_KIND_SINK = 3 };

/* Capabilities: what an isolated instance may do. Bits of weir_descriptor.capabilities. */
enum { WEIR_CAP_NET = 1u << 0, WEIR_CAP_FS = 1u << 1 };

/* Whether the successor may be prepared and started while the predecessor runs (a swap, a changed manifest). An exclusive
 * one is created then, which checks its configuration, and prepared when the predecessor has been stopped. */
enum { WEIR_TAKEOVER_OVERLAP = 0, WEIR_TAKEOVER_EXCLUSIVE = 1 };

/* For a transform. Pure: a function of event and configuration; no memory, clock or randomness. */
enum { WEIR_TRANSFORM_PURE = 0, WEIR_TRANSFORM_STATEFUL = 1 };

/* One component. All of it is constant and lives as long as the library is loaded. */
typedef struct weir_descriptor {
  uint32_t size;                 /* sizeof(weir_descriptor) of the plugin: fields may be added at the end */
  weir_kind kind;
  const char* name;              /* "plugin.component" */
  const char* description;       /* one line */
  const char* config_schema;     /* JSON Schema draft-07 of its configuration */
  const char* const* required;   /* null-terminated ids of host interfaces it cannot work without */
  const char* const* optional;   /* null-terminated ids of host interfaces it uses when they are there */
  uint32_t capabilities;
  uint32_t takeover;
  uint32_t transform;
  uint32_t reserved;
} weir_descriptor;

/* The one exported symbol: `const weir_entry weir_plugin_entry`. */
typedef struct weir_entry {
  uint32_t abi_major; /* WEIR_ABI_MAJOR it was built with; the first two fields never move */
  uint32_t abi_minor;

  /* Called once after loading, before any other function. `host` offers weir.log only and is valid until deinit
   * returns. Fails when the plugin cannot work on this machine at all. [control] */
  weir_status (*init)(weir_host* host, weir_error* error);

  /* Called once before unloading, when no instance exists. [control] */
  void (*deinit)(void);

  /* The number of components. [any thread] */
  uint32_t (*component_count)(void);

  /* The i-th descriptor, constant; null when i is out of range. [any thread] */
  const weir_descriptor* (*descriptor)(uint32_t i);

  /* The interface `id` of the component `name`, a constant table; null when it is not offered. [any thread] */
  const void* (*get_interface)(const char* name, const char* id);
} weir_entry;

#define WEIR_NOTE_OWNER "Weir"
#define WEIR_NOTE_TYPE 1u

#define WEIR_STRINGIFY_(x) #x
#define WEIR_STRINGIFY(x) WEIR_STRINGIFY_(x)

/* The note in full, for those who write it by hand: a JSON object with
 *   "abi": [major, lowest minor, highest minor], "id", "version" (semver), "components": {name: kind}. */
#define WEIR_NOTE_JSON(id, version, components)                                                       \
  "{\"abi\":[" WEIR_STRINGIFY(WEIR_ABI_MAJOR) "," WEIR_STRINGIFY(WEIR_ABI_MINOR) "," WEIR_STRINGIFY(  \
      WEIR_ABI_MINOR) "],\"id\":\"" id "\",\"version\":\"" version "\",\"components\":{" components "}}"

/* Puts the ELF note into the library, once a plugin, at file scope:
 *   WEIR_PLUGIN_NOTE("demo", "1.0.0", "\"demo.sink\":\"sink\"")
 * It is read without loading the library (ELF gABI, "Note Section"), because a constructor can abort. */
#define WEIR_PLUGIN_NOTE(id, version, components)                                                      \
  __attribute__((used, section(".note.weir"), aligned(4))) static const struct {                       \
    uint32_t name_size, description_size, type;                                                        \
    char name[8];                                                                                      \
    char description[(sizeof(WEIR_NOTE_JSON(id, version, components)) + 3) / 4 * 4];                   \
  } weir_plugin_note_ = {sizeof(WEIR_NOTE_OWNER), sizeof(WEIR_NOTE_JSON(id, version, components)),     \
                         WEIR_NOTE_TYPE, WEIR_NOTE_OWNER, WEIR_NOTE_JSON(id, version, components)};

#ifdef __cplusplus
}
#endif
#endif
