// The configuration of a modbus.source instance.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace modbus_source {

enum class Table { kHolding, kInput };
enum class Type { kU16, kI16, kU32, kI32, kF32 };

struct Register {
  Table table;
  int address;  // as in the protocol, from 0
  Type type;
  std::string sensor_type;
  std::string unit;  // UCUM, may be empty
  double scale;      // the value is what the register holds times this

  int words() const { return type == Type::kU16 || type == Type::kI16 ? 1 : 2; }
};

struct Config {
  std::string host;
  std::string port;
  std::string device_id;
  int unit_id = 1;  // the device behind a gateway; 1 to 247
  std::chrono::milliseconds poll{1000};
  std::chrono::milliseconds timeout{1000};
  std::chrono::milliseconds max_backoff{30000};
  std::vector<Register> registers;
};

// JSON Schema draft-07: the host has checked the configuration against it before it reaches read_config().
extern const char kConfigSchema[];

// Throws weir::sdk::Failure (WEIR_E_INVALID, with the key's JSON pointer).
Config read_config(std::string_view json);

}  // namespace modbus_source
