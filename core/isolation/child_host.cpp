#include "isolation/child_host.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "event/validate.h"

namespace weir::isolation {
namespace {

// Nobody reads for so long: the gateway has gone, and with it the reason to live.
constexpr base::Duration kForever = std::chrono::hours(1);
constexpr uint32_t kRetryWhenFullMs = 100, kRetryWhenClosedMs = 1000;

std::string_view view(weir_text text) { return {text.size != 0 ? text.data : "", static_cast<size_t>(text.size)}; }

void copy_text(char* to, uint32_t capacity, std::string_view from) {
  if (to == nullptr || capacity == 0) return;
  size_t size = std::min<size_t>(from.size(), capacity - 1);
  std::memcpy(to, from.data(), size);
  to[size] = '\0';
}

}  // namespace

// The tables of the ABI over ChildHost's members.
struct ChildServices {
  static ChildHost& of(weir_host* host) { return *static_cast<ChildHost*>(host); }

  static const void* get(weir_host* host, const char* id) {
    static constexpr weir_log_v1 log = {[](weir_host* h, uint32_t level, weir_text text) {
      of(h).channel_.send(Message::kLog, 0, Writer().number(level).text(view(text)).bytes());
    }};
    static constexpr weir_gateway_v1 gateway = {
        [](weir_host* h) -> weir_text { return {of(h).gateway_id_.data(), of(h).gateway_id_.size()}; }};
    std::string_view wanted = id;
    weir_kind kind = of(host).kind_;
    if (wanted == WEIR_LOG) return &log;
    if (wanted == WEIR_GATEWAY) return &gateway;
    if (wanted == WEIR_METRICS) return metrics();
    if (kind == WEIR_KIND_TRANSFORM) return nullptr;
    if (wanted == WEIR_CLOCK) return clock();
    if (wanted == WEIR_TIMER) return timer();
    if (wanted == WEIR_WATCH) return watch();
    if (wanted == WEIR_SOCKET) return socket();
    if (wanted == WEIR_KEYVALUE) return keyvalue();
    if (wanted == WEIR_INGRESS && kind == WEIR_KIND_SOURCE) return ingress();
    if (wanted == WEIR_DELIVERY && kind == WEIR_KIND_SINK) return delivery();
    return nullptr;
  }

  static const void* metrics() {
    static constexpr weir_metrics_v1 table = {
        [](weir_host* h, uint32_t kind, weir_text name, weir_text help) {
          return of(h).declare(kind, view(name), view(help));
        },
        [](weir_host* h, weir_metric metric, double delta) {
          if (metric == 0 || metric > kMaxMetrics) return;
          of(h).memory_.metric(metric - 1).fetch_add(delta, std::memory_order_relaxed);
        },
        [](weir_host* h, weir_metric metric, double value) {
          if (metric == 0 || metric > kMaxMetrics) return;
          of(h).memory_.metric(metric - 1).store(value, std::memory_order_relaxed);
        }};
    return &table;
  }

  static const void* clock() {
    static constexpr weir_clock_v1 table = {[](weir_host*) { return base::wall_ns(); },
                                            [](weir_host*) { return base::monotonic_ns(); },
                                            [](weir_host*) -> uint32_t { return base::plausible(base::wall_ns()); }};
    return &table;
  }

  static const void* timer() {
    static constexpr weir_timer_v1 table = {
        [](weir_host* h, uint64_t delay, uint64_t period, weir_timer_callback callback, void* context) {
          return of(h).events_.start_timer(delay, period, callback, context);
        },
        [](weir_host* h, uint64_t timer) { of(h).events_.cancel_timer(timer); }};
    return &table;
  }

  static const void* watch() {
    static constexpr weir_watch_v1 table = {
        [](weir_host* h, int32_t fd, uint32_t events, weir_watch_callback callback, void* context) {
          return of(h).events_.watch(fd, events, callback, context);
        },
        [](weir_host* h, int32_t fd) { of(h).events_.clear_watch(fd); }};
    return &table;
  }

