// Load for a gateway that may go away at any moment.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "end_to_end/site.h"

namespace weir::test {

// Posts batches on a connection of its own until told to stop, and remembers the ids that were acknowledged.
class Load {
 public:
  Load(const Site& site, int number) : thread_([this, &site, number] { run(site, number); }) {}
  ~Load() {
    stop_ = true;
    thread_.join();
  }
  size_t acknowledged() const { return count_; }
  void collect(std::vector<std::string>* ids) {
    std::lock_guard lock(mutex_);
    ids->insert(ids->end(), ids_.begin(), ids_.end());
    ids_.clear();
  }

 private:
  void run(const Site& site, int number) {
    for (int64_t value = 0; !stop_; value += 5) {
      try {
        HttpClient client = site.http();
        std::string body = events(5, int64_t{number} * 1'000'000'000 + value).dump();
        while (!stop_) {
          auto answer = client.request("POST", "/v1/events", body, {{"Content-Type", "application/json"}});
          if (!answer) break;
          if (answer->status != 202) continue;
          const nlohmann::json receipt = nlohmann::json::parse(answer->body);
          std::lock_guard lock(mutex_);
          for (const nlohmann::json& id : receipt["ids"]) ids_.push_back(id);
          count_ += 5;
        }
      } catch (const std::exception&) {
        std::this_thread::yield();  // the gateway is down: that is what this is about
      }
    }
  }

  std::atomic<bool> stop_{false};
  std::atomic<size_t> count_{0};
  std::mutex mutex_;
  std::vector<std::string> ids_;
  std::thread thread_;
};

}  // namespace weir::test
