#include "load/generator.h"

#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <deque>

#include "load/bodies.h"
#include "load/client_connection.h"

namespace weir::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;

// A busy gateway says "in a second"; the generator asks again sooner, because it measures.
constexpr std::chrono::milliseconds kBusyPause{20};

double own_cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Clock::duration to_clock(std::chrono::duration<double> seconds) {
  return std::chrono::duration_cast<Clock::duration>(seconds);
}

class Generator {
 public:
  explicit Generator(const LoadOptions& options)
      : options_(options),
        requests_(make_requests(make_bodies(kBodyPool, options.events_per_request),
                                "127.0.0.1:" + std::to_string(options.port), options.path)),
        lanes_(options.connections),
        epoll_(epoll_create1(EPOLL_CLOEXEC)) {}
  ~Generator() { close(epoll_); }
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;

  LoadResult run();

 private:
  // One connection and the request that is on it.
  struct Lane {
    ClientConnection connection;
    Time due{};            // when the request was due (open loop) or sent (closed loop)
    Time free_at{};        // after a busy answer
    bool watches_write = false;
    bool asking = false;
  };

  bool connect_all();
  void make_due(Time now);
  void start_due(Time now);
  void ask(uint32_t index, Time due);
  void on_ready(uint32_t index);
  void on_answer(uint32_t index, Time now);
  void on_broken(uint32_t index);
  void watch(uint32_t index, bool write, int operation);
  bool open_loop() const { return options_.requests_per_second > 0; }
  void wait(Time until);
  void begin_measuring();
  void finish(Time end);
  bool done(Time now) const;

  LoadOptions options_;
  std::vector<std::string> requests_;
  std::vector<Lane> lanes_;
  int epoll_;
  std::deque<uint32_t> free_;
  std::deque<Time> due_;  // open loop: due and not sent
  uint64_t made_due_ = 0;
  uint64_t sent_ = 0;
  uint32_t asking_ = 0;
  bool measuring_ = false;
  Time start_{}, measure_from_{}, end_{};
  std::vector<int64_t> latencies_ns_;
  double own_cpu_before_ = 0;
  double gateway_cpu_before_ = 0;
  LoadResult result_;
};

LoadResult Generator::run() {
  if (!connect_all()) return result_;
  start_ = Clock::now();
  measure_from_ = start_ + to_clock(options_.warm_up);
  end_ = measure_from_ + to_clock(options_.duration);
  Time now = start_;
  while (!done(now)) {
    if (!measuring_ && now >= measure_from_) begin_measuring();
    make_due(now);
    start_due(now);
    Time next = measuring_ ? end_ : measure_from_;
    if (now >= end_) next = end_ + to_clock(options_.drain);
    if (open_loop() && now < end_ && due_.empty()) {
      next = std::min(next, start_ + to_clock(std::chrono::duration<double>(
                                         static_cast<double>(made_due_) / options_.requests_per_second)));
    }
    if (!free_.empty() && lanes_[free_.front()].free_at > now) next = std::min(next, lanes_[free_.front()].free_at);
    wait(next);
    now = Clock::now();
  }
  finish(std::min(now, std::max(end_, measure_from_)));
  return result_;
}

bool Generator::connect_all() {
  for (uint32_t i = 0; i < lanes_.size(); ++i) {
    if (!lanes_[i].connection.connect_to(options_.port)) {
      result_.problem = "nobody listens on 127.0.0.1:" + std::to_string(options_.port);
      return false;
    }
    watch(i, false, EPOLL_CTL_ADD);
    free_.push_back(i);
  }
  return true;
}

bool Generator::done(Time now) const {
  if (options_.max_events != 0 && result_.total_acknowledged >= options_.max_events) return true;
  if (now < end_) return false;
  bool nothing_left = due_.empty() && asking_ == 0;
  return !open_loop() || nothing_left || now >= end_ + to_clock(options_.drain);
}

void Generator::make_due(Time now) {
  if (!open_loop()) return;
  double elapsed = std::chrono::duration<double>(std::min(now, end_) - start_).count();
  auto should = static_cast<uint64_t>(elapsed * options_.requests_per_second) + 1;
  for (; made_due_ < should; ++made_due_) {
    due_.push_back(start_ + to_clock(std::chrono::duration<double>(static_cast<double>(made_due_) /
                                                                   options_.requests_per_second)));
  }
}

void Generator::start_due(Time now) {
  while (!free_.empty() && lanes_[free_.front()].free_at <= now) {
    if (open_loop() ? due_.empty() : now >= end_) return;
    uint32_t index = free_.front();
    free_.pop_front();
    Time due = now;
    if (open_loop()) {
      due = due_.front();
      due_.pop_front();
    }
    ask(index, due);
  }
}

void Generator::ask(uint32_t index, Time due) {
  Lane& lane = lanes_[index];
  lane.due = due;
  lane.asking = true;
  ++asking_;
  auto progress = lane.connection.send(requests_[sent_++ % requests_.size()]);
  if (progress == ClientConnection::Progress::kBroken) return on_broken(index);
  if (lane.connection.wants_to_write()) watch(index, true, EPOLL_CTL_MOD);
}

