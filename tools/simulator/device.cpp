#include "simulator/device.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <nlohmann/json.hpp>
#include <numbers>

namespace weir::simulator {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kSecond = 1'000'000'000;
constexpr double kSecondsPerDay = 86400;

// -1 at the coldest hour (03:00 UTC), +1 at the warmest (15:00 UTC).
double daily_cycle(int64_t unix_ns) {
  double day = std::fmod(static_cast<double>(unix_ns / kSecond) / kSecondsPerDay, 1.0);
  return std::sin((day - 9.0 / 24.0) * 2 * std::numbers::pi);
}

// Sensors have a resolution; nobody's thermometer says 21.483726.
double rounded(double value, double step) {
  double result = std::round(value / step) * step;
  return std::round(result * 1e6) / 1e6;
}

// "2026-11-24T20:15:00.250Z": what most devices send.
std::string rfc3339_milliseconds(int64_t unix_ns) {
  time_t seconds = static_cast<time_t>(unix_ns / kSecond);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text.data() + length, text.size() - length, ".%03dZ",
                static_cast<int>(unix_ns % kSecond / 1'000'000));
  return text.data();
}

// How a device tells the time.
enum class Clock { kRfc3339, kNanoseconds, kNone };

// A device described by data and one function that reads its sensors. Events are collected and sent as one
// object when there is one, as an array when there are several.
class SensorDevice final : public Device {
 public:
  class Reading;
  using Sense = void (*)(SensorDevice& self, int64_t unix_ns);

  SensorDevice(std::string id, uint64_t seed, double fault_rate, std::string site, std::string model, Clock clock,
               Sense sense)
      : Device(std::move(id), seed),
        fault_rate_(fault_rate),
        site_(std::move(site)),
        model_(std::move(model)),
        clock_(clock),
        sense_(sense) {
    // Devices of one kind are not clones.
    offset_ = random_.gauss();
    battery_mv_ = 3900 + 300 * random_.uniform();
    counter_ = static_cast<int64_t>(random_.uniform() * 1e6);
  }

  Message next(int64_t unix_ns) override {
    events_ = Json::array();
    implausible_ = false;
    unix_ns_ = unix_ns;
    sense_(*this, unix_ns);
    Message message;
    message.events = static_cast<uint32_t>(events_.size());
    message.implausible = implausible_;
    message.body = events_.size() == 1 ? events_[0].dump() : events_.dump();
    return message;
  }

  // A number from a sensor; now and then the sensor is broken and says `impossible` instead.
  void number(const char* sensor_type, double value, double step, const char* unit, double impossible) {
    if (random_.chance(fault_rate_)) {
      implausible_ = true;
      value = impossible;
    }
    add(sensor_type, rounded(value, step), unit);
  }
  void count(const char* sensor_type, int64_t value, const char* unit) { add(sensor_type, value, unit); }
  void flag(const char* sensor_type, bool value) { add(sensor_type, value, nullptr); }
  void text(const char* sensor_type, const char* value) { add(sensor_type, value, nullptr); }

  Random& random() { return random_; }
  double noise(double size) { return random_.gauss() * size; }
  double offset() const { return offset_; }
  int64_t advance_counter(int64_t by) { return counter_ += by; }
  // Drains a little with every message; somebody changes it when it is empty.
  double drain_battery() {
    battery_mv_ -= 0.5 + random_.uniform();
    if (battery_mv_ < 3000) battery_mv_ = 4200;
    return battery_mv_;
  }
  // A value that wanders and is drawn back to `mean`.
  double wander(double mean, double step) {
    if (std::isnan(wandering_)) wandering_ = mean;
    wandering_ += 0.05 * (mean - wandering_) + random_.gauss() * step;
    return wandering_;
  }
  bool toggle(double probability) {
    if (random_.chance(probability)) on_ = !on_;
    return on_;
  }

 private:
  void add(const char* sensor_type, Json value, const char* unit) {
    Json event;
    event["device_id"] = id_;
    if (clock_ == Clock::kRfc3339) event["timestamp"] = rfc3339_milliseconds(unix_ns_);
    if (clock_ == Clock::kNanoseconds) event["timestamp"] = unix_ns_;
    event["sensor_type"] = sensor_type;
    event["value"] = std::move(value);
    if (unit != nullptr) event["unit"] = unit;
    event["metadata"] = {{"site", site_}, {"model", model_}};
    events_.push_back(std::move(event));
  }

  double fault_rate_;
  std::string site_;
  std::string model_;
  Clock clock_;
  Sense sense_;
  double offset_ = 0;
  double battery_mv_ = 0;
  double wandering_ = std::numeric_limits<double>::quiet_NaN();
  int64_t counter_ = 0;
  bool on_ = false;
  Json events_;
  bool implausible_ = false;
  int64_t unix_ns_ = 0;
};

void boiler(SensorDevice& d, int64_t now) {
  d.number("temperature", 149 + 6 * daily_cycle(now) + 2 * d.offset() + d.noise(0.8), 0.1, "[degF]", 9999);
}

