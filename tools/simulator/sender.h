// Sends a fleet's messages at a given pace and never gives a message up while the gateway is busy or away: it is
// sent again under the same Idempotency-Key, so that no reading is stored twice. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "simulator/device.h"
#include "simulator/http_client.h"

namespace weir::simulator {

struct Plan {
  int devices = kDeviceKinds;
  uint64_t seed = 1;
  double fault_rate = 0.01;      // share of messages with an impossible value
  double messages_per_second = 12;  // of the whole fleet; 0: as fast as the gateway answers
  uint64_t count = 0;            // stop after this many messages; 0: no limit
  std::optional<std::chrono::duration<double>> duration;
};

struct Totals {
  uint64_t messages = 0;     // messages made
  uint64_t events = 0;       // events in them
  uint64_t accepted = 0;     // events answered with 2xx
  uint64_t refused = 0;      // events answered with 4xx: sent wrongly, never sent again
  uint64_t retries = 0;      // requests sent again
  uint64_t implausible = 0;  // messages with a value that enrich.validate should refuse
  uint64_t unsent = 0;       // events still unanswered when the run was stopped
};

class Sender {
 public:
  using Report = std::function<void(const std::string& line)>;

  // `report` gets a line when the gateway goes away, is busy, comes back, or refuses a message.
  Sender(const Plan& plan, Url url, Interrupt& interrupt, Report report);

  // Sends until the plan is done or the interrupt comes. `on_message` is called after each message.
  Totals run(const std::function<void(const Totals&)>& on_message);

 private:
  // False when interrupted before the gateway answered for good.
  bool deliver(const Message& message, const std::string& key);
  std::string next_key();

  Plan plan_;
  Interrupt& interrupt_;
  HttpClient client_;
  Report report_;
  std::vector<std::unique_ptr<Device>> devices_;
  std::string key_prefix_;
  Totals totals_;
};

}  // namespace weir::simulator
