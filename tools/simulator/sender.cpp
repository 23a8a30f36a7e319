#include "simulator/sender.h"

#include <algorithm>
#include <cstdio>
#include <random>

namespace weir::simulator {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// Waits between tries when the gateway does not say how long: doubled each time.
constexpr milliseconds kFirstWait{100};
constexpr milliseconds kLongestWait{5000};

int64_t wall_clock_ns() {
  auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

}  // namespace

Sender::Sender(const Plan& plan, Url url, Interrupt& interrupt, Report report)
    : plan_(plan), interrupt_(interrupt), client_(std::move(url), interrupt), report_(std::move(report)) {
  for (int i = 0; i < plan.devices; ++i) devices_.push_back(make_device(i, plan.seed, plan.fault_rate));
  // Keys must differ between runs, of the same seed too: a second run is new readings, not a repetition.
  std::random_device entropy;
  char prefix[32];
  std::snprintf(prefix, sizeof prefix, "sim-%08x%08x", entropy(), entropy());
  key_prefix_ = prefix;
}

std::string Sender::next_key() { return key_prefix_ + "-" + std::to_string(totals_.messages); }

Totals Sender::run(const std::function<void(const Totals&)>& on_message) {
  Clock::time_point start = Clock::now();
  Clock::time_point next = start;
  std::optional<Clock::time_point> end;
  if (plan_.duration) end = start + std::chrono::duration_cast<Clock::duration>(*plan_.duration);
  while (plan_.count == 0 || totals_.messages < plan_.count) {
    if (end && next >= *end) break;
    if (plan_.messages_per_second > 0) {
      if (!interrupt_.wait_until(next)) break;
      next += std::chrono::duration_cast<Clock::duration>(
          std::chrono::duration<double>(1 / plan_.messages_per_second));
      // After an outage devices go on from now; they do not send the readings that they did not take.
      next = std::max(next, Clock::now());
    } else {
      next = Clock::now();
    }
    Device& device = *devices_[totals_.messages % devices_.size()];
    Message message = device.next(wall_clock_ns());
    std::string key = next_key();
    ++totals_.messages;
    totals_.events += message.events;
    totals_.implausible += message.implausible;
    if (!deliver(message, key)) {
      totals_.unsent += message.events;
      break;
    }
    on_message(totals_);
  }
  return totals_;
}

bool Sender::deliver(const Message& message, const std::string& key) {
  milliseconds wait = kFirstWait;
  bool trouble = false;
  while (true) {
    Response response = client_.post(message.body, key);
    if (response.kind == Response::Kind::kInterrupted) return false;
    bool answered = response.kind == Response::Kind::kAnswered;
    if (answered && response.status >= 200 && response.status < 300) {
      totals_.accepted += message.events;
      if (trouble) report_("the gateway answers again");
      return true;
    }
    // 408 and 429 mean "not now", as every 5xx does.
    bool later = !answered || response.status >= 500 || response.status == 429 || response.status == 408;
    if (!later) {
      totals_.refused += message.events;
      report_("refused with " + std::to_string(response.status) + ": " + response.body + " for " + message.body);
      return true;
    }
    if (!trouble) {
      report_(answered ? "the gateway is busy (" + std::to_string(response.status) + "); sending it again later"
                       : "no gateway: " + response.problem + "; trying again");
    }
    trouble = true;
    milliseconds pause = response.retry_after ? milliseconds(*response.retry_after) : wait;
    wait = std::min(wait * 2, kLongestWait);
    if (!interrupt_.wait_until(Clock::now() + std::min(pause, kLongestWait))) return false;
    ++totals_.retries;
  }
}

}  // namespace weir::simulator
