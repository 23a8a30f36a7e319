#include "isolation/remote.h"

#include <algorithm>
#include <cstring>
#include <system_error>

#include "base/thread.h"

namespace weir::isolation {
namespace {

constexpr base::Duration kLoadLimit = std::chrono::seconds(4);  // less than plugin::Instance::kCreateLimit
constexpr base::Duration kStepLimit = std::chrono::seconds(5);
// Beside what it allocates: the stacks of its threads count as data too.
constexpr uint64_t kStackRoom = uint64_t{128} << 20;

void copy_text(char* to, uint32_t capacity, std::string_view from) {
  if (to == nullptr || capacity == 0) return;
  size_t size = std::min<size_t>(from.size(), capacity - 1);
  std::memcpy(to, from.data(), size);
  to[size] = '\0';
}

weir_status fill(weir_error* error, const Returned& returned) {
  if (error != nullptr) {
    error->code = returned.status;
    error->retry_after_ms = returned.retry_after_ms;
    copy_text(error->text, error->text_capacity, returned.text);
    copy_text(error->pointer, error->pointer_capacity, returned.pointer);
  }
  return returned.status;
}

base::Monotonic at(int64_t deadline_ns) { return base::Monotonic(base::Duration(deadline_ns)); }

}  // namespace

Remote::Remote(const RemoteOptions& options, weir_host* host, std::string_view config)
    : options_(options),
      host_(host),
      config_(config),
      relay_(host),
      log_(static_cast<const weir_log_v1*>(weir_host_get(host, WEIR_LOG))),
      metrics_(static_cast<const weir_metrics_v1*>(weir_host_get(host, WEIR_METRICS))),
      ingress_(static_cast<const weir_ingress_v1*>(weir_host_get(host, WEIR_INGRESS))),
      delivery_(static_cast<const weir_delivery_v1*>(weir_host_get(host, WEIR_DELIVERY))) {
  auto declare = [&](uint32_t kind, std::string_view name, std::string_view help) {
    return metrics_->declare(host_, kind, {name.data(), name.size()}, {help.data(), help.size()});
  };
  restarts_metric_ = declare(WEIR_METRIC_COUNTER, "process_restarts_total", "How often its process was started again");
  memory_metric_ = declare(WEIR_METRIC_GAUGE, "process_memory_bytes", "Private memory of its process");
}

Remote::~Remote() { destroy(); }

// Throws nothing: a machine that has no thread left says so as an error.
base::Result<std::shared_ptr<Link>> Remote::start_child(base::Monotonic deadline) {
  uint64_t child;
  {
    std::lock_guard lock(mutex_);
    child = ++started_;
  }
  relay_.begin();
  Link::Options options;
  options.program = options_.program;
  options.name = options_.name;
  options.memory_limit = options_.memory_bytes;
  options.reads_ring = options_.component.kind != plugin::Kind::kTransform;
  options.setup.library = options_.library;
  options.setup.component = options_.component.name;
  options.setup.gateway_id = options_.gateway_id;
  options.setup.network = options_.component.needs_network;
  options.setup.files = options_.component.needs_files;
  options.setup.memory_bytes = options_.memory_bytes == 0 ? 0 : options_.memory_bytes + kStackRoom;
  options.setup.ring_bytes = options_.ring_bytes;
  options.setup.data_call_limit = options_.data_call_limit;
  options.silence_limit = options_.silence_limit;
  Link::Events events;
  events.asked = [this](Link& link, const Letter& letter) { relay_.serve(link, letter); };
  events.received = [this, child](Link& link, Message message, std::string_view body) {
    received(link, child, message, body);
  };
  events.pulsed = [this](Link& link, const Pulse& pulse) {
    relay_.update_metrics(link);
    metrics_->set(host_, memory_metric_, static_cast<double>(pulse.memory_bytes));
    std::lock_guard lock(mutex_);
    health_ = pulse.health;
    memory_bytes_ = pulse.memory_bytes;
  };
  events.ended = [this, child](Link& link) {
    relay_.update_metrics(link);
    child_ended(child);
  };
  try {
    return Link::start(std::move(options), std::move(events), deadline);
  } catch (const std::system_error& failed) {
    return base::error(base::Code::kUnavailable, std::string("no thread for its process: ") + failed.what());
  }
}

void Remote::received(Link& link, uint64_t child, Message message, std::string_view body) {
  if (message == Message::kEmit && ingress_ != nullptr) return emitted(link, child, Reader(body));
  if (message == Message::kCompleted && delivery_ != nullptr) return completed(link, Reader(body));
  if (message == Message::kNotTaken && delivery_ != nullptr) return not_taken(link, Reader(body));
  link.kill("sent nonsense and was ended");
}

// What the child had and nobody else has is given back, to be given again.
void Remote::child_ended(uint64_t child) {
  std::map<uint64_t, Submitted> lost;
  {
    std::lock_guard lock(mutex_);
    ended_ = child;
    changed_.notify_all();
    std::erase_if(emitted_, [&](const auto& entry) { return entry.second.child == child; });
    if (child != serving_) return;  // it ended before it served
    lost = std::exchange(submitted_, {});
    given_.clear();
    auto with_child = [](const auto& entry) { return entry.second.given != 0; };
    auto batches = std::count_if(lost.begin(), lost.end(), with_child);
    for (auto& [token, submitted] : lost) {
      uint32_t from = submitted.careful ? submitted.next : 0;
      uint32_t n = submitted.careful ? 1 : submitted.batch->count;
      if (submitted.given != 0) suspects_.note_death(submitted.batch, from, n, batches == 1 && n == 1);
      conclude(submitted, link_->ending());
    }
  }
  for (auto& [token, submitted] : lost) complete(token, submitted);
}

std::shared_ptr<Link> Remote::link() const {
  std::lock_guard lock(mutex_);
  return link_ != nullptr && link_->alive() ? link_ : nullptr;
}

std::string Remote::down_text() const {
  std::lock_guard lock(mutex_);
  if (!restart_failure_.empty()) return "its process cannot be started again: " + restart_failure_;
  return "its process " + (link_ == nullptr ? "does not run" : link_->ending()) + "; it is started again";
}

weir_status Remote::create(weir_error* error) {
  base::Monotonic deadline = base::now() + kLoadLimit;
  auto child = start_child(deadline);
  if (!child) return fill(error, {WEIR_E_UNAVAILABLE, 0, child.error().what, "", {}});
  Returned returned = (*child)->call(Step::kCreate, deadline, Writer().text(config_).bytes());
  std::lock_guard lock(mutex_);
  link_ = std::move(*child);
  serving_ = started_;
  if (!link_->lacking().empty()) {
    std::string line = "this kernel cannot confine its process fully: " + link_->lacking();
    log_->write(host_, WEIR_LOG_WARN, {line.data(), line.size()});
  }
  return fill(error, returned);
}

weir_status Remote::step(Step step, int64_t deadline_ns, weir_error* error) {
  if (step == Step::kStop) {
    {
      std::lock_guard lock(mutex_);
      ending_ = true;
      if (starting_ != nullptr) starting_->kill("was ended");
      changed_.notify_all();
    }
    if (keeper_.joinable()) keeper_.join();
  }
  std::shared_ptr<Link> child = link();
  // A child that has died has nothing to pause, to drain or to stop: the next one will not hold it either.
  bool can_wait = step == Step::kPause || step == Step::kResume || step == Step::kDrain || step == Step::kStop;
  Returned returned;
  if (child != nullptr) {
    returned = child->call(step, at(deadline_ns));
    if (can_wait && !child->alive()) returned.status = WEIR_OK;
  } else if (!can_wait) {
    returned = {WEIR_E_UNAVAILABLE, 0, down_text(), "", {}};
  }
  if (returned.status != WEIR_OK) return fill(error, returned);
  std::lock_guard lock(mutex_);
  if (step == Step::kStart) {
    up_since_ = base::now();
    keeper_ = base::start_thread("keep " + options_.name, [this] { keep_alive(); });
  }
  if (step == Step::kPause) paused_ = true;
  if (step == Step::kResume) paused_ = false;
  return WEIR_OK;
}

void Remote::destroy() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
    changed_.notify_all();
  }
  if (keeper_.joinable()) keeper_.join();
  std::shared_ptr<Link> last;
  {
    std::lock_guard lock(mutex_);
    last.swap(link_);
  }
  if (last == nullptr) return;
  if (last->alive()) last->call(Step::kDestroy, base::now() + kStepLimit);
  last->close();  // whoever still holds it: from here on nothing of it comes back to this object
}

