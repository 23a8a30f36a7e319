#include "isolation/link.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "base/thread.h"

namespace weir::isolation {
namespace {

// For a child to read what it is sent, and to finish what it has begun to send.
constexpr base::Duration kSocketPatience = std::chrono::seconds(5);
constexpr base::Duration kPingEvery = std::chrono::milliseconds(500);
// For threads that wake late; less than what plugin::Instance gives, who would give the whole instance up.
constexpr base::Duration kGrace = std::chrono::milliseconds(250);
// CPU time that a child has when the gateway is no longer there to ask for more.
constexpr base::Duration kCpuAhead = std::chrono::minutes(1);
constexpr const char* kClosedRing = "closed its ring and was ended";
// Between the closing of a dying process's descriptors and its end.
constexpr base::Duration kDying = std::chrono::seconds(1);
constexpr const char* kNonsense = "wrote nonsense into its ring and was ended";
// A plugin with more has lost count of them; the machine's are for all.
constexpr uint64_t kMaxThreads = 256;
// Of what a child says of itself, for people.
constexpr size_t kMaxText = 1024;

std::string mebibytes(uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

}  // namespace

base::Result<std::shared_ptr<Link>> Link::start(Options options, Events events, base::Monotonic deadline) {
  auto memory = SharedMemory::create(options.setup.ring_bytes);
  if (!memory) return memory.error();
  auto sockets = Channel::pair();
  if (!sockets) return sockets.error();
  auto process = ChildProcess::start(options.program, options.name, std::move(sockets->second));
  if (!process) return process.error();
  std::shared_ptr<Link> link(new Link(std::move(options), std::move(events), std::move(*memory),
                                      std::move(sockets->first), std::move(*process)));
  link->tell(Message::kSetup, 0, link->options_.setup.written(), link->memory_.child_descriptors());
  link->memory_.close_child_ends();
  link->control_ = base::start_thread("child " + link->options_.name, [raw = link.get()] { raw->run_control(); });
  if (link->options_.reads_ring) {
    link->data_ = base::start_thread("ring " + link->options_.name, [raw = link.get()] { raw->run_data(); });
  }
  Letter ready;
  if (!link->wait_for(deadline, &ready)) {
    if (link->alive()) link->kill("did not load the plugin in time");
    link->close();
    return base::error(base::Code::kUnavailable, "its process " + link->ending() + " while it was loaded");
  }
  Reader body(ready.body);
  auto status = body.number<weir_status>();
  std::string text(body.text());
  if (status != WEIR_OK) {
    link->close();
    return base::error(base::Code::kUnavailable, text);
  }
  link->lacking_ = text;
  return link;
}

Link::Link(Options options, Events events, SharedMemory memory, Descriptor socket, ChildProcess process)
    : options_(std::move(options)),
      events_(std::move(events)),
      memory_(std::move(memory)),
      channel_(std::move(socket), kSocketPatience),
      process_(std::move(process)),
      pid_(process_.pid()),
      writer_(memory_.to_child()),
      reader_(memory_.to_gateway()) {}

Link::~Link() { close(); }

void Link::close() {
  std::call_once(closed_, [this] {
    kill("was ended");
    if (control_.joinable()) control_.join();
  });
}

// True when the answer came; false when the child ended first, or the time did.
bool Link::wait_for(base::Monotonic deadline, Letter* letter) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, deadline, [&] { return ended_ || returned_; });
  awaited_.reset();
  if (!returned_) return false;
  *letter = std::move(*returned_);
  returned_.reset();
  return true;
}

Returned Link::call(Step step, base::Monotonic deadline, std::string_view body) {
  uint64_t call;
  {
    std::lock_guard lock(mutex_);
    call = next_call_++;
    awaited_ = call;
  }
  Writer message;
  message.number(step).number(base::monotonic_ns(deadline));
  message.bytes().append(body);
  tell(Message::kCall, call, message.bytes());
  Letter letter;
  Returned returned;
  if (!wait_for(deadline + kGrace, &letter)) {
    if (alive()) {
      kill(std::string("did not return from ") + step_name(step) + "() in time and was ended");
      returned.status = WEIR_E_TIMEOUT;
    } else {
      returned.status = WEIR_E_INTERNAL;
    }
    returned.text = "its process " + ending();
    return returned;
  }
  Reader reader(letter.body);
  returned.status = reader.number<weir_status>();
  returned.retry_after_ms = reader.number<uint32_t>();
  returned.text = reader.text();
  returned.pointer = reader.text();
  returned.limits = reader.number<weir_sink_limits>();
  return returned;
}

