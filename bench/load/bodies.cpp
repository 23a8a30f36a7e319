#include "load/bodies.h"

#include <array>
#include <chrono>
#include <cstdio>

namespace weir::bench {
namespace {

struct Sensor {
  const char* type;
  const char* unit;
  double base;
};
constexpr std::array<Sensor, 4> kSensors = {{
    {"temperature", "Cel", 21.5}, {"pressure", "kPa", 101.3}, {"humidity", "%", 48.2}, {"voltage", "V", 3.71}}};

std::string make_event(uint32_t body, uint32_t index, int64_t timestamp_ns) {
  const Sensor& sensor = kSensors[(body + index) % kSensors.size()];
  std::array<char, 256> text{};
  std::snprintf(text.data(), text.size(),
                R"({"device_id":"device-%04u","timestamp":%lld,"sensor_type":"%s","value":%.2f,"unit":"%s"})",
                (body * 7 + index) % 1000, static_cast<long long>(timestamp_ns + index * 1'000'000LL), sensor.type,
                sensor.base + (body % 10) * 0.1 + (index % 100) * 0.01, sensor.unit);
  return text.data();
}

}  // namespace

std::vector<std::string> make_bodies(uint32_t count, uint32_t events_per_body) {
  auto now = std::chrono::system_clock::now().time_since_epoch();
  int64_t now_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
  std::vector<std::string> bodies;
  for (uint32_t body = 0; body < count; ++body) {
    std::string text;
    for (uint32_t i = 0; i < events_per_body; ++i) {
      text += i == 0 ? "" : ",";
      text += make_event(body, i, now_ns + body * 1'000'000'000LL);
    }
    bodies.push_back(events_per_body == 1 ? text : "[" + text + "]");
  }
  return bodies;
}

std::vector<std::string> make_requests(const std::vector<std::string>& bodies, const std::string& host,
                                       const std::string& path) {
  std::vector<std::string> requests;
  for (const std::string& body : bodies) {
    requests.push_back("POST " + path + " HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/json\r\n" +
                       "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  return requests;
}

}  // namespace weir::bench
