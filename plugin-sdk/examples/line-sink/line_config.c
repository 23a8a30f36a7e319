#include "line_config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

const char line_config_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"path\"],\"properties\":{"
    "\"path\":{\"type\":\"string\",\"minLength\":1,\"description\":\"The file; its folder must be there\"},"
    "\"sync\":{\"type\":\"boolean\",\"default\":true,"
    "\"description\":\"Whether a batch must be on the disk before it counts as delivered\"}}}";

/* A reader for one flat object of texts and booleans, which is all that the schema lets through. A plugin with more
 * to configure brings a JSON library. */
typedef struct reader {
  const char* at;
  const char* end;
} reader;

static void skip_space(reader* in) {
  while (in->at < in->end && strchr(" \t\r\n", *in->at) != NULL) ++in->at;
}

static bool take(reader* in, const char* word) {
  skip_space(in);
  size_t size = strlen(word);
  if ((size_t)(in->end - in->at) < size || memcmp(in->at, word, size) != 0) return false;
  in->at += size;
  return true;
}

static bool hex4(reader* in, uint32_t* unit) {
  *unit = 0;
  for (int i = 0; i < 4; ++i, ++in->at) {
    if (in->at == in->end) return false;
    char c = *in->at;
    if (c >= '0' && c <= '9') *unit = *unit * 16 + (uint32_t)(c - '0');
    else if (c >= 'a' && c <= 'f') *unit = *unit * 16 + (uint32_t)(c - 'a' + 10);
    else if (c >= 'A' && c <= 'F') *unit = *unit * 16 + (uint32_t)(c - 'A' + 10);
    else return false;
  }
  return true;
}

/* A \u escape, with the second half of a surrogate pair where there is one, as UTF-8. */
static bool take_code_point(reader* in, char** to) {
  uint32_t code, low;
  if (!hex4(in, &code)) return false;
  if (code >= 0xd800 && code < 0xdc00) {
    if (!take(in, "\\u") || !hex4(in, &low) || low < 0xdc00 || low > 0xdfff) return false;
    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
  }
  if (code == 0) return false; /* a path cannot hold it */
  char* out = *to;
  if (code < 0x80) {
    *out++ = (char)code;
  } else if (code < 0x800) {
    *out++ = (char)(0xc0 | code >> 6);
    *out++ = (char)(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    *out++ = (char)(0xe0 | code >> 12);
    *out++ = (char)(0x80 | (code >> 6 & 0x3f));
    *out++ = (char)(0x80 | (code & 0x3f));
  } else {
    *out++ = (char)(0xf0 | code >> 18);
    *out++ = (char)(0x80 | (code >> 12 & 0x3f));
    *out++ = (char)(0x80 | (code >> 6 & 0x3f));
    *out++ = (char)(0x80 | (code & 0x3f));
  }
  *to = out;
  return true;
}

/* A JSON string as a NUL-terminated text that the caller frees, null when it is none. */
static char* take_string(reader* in) {
  if (!take(in, "\"")) return NULL;
  char* text = malloc((size_t)(in->end - in->at) + 1); /* escapes only get shorter */
  if (text == NULL) return NULL;
  char* out = text;
  while (in->at < in->end && *in->at != '"') {
    if (*in->at != '\\') {
      *out++ = *in->at++;
      continue;
    }
    static const char kEscapes[] = "\"\\/bfnrt", kMeanings[] = "\"\\/\b\f\n\r\t";
    if (++in->at == in->end) break;
    const char* escape = strchr(kEscapes, *in->at);
    if (escape != NULL && *escape != '\0') {
      *out++ = kMeanings[escape - kEscapes];
      ++in->at;
    } else if (*in->at++ != 'u' || !take_code_point(in, &out)) {
      break;
    }
  }
  *out = '\0';
  if (in->at < in->end && *in->at == '"') {
    ++in->at;
    return text;
  }
  free(text);
  return NULL;
}

static const char* read_members(reader* in, line_config* config) {
  if (!take(in, "{")) return "the configuration must be an object";
  while (!take(in, "}")) {
    take(in, ",");
    char* key = take_string(in);
    if (key == NULL || !take(in, ":")) {
      free(key);
      return "the configuration is not JSON";
    }
    const bool is_path = strcmp(key, "path") == 0, is_sync = strcmp(key, "sync") == 0;
    free(key);
    if (is_path && config->path == NULL) {
      config->path = take_string(in);
      if (config->path == NULL || config->path[0] == '\0') return "path must be the name of a file";
    } else if (is_sync && take(in, "true")) {
      config->sync = true;
    } else if (is_sync && take(in, "false")) {
      config->sync = false;
    } else {
      return "only path (text) and sync (true or false) can be configured";
    }
  }
  return config->path != NULL ? NULL : "path is missing: name the file";
}

const char* line_config_read(weir_text json, line_config* config) {
  reader in = {json.data, json.data + json.size};
  config->path = NULL;
  config->sync = true;
  const char* wrong = read_members(&in, config);
  if (wrong != NULL) {
    free(config->path);
    config->path = NULL;
  }
  return wrong;
}
