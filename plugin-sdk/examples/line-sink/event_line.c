#include "event_line.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void put(line_buffer* out, const char* data, size_t size) {
  if (out->failed) return;
  if (out->size + size > out->capacity) {
    size_t capacity = (out->size + size) * 2;
    char* grown = realloc(out->data, capacity);
    if (grown == NULL) {
      out->failed = true;
      return;
    }
    out->data = grown;
    out->capacity = capacity;
  }
  memcpy(out->data + out->size, data, size);
  out->size += size;
}

__attribute__((format(printf, 2, 3))) static void print(line_buffer* out, const char* format, ...) {
  char text[128]; /* every use below is shorter */
  va_list arguments;
  va_start(arguments, format);
  int size = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  put(out, text, (size_t)size);
}

/* The host has checked that text is UTF-8, so only what JSON reserves is escaped. */
static void put_string(line_buffer* out, weir_text text) {
  put(out, "\"", 1);
  uint64_t from = 0;
  for (uint64_t i = 0; i < text.size; ++i) {
    unsigned char c = (unsigned char)text.data[i];
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    put(out, text.data + from, i - from);
    print(out, c < 0x20 ? "\\u%04x" : "\\%c", c);
    from = i + 1;
  }
  if (text.size > from) put(out, text.data + from, text.size - from);
  put(out, "\"", 1);
}

static void put_base64(line_buffer* out, weir_text bytes) {
  static const char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  put(out, "\"", 1);
  for (uint64_t i = 0; i < bytes.size; i += 3) {
    uint64_t n = bytes.size - i < 3 ? bytes.size - i : 3;
    uint32_t word = 0;
    for (uint64_t k = 0; k < 3; ++k) word = word << 8 | (k < n ? (unsigned char)bytes.data[i + k] : 0u);
    char digits[4];
    for (uint64_t k = 0; k < 4; ++k) digits[k] = k <= n ? kDigits[word >> (18 - 6 * k) & 63] : '=';
    put(out, digits, 4);
  }
  put(out, "\"", 1);
}

static void put_hex(line_buffer* out, const char* key, const uint8_t id[16], bool dashes) {
  print(out, "\"%s\":\"", key);
  for (int i = 0; i < 16; ++i) print(out, dashes && (i == 4 || i == 6 || i == 8 || i == 10) ? "-%02x" : "%02x", id[i]);
  put(out, "\"", 1);
}

/* RFC 3339, UTC, nanoseconds. */
static void put_time(line_buffer* out, const char* key, int64_t unix_ns) {
  int64_t seconds = unix_ns / 1000000000, rest = unix_ns % 1000000000;
  if (rest < 0) {
    --seconds;
    rest += 1000000000;
  }
  time_t at = (time_t)seconds;
  struct tm utc;
  gmtime_r(&at, &utc);
  print(out, ",\"%s\":\"%04d-%02d-%02dT%02d:%02d:%02d.%09" PRId64 "Z\"", key, utc.tm_year + 1900, utc.tm_mon + 1,
        utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, rest);
}

static void put_value(line_buffer* out, const weir_batch* batch, const weir_event_v1* event) {
  static const char kKey[] = ",\"value\":";
  put(out, kKey, sizeof kKey - 1);
  switch (event->value_type) {
    case WEIR_F64: print(out, "%.17g", event->value.f64); break;
    case WEIR_I64: print(out, "%" PRId64, event->value.i64); break;
    case WEIR_BOOL: print(out, "%s", event->value.boolean ? "true" : "false"); break;
    case WEIR_STRING: put_string(out, weir_text_at(batch, event->value.ref)); break;
    case WEIR_BYTES:
      put_base64(out, weir_text_at(batch, event->value.ref));
      print(out, ",\"value_type\":\"bytes\"");
      break;
    default: /* a type of a later Weir */ print(out, "null,\"value_type\":%" PRIu32, event->value_type);
  }
}

static void put_metadata(line_buffer* out, const weir_batch* batch, const weir_event_v1* event) {
  print(out, ",\"metadata\":{");
  for (uint32_t i = 0; i < event->metadata_count; ++i) {
    weir_metadata pair;
    memcpy(&pair, (const char*)batch + event->metadata_offset + i * sizeof pair, sizeof pair);
    if (i > 0) put(out, ",", 1);
    put_string(out, weir_text_at(batch, pair.key));
    put(out, ":", 1);
    put_string(out, weir_text_at(batch, pair.value));
  }
  put(out, "}", 1);
}

static void put_text(line_buffer* out, const char* key, weir_text text) {
  print(out, ",\"%s\":", key);
  put_string(out, text);
}

void event_line_write(line_buffer* out, weir_text gateway_id, const weir_batch* batch, uint32_t i) {
  const weir_event_v1* event = weir_event_at(batch, i);
  put(out, "{", 1);
  put_hex(out, "id", event->id, true);
  put_text(out, "gateway_id", gateway_id);
  print(out, ",\"epoch\":\"%016" PRIx64 "\",\"sequence\":%" PRIu64 ",\"part\":%" PRIu32, batch->epoch, event->sequence,
        event->part);
  put_text(out, "device_id", weir_text_at(batch, event->device_id));
  put_time(out, "timestamp", event->timestamp_ns);
  put_time(out, "received_at", event->received_ns);
  put_text(out, "sensor_type", weir_text_at(batch, event->sensor_type));
  put_value(out, batch, event);
  if (event->unit.size > 0) put_text(out, "unit", weir_text_at(batch, event->unit));
  put_metadata(out, batch, event);
  put(out, ",", 1);
  put_hex(out, "trace_id", event->trace_id, false);
  put(out, "}\n", 2);
}
