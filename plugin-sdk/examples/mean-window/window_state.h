// What is remembered of one open window, and the bytes that it is put down as.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace mean_window {

// Raise it when state_of() changes; read_state() may go on reading older ones.
constexpr uint32_t kStateFormat = 1;

// Ordered as windows are given out: by the end of the window, then by what it is of, whatever came first.
struct Window {
  int64_t start_ns = 0;
  std::string device_id, sensor_type, unit;
  auto operator<=>(const Window&) const = default;
};

struct Sum {
  uint64_t count = 0;
  double total = 0;
};

// The key of a window in the state. Long names make it too long for a key: then it is empty.
std::string key_of(const Window& window);
std::string state_of(const Window& window, const Sum& sum);
// False when these are not the bytes of a window.
bool read_state(std::string_view bytes, Window* window, Sum* sum);

}  // namespace mean_window
