// The child's threads: main reads the socket and answers the gateway's pings; one makes the life-cycle calls, one the
// data calls, in the order in which they come. The plugin has its own beside them.
#include "isolation/child.h"

#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <deque>
#include <thread>

#include "base/log.h"
#include "base/thread.h"
#include "event/block.h"
#include "isolation/child_host.h"
#include "isolation/confine.h"
#include "isolation/decision_log.h"
#include "isolation/setup.h"
#include "plugin/instance.h"

namespace weir::isolation {
namespace {

constexpr int kSocket = STDERR_FILENO + 1;
constexpr base::Duration kLoadLimit = std::chrono::minutes(1);  // the gateway keeps the time, and waits less
constexpr uint32_t kTextBytes = 1024, kPointerBytes = 512;

// A weir_error with room for its text.
struct CallError {
  char text[kTextBytes] = "";
  char pointer[kPointerBytes] = "";
  weir_error error{WEIR_OK, 0, text, sizeof text, sizeof pointer, pointer};
};

class Child {
 public:
  Child(Channel& channel, SharedMemory memory, const Setup& setup, plugin::Binding binding)
      : channel_(channel),
        memory_(std::move(memory)),
        binding_(std::move(binding)),
        call_limit_(setup.data_call_limit),
        host_(channel, memory_, static_cast<weir_kind>(binding_.component.kind), setup.gateway_id) {}

  // Until the gateway has gone.
  void serve() {
    // The main thread may be in health(), or waiting for the gateway to read: this one notices that it has gone.
    std::thread end = base::start_thread("end", [this] {
      for (pollfd gone{channel_.fd(), 0, 0};;) {
        if (::poll(&gone, 1, -1) > 0) ::_exit(0);
      }
    });
    std::thread control = base::start_thread("control", [this] { run_calls(); });
    std::thread data = base::start_thread("data", [this] { run_data(); });
    for (;;) {
      auto letter = channel_.receive();
      if (!letter) ::_exit(0);  // whatever the plugin is doing: nobody is there for it
      if (letter->message == Message::kPing) {
        answer_ping();
      } else if (letter->message == Message::kAnswer) {
        host_.answered(std::move(*letter));
      } else if (letter->message == Message::kCall) {
        std::lock_guard lock(mutex_);
        calls_.push_back(std::move(*letter));
        call_came_.notify_one();
      }
    }
  }

 private:
  void run_calls() {
    for (;;) {
      std::unique_lock lock(mutex_);
      call_came_.wait(lock, [&] { return !calls_.empty(); });
      Letter letter = std::move(calls_.front());
      calls_.pop_front();
      lock.unlock();
      make_call(letter);
    }
  }

  void make_call(const Letter& letter) {
    Reader body(letter.body);
    auto step = body.number<Step>();
    auto deadline = body.number<int64_t>();
    CallError error;
    weir_sink_limits limits{};
    pass_turn();
    weir_status status = call(step, deadline, body, &limits, &error.error);
    pass_turn();
    Writer answer;
    answer.number(status).number(error.error.retry_after_ms).text(error.text).text(error.pointer).number(limits);
    channel_.send(Message::kReturn, letter.id, answer.bytes());
  }