// What was written in part only leaves the ring of no use.
bool Link::sent(RingResult result) {
  if (result != RingResult::kDone && result != RingResult::kFull) blame(kNonsense);
  return result == RingResult::kDone;
}

bool Link::send(Message message, std::initializer_list<std::string_view> parts, base::Monotonic deadline) {
  std::lock_guard lock(writing_);
  return alive() && sent(writer_.write(message, {parts.begin(), parts.size()}, deadline, process_.pidfd()));
}

bool Link::try_send(Message message, std::initializer_list<std::string_view> parts) {
  std::unique_lock lock(writing_, std::try_to_lock);
  uint64_t bytes = 0;
  for (std::string_view part : parts) bytes += part.size();
  if (!lock.owns_lock() || !alive() || !writer_.fits(bytes)) return false;
  return sent(writer_.write(message, {parts.begin(), parts.size()}, base::now(), process_.pidfd()));
}

bool Link::exchange(Message message, std::initializer_list<std::string_view> parts, std::string_view* body) {
  // Its pulse tells sooner when it hangs; this is for one that has a pulse and does not answer.
  base::Monotonic deadline = base::now() + options_.setup.data_call_limit + kSocketPatience;
  if (!send(message, parts, deadline)) {
    if (alive()) kill("did not read what it was given and was ended");
    return false;
  }
  for (;;) {
    Message answer;
    RingResult got = reader_.read(&answer, body, deadline, process_.pidfd());
    if (got == RingResult::kDone) return true;
    if (got != RingResult::kFull) {
      blame(kNonsense);
      return false;
    }
    if (!alive()) return false;
    if (base::now() > deadline) {
      kill("did not answer what it was given and was ended");
      return false;
    }
    if (!reader_.prepare_to_sleep()) continue;
    pollfd fds[] = {{memory_.to_gateway().wake_fd, POLLIN, 0}, {process_.pidfd(), POLLIN, 0}};
    ::poll(fds, 2, 1000);
    if (!reader_.awake()) blame(kClosedRing);
    if (fds[0].revents == 0 && fds[1].revents != 0) return false;
  }
}

void Link::answer(uint64_t question, std::string_view body, int descriptor) {
  tell(Message::kAnswer, question, body, {&descriptor, descriptor >= 0 ? size_t{1} : size_t{0}});
}

void Link::tell(Message message, uint64_t id, std::string_view body, std::span<const int> descriptors) {
  if (!channel_.send(message, id, body, descriptors)) blame("does not read its socket and was ended");
}

void Link::kill(const std::string& why) {
  std::lock_guard lock(mutex_);
  if (ended_) return;
  if (killed_because_.empty()) killed_because_ = why;
  process_.kill();
}

bool Link::has_ended() const { return ends_within(base::Duration::zero()); }

bool Link::ends_within(base::Duration patience) const {
  pollfd gone{process_.pidfd(), POLLIN, 0};
  return ::poll(&gone, 1, static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(patience).count())) == 1;
}

void Link::blame(const std::string& what) {
  if (!ends_within(kDying)) kill(what);
}

bool Link::alive() const {
  std::lock_guard lock(mutex_);
  return !ended_ && killed_because_.empty();
}

std::string Link::ending() const {
  std::lock_guard lock(mutex_);
  return ended_ && killed_because_.empty() ? ending_ : killed_because_;
}

void Link::run_control() {
  for (;;) {
    if (base::now() - pinged_ >= kPingEvery) ping();
    pollfd fds[] = {{channel_.fd(), POLLIN, 0}, {process_.pidfd(), POLLIN, 0}};
    ::poll(fds, 2, static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(kPingEvery).count()));
    if (fds[0].revents != 0) {
      auto letter = channel_.receive();
      if (letter) {
        take(std::move(*letter));
        continue;
      }
      // It closes its end when it dies, and only then.
      kill(letter.error().code == base::Code::kInvalid ? "sent nonsense and was ended" : "");
      pollfd gone{process_.pidfd(), POLLIN, 0};
      ::poll(&gone, 1, -1);
      return end();
    }
    if (fds[1].revents != 0) return end();
    check_pulse();
  }
}

