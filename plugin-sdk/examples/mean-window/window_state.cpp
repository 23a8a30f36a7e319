#include "window_state.h"

#include <cstring>

#include "weir/batch.h"

namespace mean_window {
namespace {

template <class T>
void append(std::string* bytes, const T& value) {
  bytes->append(reinterpret_cast<const char*>(&value), sizeof value);
}

void append_text(std::string* bytes, const std::string& text) {
  append(bytes, static_cast<uint32_t>(text.size()));
  *bytes += text;
}

template <class T>
bool take(std::string_view* bytes, T* value) {
  if (bytes->size() < sizeof *value) return false;
  std::memcpy(value, bytes->data(), sizeof *value);
  bytes->remove_prefix(sizeof *value);
  return true;
}

bool take_text(std::string_view* bytes, std::string* text) {
  uint32_t size = 0;
  if (!take(bytes, &size) || size > bytes->size()) return false;
  *text = bytes->substr(0, size);
  bytes->remove_prefix(size);
  return true;
}

}  // namespace

std::string key_of(const Window& window) {
  // The sizes keep "a" + "bc" apart from "ab" + "c".
  std::string key = std::to_string(window.start_ns) + " " + std::to_string(window.device_id.size()) + " " +
                    std::to_string(window.sensor_type.size()) + " " + window.device_id + window.sensor_type + window.unit;
  return key.size() <= WEIR_TEXT_MAX_BYTES ? key : "";
}

// Little-endian, as every machine that Weir runs on: start, count, total, then the texts, each behind its size.
std::string state_of(const Window& window, const Sum& sum) {
  std::string bytes;
  append(&bytes, window.start_ns);
  append(&bytes, sum.count);
  append(&bytes, sum.total);
  for (const std::string* text : {&window.device_id, &window.sensor_type, &window.unit}) append_text(&bytes, *text);
  return bytes;
}

bool read_state(std::string_view bytes, Window* window, Sum* sum) {
  return take(&bytes, &window->start_ns) && take(&bytes, &sum->count) && take(&bytes, &sum->total) &&
         take_text(&bytes, &window->device_id) && take_text(&bytes, &window->sensor_type) &&
         take_text(&bytes, &window->unit) && bytes.empty() && sum->count != 0;
}

}  // namespace mean_window