  weir_status call(Step step, int64_t deadline, Reader body, weir_sink_limits* limits, weir_error* error) {
    const weir_component_v1& life = *binding_.life;
    switch (step) {
      case Step::kCreate: {
        void* self = nullptr;
        std::string_view config = body.text();
        weir_status status = binding_.create(&host_, {config.data(), config.size()}, &self, error);
        if (status == WEIR_OK) self_ = self;
        return status;
      }
      case Step::kPrepare: return life.prepare(self_, deadline, error);
      case Step::kStart: return life.start(self_, deadline, error);
      case Step::kPause: return life.pause(self_, deadline, error);
      case Step::kResume: return life.resume(self_, deadline, error);
      case Step::kDrain: return life.drain(self_, deadline, error);
      case Step::kStop: return life.stop(self_, deadline, error);
      case Step::kDestroy: {
        std::lock_guard lock(health_mutex_);
        host_.end_events();
        life.destroy(self_.exchange(nullptr));
        return WEIR_OK;
      }
      case Step::kLimits: binding_.sink->limits(self_, limits); return WEIR_OK;
      case Step::kRestore: {
        auto format = body.number<uint32_t>();
        std::string_view key = body.text(), value = body.text();
        if (binding_.transform->restore == nullptr) return WEIR_E_UNSUPPORTED;
        return binding_.transform->restore(self_, format, {key.data(), key.size()}, value.data(), value.size(), error);
      }
    }
    return WEIR_E_UNSUPPORTED;
  }

  void answer_ping() {
    char text[kTextBytes] = "";
    weir_health health{WEIR_HEALTH_OK, sizeof text, text};
    // Here on purpose: a health() that blocks is found like any other hang.
    {
      std::unique_lock lock(health_mutex_, std::try_to_lock);  // it is being destroyed otherwise
      void* self = self_;
      if (lock.owns_lock() && self != nullptr) binding_.life->health(self, &health);
    }
    const char* call = data_call_;
    int64_t since = call_since_, allowed = call_allowed_;
    Writer answer;
    answer.number(health.state).text(text).text(call == nullptr ? "" : call);
    answer.number(call == nullptr ? int64_t{0} : base::monotonic_ns() - since).number(allowed);
    channel_.send(Message::kPong, 0, answer.bytes());
  }

  void run_data() {
    RingReader ring(memory_.to_child());
    for (;;) {
      Message message;
      std::string_view body;
      RingResult got = ring.read(&message, &body, base::Monotonic::max(), -1);
      if (got == RingResult::kDone) {
        handle(message, body);
      } else if (got != RingResult::kFull) {
        ::_exit(1);
      } else if (ring.prepare_to_sleep()) {
        pollfd data{memory_.to_child().wake_fd, POLLIN, 0};
        ::poll(&data, 1, -1);
        if (!ring.awake()) ::_exit(0);
      }
    }
  }

  // Marks what runs, for the gateway to see how long it takes.
  template <class Body>
  void watched(const char* name, base::Duration allowed, Body&& body) {
    call_since_ = base::monotonic_ns();
    call_allowed_ = allowed.count();
    data_call_ = name;
    pass_turn();
    body();
    pass_turn();
    data_call_ = nullptr;
  }

  void handle(Message message, std::string_view bytes) {
    Reader body(bytes);
    switch (message) {
      case Message::kSettled:
        return watched("settled", call_limit_, [&] { host_.settled(binding_.source, self_, body); });
      case Message::kCredit: {
        auto events = body.number<uint64_t>(), credit = body.number<uint64_t>();
        host_.credit(credit);
        return watched("credit", call_limit_, [&] { binding_.source->credit(self_, events, credit); });
      }
      case Message::kSubmit: return submit(body);
      case Message::kCancel: {
        auto token = body.number<uint64_t>();
        watched("cancel", call_limit_, [&] { binding_.sink->cancel(self_, token); });
        return host_.forget(token);
      }
      case Message::kProcess: return process(body);
      case Message::kTick: return tick(body);
      default: ::_exit(1);
    }
  }

  void submit(Reader body) {
    auto token = body.number<uint64_t>();
    auto deadline = body.number<int64_t>();
    const weir_batch* batch = host_.keep(token, body.rest());
    CallError error;
    weir_status status = WEIR_E_TIMEOUT;
    auto left = base::Duration(deadline - base::monotonic_ns());
    if (left > base::Duration::zero()) {
      watched("submit", left + call_limit_,
              [&] { status = binding_.sink->submit(self_, batch, token, deadline, &error.error); });
    } else {
      std::snprintf(error.text, sizeof error.text, "its turn came too late: the sink was busy with others");
    }
    if (status == WEIR_OK) return;
    host_.forget(token);
    Writer answer;
    answer.number(token).number(status).number(error.error.retry_after_ms).text(error.text);
    host_.send(Message::kNotTaken, {answer.bytes()});
  }

