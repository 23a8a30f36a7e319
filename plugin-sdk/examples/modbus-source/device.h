// The connection to one Modbus TCP device. One thread at a time.
#pragma once

#include <modbus/modbus.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "modbus_config.h"

namespace modbus_source {

// The device cannot be reached, or does not answer: the connection is closed.
struct Away : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// The device answered, and will not give this register.
struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Device {
 public:
  // `config` must outlive it.
  explicit Device(const Config& config) : config_(config) {}

  // Reads one register, connecting first when needed. Throws Away or Refused. Takes timeout_ms at most, and once more
  // to connect.
  double read(const Register& wanted);

  void close() { connection_.reset(); }

 private:
  struct Closing {
    void operator()(modbus_t* connection) const {
      modbus_close(connection);
      modbus_free(connection);
    }
  };
  void connect();
  [[noreturn]] void fail(const std::string& what);

  const Config& config_;
  std::unique_ptr<modbus_t, Closing> connection_;
};

}  // namespace modbus_source
