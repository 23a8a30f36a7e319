// test.source; see probe_kit.cpp.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "probe_kit.h"

namespace weir::probe_kit {

class TestSource final : public Misbehaving<sdk::Source> {
 public:
  TestSource(sdk::Host host, std::string_view config);
  ~TestSource() override;

  void start(int64_t deadline_ns) override;
  void pause(int64_t deadline_ns) override;
  void resume(int64_t deadline_ns) override;
  void drain(int64_t deadline_ns) override;
  void stop(int64_t deadline_ns) override;
  void settled(std::span<const weir_settlement> settlements) override;
  void credit(uint64_t events, uint64_t bytes) override;

 private:
  TestSource(sdk::Host host, const nlohmann::json& config);
  void run();
  bool may_emit() const;
  void emit(std::unique_lock<std::mutex>& lock);
  void end();

  const sdk::Host host_;
  const uint64_t count_, batch_, devices_;
  const size_t in_flight_;
  const LineLog log_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<uint64_t, uint64_t> waiting_;  // batches not settled: token -> number of its first event
  uint64_t next_ = 0;                     // the number of the next event
  bool credit_ = true;
  bool paused_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace weir::probe_kit
