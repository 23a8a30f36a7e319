#include "sdk/modbus_device.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <stdexcept>

namespace weir::test {

ModbusDevice::ModbusDevice(uint16_t port)
    : connection_(modbus_new_tcp("127.0.0.1", port), modbus_free),
      registers_(modbus_mapping_new(0, 0, 100, 100), modbus_mapping_free),
      listening_(modbus_tcp_listen(connection_.get(), 1)),
      ending_(eventfd(0, EFD_CLOEXEC)) {
  if (listening_ < 0) throw std::runtime_error("the Modbus device cannot listen");
  thread_ = std::thread([this] { serve(); });
}

ModbusDevice::~ModbusDevice() {
  eventfd_write(ending_, 1);
  thread_.join();
  close(listening_);
  close(ending_);
}

void ModbusDevice::set_holding(int address, uint16_t word) {
  std::lock_guard lock(mutex_);
  registers_->tab_registers[address] = word;
}

void ModbusDevice::set_input(int address, uint16_t word) {
  std::lock_guard lock(mutex_);
  registers_->tab_input_registers[address] = word;
}

bool ModbusDevice::readable(int fd) const {
  pollfd wanted[] = {{fd, POLLIN, 0}, {ending_, POLLIN, 0}};
  poll(wanted, 2, -1);
  return wanted[1].revents == 0;
}

void ModbusDevice::serve() {
  while (readable(listening_)) {
    const int client = modbus_tcp_accept(connection_.get(), &listening_);
    if (client < 0) continue;
    answer_until_gone(client);
    modbus_close(connection_.get());
  }
}

void ModbusDevice::answer_until_gone(int client) {
  uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
  while (readable(client)) {
    const int size = modbus_receive(connection_.get(), query);
    if (size < 0) return;
    std::lock_guard lock(mutex_);
    modbus_reply(connection_.get(), query, size, registers_.get());
  }
}

}  // namespace weir::test