plugin::Health Remote::health() {
  std::lock_guard lock(mutex_);
  if (link_ != nullptr && link_->alive()) return health_;
  std::string text = "its process " + (link_ == nullptr ? "does not run" : link_->ending());
  if (!restart_failure_.empty()) text += "; starting it again failed: " + restart_failure_;
  return {WEIR_HEALTH_FAILED, text};
}

plugin::ProcessInfo Remote::process_info() const {
  std::lock_guard lock(mutex_);
  plugin::ProcessInfo info;
  info.restarts = restarts_;
  if (link_ == nullptr) return info;
  info.lacking = link_->lacking();
  if (!link_->alive()) return info;
  info.pid = link_->pid();
  info.memory_bytes = memory_bytes_;
  return info;
}

void Remote::interrupt() {
  std::lock_guard lock(mutex_);
  interrupted_ = true;
  changed_.notify_all();
}

bool Remote::wait_before(uint32_t restarts) {
  base::Duration wait = options_.first_restart;
  for (uint32_t i = 1; i < restarts && wait < options_.last_restart; ++i) wait *= 2;
  wait = std::min(wait, options_.last_restart);
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, wait, [&] { return ending_; });
}

void Remote::keep_alive() {
  for (uint32_t restarts = 0;;) {
    std::string line;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return ending_ || ended_ == serving_; });
      if (ending_) return;
      if (base::now() - up_since_ > options_.calm) restarts = 0;
      line = "its process " + link_->ending() + "; it is started again";
    }
    log_->write(host_, WEIR_LOG_ERROR, {line.data(), line.size()});
    for (;;) {
      if (!wait_before(++restarts)) return;
      metrics_->add(host_, restarts_metric_, 1);
      base::Status done = restart();
      std::unique_lock lock(mutex_);
      ++restarts_;
      if (ending_) return;
      if (done) {
        restart_failure_.clear();
        break;
      }
      bool news = restart_failure_ != done.error().what;
      restart_failure_ = done.error().what;
      lock.unlock();
      line = "its process cannot be started again: " + done.error().what;
      if (news) log_->write(host_, WEIR_LOG_ERROR, {line.data(), line.size()});
    }
  }
}