  static const void* socket() {
    static constexpr weir_socket_v1 table = {
        [](weir_host* h, const weir_listen* spec, int32_t* fd, weir_error* error) -> weir_status {
          Letter answer = of(h).ask(
              Message::kListen, Writer().number(spec->protocol).number(spec->backlog).text(view(spec->address)).bytes());
          Reader reader(answer.body);
          auto status = reader.number<weir_status>();
          if (status == WEIR_OK && !answer.descriptors.empty()) {
            *fd = answer.descriptors[0].release();
            return WEIR_OK;
          }
          if (error != nullptr) {
            error->code = status;
            copy_text(error->text, error->text_capacity, reader.text());
          }
          return status;
        }};
    return &table;
  }

  static const void* keyvalue() {
    static constexpr weir_keyvalue_v1 table = {
        [](weir_host* h, weir_text key, void* buffer, uint64_t capacity, uint64_t* size) -> weir_status {
          Letter answer = of(h).ask(Message::kGetValue, Writer().text(view(key)).bytes());
          Reader reader(answer.body);
          auto status = reader.number<weir_status>();
          std::string_view value = reader.text();
          if (status != WEIR_OK) return status;
          *size = value.size();
          std::memcpy(buffer, value.data(), static_cast<size_t>(std::min<uint64_t>(capacity, value.size())));
          return status;
        },
        [](weir_host* h, weir_text key, const void* value, uint64_t size) -> weir_status {
          std::string_view bytes(static_cast<const char*>(value), static_cast<size_t>(size));
          return status_of(of(h).ask(Message::kPutValue, Writer().text(view(key)).text(bytes).bytes()));
        },
        [](weir_host* h, int64_t deadline_ns) -> weir_status {
          return status_of(of(h).ask(Message::kSyncValues, Writer().number(deadline_ns).bytes()));
        }};
    return &table;
  }

  static weir_status status_of(const Letter& answer) { return Reader(answer.body).number<weir_status>(); }

  static const void* ingress() {
    static constexpr weir_ingress_v1 table = {
        [](weir_host* h, const weir_batch* batch, uint64_t token, weir_emit_result* result) -> uint32_t {
          return of(h).emit(batch, token, result);
        }};
    return &table;
  }

