#include "device.h"

#include <bit>
#include <cerrno>

namespace modbus_source {

void Device::fail(const std::string& what) {
  const std::string text = what + ": " + modbus_strerror(errno);
  // libmodbus numbers the protocol's exceptions above every errno; the connection stays good after one. What it finds
  // wrong with the answer itself (EMBBADCRC and those after it) leaves the stream out of step.
  const bool is_exception = errno > MODBUS_ENOBASE && errno < EMBBADCRC;
  if (is_exception) throw Refused(text);
  close();
  throw Away(text);
}

void Device::connect() {
  std::unique_ptr<modbus_t, Closing> fresh(modbus_new_tcp_pi(config_.host.c_str(), config_.port.c_str()));
  const std::string where = config_.host + ":" + config_.port;
  if (fresh == nullptr) fail(where);
  const auto milliseconds = static_cast<uint32_t>(config_.timeout.count());
  modbus_set_response_timeout(fresh.get(), milliseconds / 1000, milliseconds % 1000 * 1000);
  if (modbus_set_slave(fresh.get(), config_.unit_id) != 0 || modbus_connect(fresh.get()) != 0) fail(where);
  connection_ = std::move(fresh);
}

double Device::read(const Register& wanted) {
  if (connection_ == nullptr) connect();
  uint16_t words[2] = {0, 0};
  const auto call = wanted.table == Table::kHolding ? modbus_read_registers : modbus_read_input_registers;
  if (call(connection_.get(), wanted.address, wanted.words(), words) != wanted.words()) {
    fail((wanted.table == Table::kHolding ? "holding register " : "input register ") +
         std::to_string(wanted.address));
  }
  const uint32_t both = static_cast<uint32_t>(words[0]) << 16 | words[1];
  switch (wanted.type) {
    case Type::kU16: return words[0] * wanted.scale;
    case Type::kI16: return static_cast<int16_t>(words[0]) * wanted.scale;
    case Type::kU32: return both * wanted.scale;
    case Type::kI32: return static_cast<int32_t>(both) * wanted.scale;
    case Type::kF32: return static_cast<double>(std::bit_cast<float>(both)) * wanted.scale;
  }
  return 0;
}

}  // namespace modbus_source
