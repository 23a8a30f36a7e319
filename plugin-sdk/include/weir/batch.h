/* The batch: a block of events in one layout everywhere, in process, in shared memory and in the journal's row.
 *
 *   0                 weir_batch                     the head
 *   header_size       weir_event_v1 * count          records, event_size bytes apart (the stride)
 *   anywhere          text, bytes, metadata pairs    what the records' weir_refs point at
 *   total_size
 *
 * References are offsets from the start of the block, so nothing is converted when it moves. Records begin at
 * header_size, which may lie behind the text: a record array can be rewritten without touching a reference.
 * A record may grow at its end; a reader steps by event_size and reads only the fields it knows.
 */
#ifndef WEIR_BATCH_H
#define WEIR_BATCH_H

#include "weir/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_BATCH_MAGIC 0x31425257u                 /* "WRB1" */
#define WEIR_BATCH_MAX_BYTES (16u * 1024u * 1024u)   /* a block is at most this long */
#define WEIR_BATCH_MAX_EVENTS 65536u
#define WEIR_TEXT_MAX_BYTES 4096u                    /* device_id, sensor_type, unit, dedupe_key, a metadata key */

/* A span of the block. size 0 means absent. */
typedef struct weir_ref {
  uint32_t offset;
  uint32_t size;
} weir_ref;

/* Head of a block; the block is 8-aligned. */
typedef struct weir_batch {
  uint32_t magic;       /* WEIR_BATCH_MAGIC */
  uint32_t header_size; /* offset of the first record, a multiple of 8 */
  uint32_t event_size;  /* the stride, at least sizeof(weir_event_v1), a multiple of 8 */
  uint32_t count;       /* records */
  uint64_t total_size;  /* bytes of the block, head included */
  uint64_t epoch;       /* set by the host; 0 before admission */
} weir_batch;

/* Value types. A type with the bit WEIR_VALUE_REF holds a reference, every other type holds its 8 bytes inline:
 * so a host or a transform can move a value of a type that it does not know. */
#define WEIR_VALUE_REF 0x100u
enum {
  WEIR_F64 = 1,  /* finite: NaN and infinities are invalid */
  WEIR_I64 = 2,
  WEIR_BOOL = 3, /* 0 or 1 */
  WEIR_STRING = WEIR_VALUE_REF | 1u,
  WEIR_BYTES = WEIR_VALUE_REF | 2u
};

/* Flags of an event. */
enum {
  WEIR_DERIVED = 1u << 0,        /* made by a transform */
  WEIR_REPLAY = 1u << 1,         /* delivered again by an operator's command */
  WEIR_RETAINED = 1u << 2,       /* the protocol said it is an old value kept for new subscribers */
  WEIR_CLOCK_SUSPECT = 1u << 3,  /* the gateway's clock was not plausible when it was received */
  WEIR_NO_DEVICE_TIME = 1u << 4, /* the device sent no time: timestamp_ns is the gateway's */
  WEIR_AUTHENTICATED = 1u << 5   /* the protocol has proved who sent it: the metadata WEIR_AUTH_SUBJECT says who */
};

/* Who sent an event, as its protocol has proved it: the subject of a client's certificate (RFC 4514), a login.
 * The one key of the host's that a source sets itself, on events with the flag WEIR_AUTHENTICATED and on no others,
 * so that what a device has written into its metadata is never taken for it. */
#define WEIR_AUTH_SUBJECT "weir.auth.subject"

typedef union weir_value {
  double f64;
  int64_t i64;
  uint64_t boolean;
  weir_ref ref;
} weir_value;

/* One event. Times are nanoseconds since the Unix epoch. */
typedef struct weir_event_v1 {
  uint8_t id[16];         /* UUIDv7 (RFC 9562), set by the host at admission */
  uint8_t trace_id[16];   /* W3C trace-context; equal to id unless the device sent one */
  uint8_t parent_span[8];
  uint64_t sequence;      /* set by the host */
  uint32_t part;          /* which of the outputs derived from one event; 0 for the first */
  uint32_t flags;
  int64_t timestamp_ns;   /* the device's time */
  int64_t received_ns;    /* the gateway's, set by the host */
  weir_ref device_id;     /* required, not empty */
  weir_ref sensor_type;   /* required, not empty */
  weir_ref unit;          /* UCUM code */
  weir_ref dedupe_key;    /* consecutive events of one batch with an equal key are looked up as one */
  uint32_t value_type;
  uint32_t metadata_count;
  weir_value value;
  uint32_t metadata_offset; /* metadata_count pairs, 4-aligned, sorted by key, keys unique */
  uint32_t reserved;
} weir_event_v1;

/* Keys that begin with "weir." are the host's alone; a source's are refused as invalid, except WEIR_AUTH_SUBJECT. */
typedef struct weir_metadata {
  weir_ref key;
  weir_ref value;
} weir_metadata;

WEIR_STATIC_ASSERT(sizeof(weir_batch) == 32, "layout");
WEIR_STATIC_ASSERT(sizeof(weir_event_v1) == 128, "layout");
WEIR_STATIC_ASSERT(sizeof(weir_metadata) == 16, "layout");

/* The i-th record of a block that has been validated; i < count. */
static inline const weir_event_v1* weir_event_at(const weir_batch* batch, uint32_t i) {
  return (const weir_event_v1*)(const void*)((const uint8_t*)batch + batch->header_size +
                                             (uint64_t)i * batch->event_size);
}

/* The bytes of a reference in a validated block. */
static inline weir_text weir_text_at(const weir_batch* batch, weir_ref ref) {
  weir_text text;
  text.data = ref.size ? (const char*)batch + ref.offset : (const char*)0;
  text.size = ref.size;
  return text;
}

#ifdef __cplusplus
}
#endif
#endif