void cold_room(SensorDevice& d, int64_t now) {
  d.number("temperature", -18 + 0.6 * daily_cycle(now) + 0.4 * d.offset() + d.noise(0.15), 0.1, "Cel", -400);
}

void greenhouse(SensorDevice& d, int64_t now) {
  double cycle = daily_cycle(now);
  d.number("temperature", 22 + 6 * cycle + d.offset() + d.noise(0.2), 0.1, "Cel", 999);
  d.number("humidity", std::clamp(68 - 14 * cycle + 2 * d.offset() + d.noise(0.8), 5.0, 100.0), 0.5, "%", 250);
  d.number("illuminance", std::max(0.0, 32000 * cycle + d.noise(900)), 10, "lx", -500);
}

void compressor(SensorDevice& d, int64_t) {
  d.number("pressure", d.wander(116, 1.2) + 2 * d.offset(), 0.1, "[psi]", -300);
}

void water_main(SensorDevice& d, int64_t now) {
  d.number("pressure", 4.2 - 0.4 * daily_cycle(now) + 0.1 * d.offset() + d.noise(0.03), 0.01, "bar", 99999);
}

void wind_mast(SensorDevice& d, int64_t) {
  d.number("wind_speed", std::abs(d.wander(11, 1.1) + d.offset()), 0.1, "[mi_i]/h", 1200);
}

void solar_meter(SensorDevice& d, int64_t now) {
  double power = std::max(0.0, daily_cycle(now));
  d.count("energy", d.advance_counter(1 + static_cast<int64_t>(8 * power * d.random().uniform())), "W.h");
}

void door(SensorDevice& d, int64_t) { d.flag("door_open", d.toggle(0.08)); }

void office(SensorDevice& d, int64_t now) {
  double cycle = daily_cycle(now);
  d.number("co2", 620 + 260 * std::max(0.0, cycle) + 30 * d.offset() + d.noise(12), 1, "[ppm]", -1);
  d.number("temperature", 294.3 + 1.2 * cycle + 0.4 * d.offset() + d.noise(0.1), 0.1, "K", -5);
}

void tracker(SensorDevice& d, int64_t) {
  d.number("battery", d.drain_battery(), 1, "mV", -1000);
  d.number("rssi", std::clamp(d.wander(-78, 1.5), -120.0, -30.0), 1, "dBm", 500);
}

void pump(SensorDevice& d, int64_t) {
  double at = d.random().uniform();
  d.text("status", at < 0.9 ? "running" : at < 0.985 ? "idle" : "fault: dry run");
}

void soil_probe(SensorDevice& d, int64_t now) {
  d.number("humidity", std::clamp(34 - 3 * daily_cycle(now) + 2 * d.offset() + d.noise(0.3), 0.0, 100.0), 0.1, "%", -40);
  d.number("battery", d.drain_battery() / 1000, 0.001, "V", 90);
}

struct Kind {
  const char* name;
  const char* site;
  const char* model;
  Clock clock;
  SensorDevice::Sense sense;
};

constexpr std::array<Kind, kDeviceKinds> kKinds = {{
    {"boiler", "plant-room", "HX-200", Clock::kRfc3339, boiler},
    {"cold-room", "kitchen", "TK-11", Clock::kRfc3339, cold_room},
    {"greenhouse", "north-field", "GH-3", Clock::kRfc3339, greenhouse},
    {"compressor", "workshop", "CP-75", Clock::kNanoseconds, compressor},
    {"water-main", "plant-room", "WM-2", Clock::kRfc3339, water_main},
    {"wind-mast", "roof", "WX-9", Clock::kNanoseconds, wind_mast},
    {"solar-meter", "roof", "PV-40", Clock::kRfc3339, solar_meter},
    {"door", "gate", "DS-1", Clock::kNone, door},
    {"office", "first-floor", "AQ-5", Clock::kRfc3339, office},
    {"tracker", "yard", "TR-8", Clock::kRfc3339, tracker},
    {"pump", "well", "PU-3", Clock::kRfc3339, pump},
    {"soil-probe", "north-field", "SP-1", Clock::kNone, soil_probe},
}};

}  // namespace

uint64_t Random::next() {
  uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

double Random::uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

double Random::gauss() {
  // The sum of twelve uniform numbers less six: near enough to normal for a thermometer.
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += uniform();
  return sum;
}

std::unique_ptr<Device> make_device(int index, uint64_t seed, double fault_rate) {
  const Kind& kind = kKinds[static_cast<size_t>(index % kDeviceKinds)];
  std::array<char, 48> id{};
  std::snprintf(id.data(), id.size(), "%s-%02d", kind.name, index / kDeviceKinds + 1);
  // Mixed, so that neighbours do not run in step.
  uint64_t device_seed = Random(seed * 0x9e3779b97f4a7c15ULL + static_cast<uint64_t>(index)).next();
  return std::make_unique<SensorDevice>(id.data(), device_seed, fault_rate, kind.site, kind.model, kind.clock,
                                        kind.sense);
}

}  // namespace weir::simulator
