// test.sink; see probe_kit.cpp.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "probe_kit.h"

namespace weir::probe_kit {

class TestSink final : public Misbehaving<sdk::Sink> {
 public:
  TestSink(sdk::Host host, std::string_view config);
  ~TestSink() override;

  void start(int64_t deadline_ns) override;
  void drain(int64_t deadline_ns) override;
  void stop(int64_t deadline_ns) override;
  weir_sink_limits limits() override { return limits_; }
  void submit(const weir_batch* batch, uint64_t token, int64_t deadline_ns) override;
  void cancel(uint64_t token) override;

 private:
  // A batch whose outcome is decided and that is to be completed later.
  struct Pending {
    uint64_t token;
    std::chrono::steady_clock::time_point due;
    std::vector<weir_sink_result> results;
    std::string lines;  // for the log
    bool twice;
  };

  TestSink(sdk::Host host, const nlohmann::json& config);
  nlohmann::json behaviour() const;
  Pending decide(const weir_batch* batch, uint64_t token, const nlohmann::json& behaviour) const;
  void complete(const Pending& pending) const;
  void run();
  void end();

  const sdk::Host host_;
  const nlohmann::json config_;
  const weir_sink_limits limits_;
  const LineLog log_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Pending> pending_;
  bool completing_ = false;  // the thread is in complete()
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace weir::probe_kit