void Generator::wait(Time until) {
  auto left = std::max(until - Clock::now(), Clock::duration::zero());
  auto left_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(left).count();
  timespec timeout{static_cast<time_t>(left_ns / 1'000'000'000), static_cast<long>(left_ns % 1'000'000'000)};
  epoll_event events[64];
  int count = epoll_pwait2(epoll_, events, 64, &timeout, nullptr);
  for (int i = 0; i < count; ++i) on_ready(events[i].data.u32);
}

void Generator::on_ready(uint32_t index) {
  Lane& lane = lanes_[index];
  switch (lane.connection.advance()) {
    case ClientConnection::Progress::kMore:
      if (lane.watches_write != lane.connection.wants_to_write()) {
        watch(index, lane.connection.wants_to_write(), EPOLL_CTL_MOD);
      }
      return;
    case ClientConnection::Progress::kBroken:
      return on_broken(index);
    case ClientConnection::Progress::kAnswered:
      return on_answer(index, Clock::now());
  }
}

void Generator::on_answer(uint32_t index, Time now) {
  Lane& lane = lanes_[index];
  lane.asking = false;
  --asking_;
  int status = lane.connection.status();
  bool acknowledged = status >= 200 && status < 300;
  bool busy = status == 503 || status == 429;
  if (acknowledged) {
    result_.total_acknowledged += options_.events_per_request;
    result_.answer_bytes = lane.connection.body_bytes();
  }
  // What was answered after the end counts for the latencies of an open loop, not for the rate.
  if (measuring_ && now <= end_) {
    ++result_.requests;
    if (acknowledged) result_.acknowledged_events += options_.events_per_request;
    if (busy) ++result_.busy;
    if (!acknowledged && !busy) ++result_.refused;
  }
  if (acknowledged && measuring_ && lane.due >= measure_from_) {
    latencies_ns_.push_back(std::chrono::duration_cast<std::chrono::nanoseconds>(now - lane.due).count());
  }
  lane.free_at = busy ? now + kBusyPause : Time{};
  if (busy && open_loop()) {
    // It is still due: a device would send it again.
    due_.push_front(lane.due);
  }
  if (busy) {
    free_.push_back(index);
  } else {
    free_.push_front(index);
  }
  if (!busy) start_due(now);
}

void Generator::on_broken(uint32_t index) {
  Lane& lane = lanes_[index];
  ++result_.broken;
  if (lane.asking) {
    lane.asking = false;
    --asking_;
    if (open_loop()) due_.push_front(lane.due);
    free_.push_back(index);
  }
  lane.free_at = Clock::now() + kBusyPause;
  if (!lane.connection.connect_to(options_.port)) {
    result_.problem = "the connection broke and nobody listens on 127.0.0.1:" + std::to_string(options_.port);
    end_ = std::min(end_, Clock::now());
    return;
  }
  watch(index, false, EPOLL_CTL_ADD);
}

void Generator::watch(uint32_t index, bool write, int operation) {
  epoll_event event{};
  event.events = EPOLLIN | (write ? static_cast<uint32_t>(EPOLLOUT) : 0u);
  event.data.u32 = index;
  epoll_ctl(epoll_, operation, lanes_[index].connection.fd(), &event);
  lanes_[index].watches_write = write;
}

void Generator::begin_measuring() {
  measuring_ = true;
  measure_from_ = Clock::now();
  end_ = measure_from_ + to_clock(options_.duration);
  if (options_.gateway != 0) {
    reset_peak_rss(options_.gateway);
    gateway_cpu_before_ = process_usage(options_.gateway).cpu_seconds;
  }
  own_cpu_before_ = own_cpu_seconds();
}

void Generator::finish(Time end) {
  result_.behind = due_.size() + asking_ * (open_loop() ? 1u : 0u);
  if (!measuring_) return;
  result_.seconds = std::chrono::duration<double>(end - measure_from_).count();
  result_.generator_cpu_seconds = own_cpu_seconds() - own_cpu_before_;
  if (options_.gateway != 0) {
    result_.gateway = process_usage(options_.gateway);
    result_.gateway_cpu_seconds = result_.gateway.cpu_seconds - gateway_cpu_before_;
  }
  result_.latency = summarize(latencies_ns_);
}

}  // namespace

LoadResult run_load(const LoadOptions& options) { return Generator(options).run(); }

double percentile_ms(const std::vector<int64_t>& sorted_ns, double share) {
  if (sorted_ns.empty()) return 0;
  auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(sorted_ns.size())));
  rank = std::clamp<size_t>(rank, 1, sorted_ns.size());
  return static_cast<double>(sorted_ns[rank - 1]) * 1e-6;
}

Latency summarize(std::vector<int64_t>& latencies_ns) {
  std::sort(latencies_ns.begin(), latencies_ns.end());
  return {percentile_ms(latencies_ns, 0.5), percentile_ms(latencies_ns, 0.99), percentile_ms(latencies_ns, 0.999),
          percentile_ms(latencies_ns, 1)};
}

}  // namespace weir::bench