  void process(Reader body) {
    weir_transform_context context{body.number<uint64_t>(), body.number<int64_t>()};
    std::string_view batch = body.rest();
    block_ = event::Block(batch.size());
    std::memcpy(block_.data(), batch.data(), batch.size());
    decisions_.begin(block_);
    CallError error;
    weir_status status = WEIR_OK;
    watched("process", call_limit_, [&] {
      status = binding_.transform->process(self_, &context, block_.batch(), &decisions_, &error.error);
    });
    answer_transform(status, error);
  }

  void tick(Reader body) {
    weir_transform_context context{body.number<uint64_t>(), body.number<int64_t>()};
    CallError error;
    weir_status status = WEIR_OK;
    decisions_.begin_tick();
    watched("tick", call_limit_,
            [&] { status = binding_.transform->tick(self_, &context, &decisions_, &error.error); });
    answer_transform(status, error);
  }

  void answer_transform(weir_status status, const CallError& error) {
    Writer head;
    head.number(status).text(error.text);
    host_.send(Message::kProcessed, {head.bytes(), decisions_.finish(status)});
  }

  Channel& channel_;
  SharedMemory memory_;
  const plugin::Binding binding_;
  const base::Duration call_limit_;
  ChildHost host_;
  std::atomic<void*> self_{nullptr};

  std::mutex health_mutex_;  // held by destroy, and while health() runs

  std::mutex mutex_;
  std::condition_variable call_came_;
  std::deque<Letter> calls_;

  // A data call and a life-cycle call follow each other by the gateway's order, through its process. Within this one it is
  // this counter that hands over what the plugin wrote in one thread to the other.
  void pass_turn() { turns_.fetch_add(1, std::memory_order_acq_rel); }
  std::atomic<uint64_t> turns_{0};

  // The data thread's; the ping reads them.
  std::atomic<const char*> data_call_{nullptr};
  std::atomic<int64_t> call_since_{0}, call_allowed_{0};
  event::Block block_;
  DecisionLog decisions_;
};

base::Result<plugin::Binding> load(const Setup& setup) {
  auto note = plugin::read_note(setup.library);
  if (!note) return note.error();
  auto library = plugin::Library::open(setup.library, *note, kLoadLimit);
  if (!library) return library.error();
  return plugin::bind_library(std::shared_ptr<plugin::Library>(std::move(*library)), setup.component);
}

}  // namespace

int child_main(const char* name) {
  ::prctl(PR_SET_NAME, (std::string("weir ") + name).c_str());
  Channel channel(Descriptor(kSocket), base::Duration::zero());
  auto letter = channel.receive();
  if (!letter || letter->message != Message::kSetup) return 1;
  Setup setup = Setup::read(letter->body);
  auto memory = SharedMemory::attach(std::move(letter->descriptors), setup.ring_bytes);
  if (!memory) return 1;
  auto refuse = [&](const base::Error& error) {
    channel.send(Message::kReady, 0, Writer().number(weir_status{WEIR_E_UNAVAILABLE}).text(error.text()).bytes());
    return 1;
  };
  auto lacking = confine({setup.network, setup.files, setup.memory_bytes, setup.library});
  if (!lacking) return refuse(lacking.error());
  auto binding = load(setup);
  if (!binding) return refuse(binding.error());
  std::string missing;
  for (const std::string& what : *lacking) missing += (missing.empty() ? "" : "; ") + what;
  channel.send(Message::kReady, 0, Writer().number(weir_status{WEIR_OK}).text(missing).bytes());
  Child(channel, std::move(*memory), setup, std::move(*binding)).serve();
  return 0;
}

}  // namespace weir::isolation