// A new child, led to where the old one was.
base::Status Remote::restart() {
  auto child = start_child(base::now() + kLoadLimit);
  if (!child) return child.error();
  std::map<std::string, std::string> state;
  {
    std::lock_guard lock(mutex_);
    starting_ = *child;
    if (ending_) starting_->kill("was ended");
    state = state_;
  }
  auto call = [&](Step step, std::string_view body = {}) -> base::Status {
    Returned returned = (*child)->call(step, base::now() + kStepLimit, body);
    if (returned.status == WEIR_OK) return {};
    return base::error(base::Code::kUnavailable, std::string(step_name(step)) + " failed: " + returned.text);
  };
  base::Status done = call(Step::kCreate, Writer().text(config_).bytes());
  if (done) done = call(Step::kPrepare);
  for (auto it = state.begin(); done && it != state.end(); ++it) {
    done = call(Step::kRestore, Writer().number(options_.component.state_format).text(it->first).text(it->second).bytes());
  }
  if (done) done = call(Step::kStart);
  // The instance may be paused and resumed meanwhile: what it is when the child takes over counts.
  for (bool paused = false; done;) {
    std::unique_lock lock(mutex_);
    if (paused == paused_) {
      std::shared_ptr<Link> old = install(*child);
      lock.unlock();
      old->close();
      return {};
    }
    paused = paused_;
    lock.unlock();
    done = call(paused ? Step::kPause : Step::kResume);
  }
  {
    std::lock_guard lock(mutex_);
    starting_.reset();
  }
  (*child)->close();
  return done;
}

// With mutex_ held: from now on this one serves. The one before it.
std::shared_ptr<Link> Remote::install(std::shared_ptr<Link> child) {
  starting_.reset();
  serving_ = started_;
  up_since_ = base::now();
  health_ = {};
  if (credit_) tell_credit(*child);
  changed_.notify_all();
  return std::exchange(link_, std::move(child));
}

}  // namespace weir::isolation