void Link::ping() {
  pinged_ = base::now();
  tell(Message::kPing, 0, {});
  if (!unanswered_since_) unanswered_since_ = pinged_;
  rlimit cpu{};
  if (::prlimit(pid_, RLIMIT_CPU, nullptr, &cpu) != 0) return;
  cpu.rlim_cur = static_cast<rlim_t>(std::chrono::duration_cast<std::chrono::seconds>(cpu_time(pid_) + kCpuAhead).count());
  ::prlimit(pid_, RLIMIT_CPU, &cpu, nullptr);
}

// With nothing to read: a gateway that has stood still itself first reads what came meanwhile.
void Link::check_pulse() {
  if (!unanswered_since_) return;
  base::Duration silence = base::now() - *unanswered_since_;
  if (silence > options_.silence_limit) kill("did not answer for " + base::human_duration(silence) + " and was ended");
}

void Link::handle_pong(Reader body) {
  unanswered_since_.reset();
  Pulse pulse;
  pulse.health.state = body.number<uint32_t>();
  pulse.health.text = body.text().substr(0, kMaxText);
  std::string call(body.text().substr(0, kMaxText));
  auto busy = base::Duration(body.number<int64_t>()), allowed = base::Duration(body.number<int64_t>());
  ProcessUse use = process_use(pid_);
  uint64_t rings = 2 * options_.setup.ring_bytes;
  pulse.memory_bytes = use.private_bytes + (use.shared_bytes > rings ? use.shared_bytes - rings : 0);
  if (!call.empty() && busy > allowed) {
    kill("hung in " + call + "() for " + base::human_duration(busy) + " and was ended");
  }
  if (options_.memory_limit != 0 && pulse.memory_bytes > options_.memory_limit) {
    kill("used " + mebibytes(pulse.memory_bytes) + " of memory, over its limit of " + mebibytes(options_.memory_limit) +
         ", and was ended");
  }
  if (use.threads > kMaxThreads) kill("had " + std::to_string(use.threads) + " threads and was ended");
  events_.pulsed(*this, pulse);
}

void Link::take(Letter letter) {
  if (letter.message == Message::kPong) return handle_pong(Reader(letter.body));
  if (letter.message == Message::kReady || letter.message == Message::kReturn) {
    uint64_t call = letter.message == Message::kReady ? kReadyCall : letter.id;
    std::lock_guard lock(mutex_);
    // The answer to a call that was given up comes too late; the child is killed already.
    if (awaited_ != call || returned_) return;
    returned_ = std::move(letter);
    changed_.notify_all();
    return;
  }
  events_.asked(*this, letter);
}

// What the child wrote before it ended is received first: a completion that is there counts.
void Link::end() {
  stopping_ = true;
  ::shutdown(memory_.to_gateway().wake_fd, SHUT_RDWR);  // wakes the ring's thread
  if (data_.joinable()) data_.join();
  {
    std::lock_guard lock(mutex_);
    ending_ = process_.reap();  // does not wait: it has ended
    ended_ = true;
    changed_.notify_all();
  }
  events_.ended(*this);
}

void Link::run_data() {
  for (;;) {
    Message message;
    std::string_view body;
    RingResult got = reader_.read(&message, &body, base::now() + kDataCallLimit, process_.pidfd());
    if (got == RingResult::kDone) {
      events_.received(*this, message, body);
      continue;
    }
    if (got != RingResult::kFull) {
      blame(kNonsense);  // unless its end has cut a message short
      return;
    }
    if (stopping_) return;
    if (!reader_.prepare_to_sleep()) continue;
    pollfd fds[] = {{memory_.to_gateway().wake_fd, POLLIN, 0}, {process_.pidfd(), POLLIN, 0}};
    ::poll(fds, 2, -1);
    if (!reader_.awake()) blame(kClosedRing);
    // Then there is nothing more to come, once what is there has been read.
    if (has_ended()) stopping_ = true;
  }
}

}  // namespace weir::isolation
