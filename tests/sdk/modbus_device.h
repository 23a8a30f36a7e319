// A Modbus TCP device: libmodbus's own server in a thread.
#pragma once

#include <modbus/modbus.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

namespace weir::test {

// Has registers 0 to 99 of both tables; what lies beyond is refused as an illegal address. Listens on 127.0.0.1 as long
// as it lives. Any thread.
class ModbusDevice {
 public:
  explicit ModbusDevice(uint16_t port);
  ModbusDevice(const ModbusDevice&) = delete;
  ModbusDevice& operator=(const ModbusDevice&) = delete;
  ~ModbusDevice();

  void set_holding(int address, uint16_t word);
  void set_input(int address, uint16_t word);

 private:
  void serve();
  void answer_until_gone(int client);
  // True when `fd` can be read, false when the device is to end.
  bool readable(int fd) const;

  std::unique_ptr<modbus_t, decltype(&modbus_free)> connection_;
  std::unique_ptr<modbus_mapping_t, decltype(&modbus_mapping_free)> registers_;
  std::mutex mutex_;  // guards *registers_
  int listening_ = -1;
  int ending_ = -1;  // an eventfd
  std::thread thread_;
};

}  // namespace weir::test