  static const void* delivery() {
    static constexpr weir_delivery_v1 table = {
        [](weir_host* h, uint64_t token, const weir_sink_result* results, uint32_t n) {
          Writer body;
          body.number(token).number(n);
          for (uint32_t i = 0; i < n; ++i) {
            body.number(results[i].outcome).number(results[i].retry_after_ms).number(results[i].code);
            body.text(results[i].outcome == WEIR_DELIVERED ? std::string_view() : view(results[i].reason));
          }
          of(h).forget(token);
          of(h).send(Message::kCompleted, {body.bytes()});
        }};
    return &table;
  }
};

ChildHost::ChildHost(Channel& channel, SharedMemory& memory, weir_kind kind, std::string gateway_id)
    : weir_host{&ChildServices::get},
      channel_(channel),
      memory_(memory),
      kind_(kind),
      gateway_id_(std::move(gateway_id)),
      ring_(memory.to_gateway()) {}

void ChildHost::answered(Letter letter) {
  std::lock_guard lock(mutex_);
  answers_.emplace(letter.id, std::move(letter));
  answer_came_.notify_all();
}

Letter ChildHost::ask(Message message, std::string_view body) {
  std::unique_lock lock(mutex_);
  uint64_t question = next_question_++;
  lock.unlock();
  channel_.send(message, question, body);
  lock.lock();
  answer_came_.wait(lock, [&] { return answers_.contains(question); });  // or the process ends
  return std::move(answers_.extract(question).mapped());
}

weir_metric ChildHost::declare(uint32_t kind, std::string_view name, std::string_view help) {
  bool valid = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
  if (!valid) return 0;
  std::lock_guard lock(mutex_);
  if (auto known = metrics_.find(std::string(name)); known != metrics_.end()) return known->second;
  if (metrics_.size() == kMaxMetrics) return 0;
  auto metric = static_cast<weir_metric>(metrics_.size() + 1);
  metrics_.emplace(name, metric);
  channel_.send(Message::kDeclare, 0, Writer().number(kind).text(name).text(help).bytes());
  return metric;
}

void ChildHost::send(Message message, std::initializer_list<std::string_view> parts) {
  std::lock_guard lock(sending_);
  if (ring_.write(message, {parts.begin(), parts.size()}, base::now() + kForever, -1) != RingResult::kDone) ::_exit(1);
}

// Checked here, by the same code as in the gateway, so that the answer comes at once. The gateway checks its own copy
// again, and says with the settlement what it did not take.
uint32_t ChildHost::emit(const weir_batch* batch, uint64_t token, weir_emit_result* result) {
  auto fault = event::validate(batch, static_cast<size_t>(batch->total_size), event::Check::kFromSource);
  if (!fault && batch->count == 0) fault = event::Fault{0, "count", "the batch holds no event"};
  if (fault) {
    result->index = fault->index;
    copy_text(result->field, sizeof result->field, fault->field);
    copy_text(result->message, result->message_capacity, fault->message);
    return WEIR_INVALID;
  }
  auto busy = [&](uint32_t retry_after_ms, const char* why) -> uint32_t {
    result->retry_after_ms = retry_after_ms;
    copy_text(result->message, result->message_capacity, why);
    return WEIR_BUSY;
  };
  if (closed_) return busy(kRetryWhenClosedMs, "the journal is full, or its disk cannot be written");
  uint64_t number;
  {
    std::lock_guard lock(mutex_);
    if (emitted_bytes_ != 0 && emitted_bytes_ + batch->total_size > kMaxEmittedBytes) {
      return busy(kRetryWhenFullMs, "too much is on its way into the journal");
    }
    number = next_emitted_++;
    emitted_[number] = {token, batch->total_size};
    emitted_bytes_ += batch->total_size;
  }
  std::string_view parts[] = {{reinterpret_cast<const char*>(&number), sizeof number},
                              {reinterpret_cast<const char*>(batch), static_cast<size_t>(batch->total_size)}};
  std::unique_lock sending(sending_);
  uint64_t size = sizeof number + batch->total_size;
  // Only one that is longer than the ring waits, for a gateway that reads all the time.
  RingResult sent = RingResult::kFull;
  if (ring_.fits(size) || size > memory_.to_gateway().capacity / 2) sent = ring_.write(Message::kEmit, parts, base::now() + kForever, -1);
  sending.unlock();
  if (sent == RingResult::kDone) return WEIR_ACCEPTED;
  if (sent != RingResult::kFull) ::_exit(1);
  std::lock_guard lock(mutex_);
  emitted_.erase(number);
  emitted_bytes_ -= batch->total_size;
  return busy(kRetryWhenFullMs, "too much is on its way to the gateway");
}

void ChildHost::settled(const weir_source_v1* table, void* self, Reader body) {
  auto count = body.number<uint32_t>();
  std::vector<weir_settlement> settlements;
  for (uint32_t i = 0; i < count && body.ok(); ++i) {
    weir_settlement settlement{};
    auto number = body.number<uint64_t>();
    settlement.state = body.number<uint32_t>();
    settlement.count = body.number<uint32_t>();
    settlement.epoch = body.number<uint64_t>();
    settlement.first_sequence = body.number<uint64_t>();
    settlement.duplicates = body.number<uint32_t>();
    settlement.retry_after_ms = body.number<uint32_t>();
    std::string_view ids = body.text();
    settlement.ids = ids.empty() ? nullptr : reinterpret_cast<const uint8_t(*)[16]>(ids.data());
    std::lock_guard lock(mutex_);
    auto emitted = emitted_.find(number);
    if (emitted == emitted_.end()) continue;
    settlement.token = emitted->second.token;
    emitted_bytes_ -= emitted->second.bytes;
    emitted_.erase(emitted);
    settlements.push_back(settlement);
  }
  if (!settlements.empty()) table->settled(self, settlements.data(), static_cast<uint32_t>(settlements.size()));
}

const weir_batch* ChildHost::keep(uint64_t token, std::string_view batch) {
  event::Block block(batch.size());
  std::memcpy(block.data(), batch.data(), batch.size());
  std::lock_guard lock(mutex_);
  return (submitted_[token] = std::move(block)).batch();
}

void ChildHost::forget(uint64_t token) {
  std::lock_guard lock(mutex_);
  submitted_.erase(token);
}

}  // namespace weir::isolation
