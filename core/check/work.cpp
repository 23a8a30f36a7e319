#include "check/work.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

extern char** environ;

namespace weir::check {
namespace {

constexpr uint32_t kDefaultWindow = 4;
constexpr uint32_t kMostInFlight = 16;  // enough to see how a sink takes several
// A sink that does not take a batch is asked again as in the gateway, a few times.
constexpr int kSubmitTries = 5;
constexpr base::Duration kSubmitPause = std::chrono::milliseconds(20);

uint64_t bytes_of(const Sample& sample) {
  uint64_t bytes = sizeof(weir_event_v1) + sample.device_id.size() + sample.sensor_type.size() + sample.unit.size() +
                   sample.text.size();
  for (const auto& [key, value] : sample.metadata) bytes += key.size() + value.size() + sizeof(weir_metadata);
  return bytes;
}

std::string count_text(uint32_t count) { return std::to_string(count) + (count == 1 ? " event" : " events"); }

}  // namespace

const std::vector<std::string>& TransformWork::process(const Batch& batch, uint64_t position) {
  weir_transform_context context{position, 0};
  if (trial_.component().stateful) {
    if (batch.count() != 0) now_ns_ = std::max(now_ns_, weir_event_at(batch.get(), 0)->received_ns);
    context.now_ns = now_ns_;
  }
  const uint64_t sum = batch.checksum();
  ErrorBuffer error;
  recorder_.begin(batch.count());
  weir_status status;
  {
    Doing doing(trial_.board(), "process with " + count_text(batch.count()), trial_.job().call_limit);
    MustNotBlock here;
    status = table_->process(subject_.self(), &context, batch.get(), &recorder_, error.get());
  }
  recorder_.end(status);
  (void)error.judge(trial_, "process", status);
  if (batch.checksum() != sum) {
    trial_.find("batch-untouched", "process() changed the batch itself instead of calling amend()");
  }
  return recorder_.decisions();
}

std::vector<std::string> TransformWork::process(std::span<const Sample> samples, uint64_t position, uint32_t stride) {
  std::vector<std::string> all;
  size_t first = 0;
  do {
    size_t end = samples.size();
    if (trial_.component().stateful && first < end) {
      const int64_t now = std::max(now_ns_, samples[first].received_ns);
      end = first + 1;
      while (end < samples.size() && samples[end].received_ns <= now) ++end;
    }
    Batch batch(samples.subspan(first, end - first), stride);
    const auto& decisions = process(batch, position + first);
    all.insert(all.end(), decisions.begin(), decisions.end());
    subject_.retire(std::move(batch));
    first = end;
  } while (first < samples.size());
  return all;
}

Answer TransformWork::tick(int64_t now_ns, uint64_t position) {
  now_ns_ = std::max(now_ns_, now_ns);
  weir_transform_context context{position, now_ns_};
  ErrorBuffer error;
  recorder_.begin_tick();
  weir_status status;
  {
    Doing doing(trial_.board(), "tick", trial_.job().call_limit);
    MustNotBlock here;
    status = table_->tick(subject_.self(), &context, &recorder_, error.get());
  }
  recorder_.end(status);
  return error.judge(trial_, "tick", status);
}

Answer TransformWork::restore(const std::map<std::string, std::string>& state, uint32_t format) {
  for (const auto& [key, value] : state) {
    ErrorBuffer error;
    weir_status status;
    {
      Doing doing(trial_.board(), "restore", trial_.job().call_limit);
      status = table_->restore(subject_.self(), format, {key.data(), key.size()}, value.data(), value.size(), error.get());
    }
    Answer answer = error.judge(trial_, "restore", status);
    if (!answer.ok()) return answer;
  }
  recorder_.state() = state;
  return {};
}

uint64_t SinkWork::next_token_ = 1;

uint64_t SinkWork::submit(Batch batch, bool vanishes) {
  const uint64_t token = next_token_++;
  const std::string what = "submit with " + count_text(batch.count());
  const weir_batch* given = subject_.host().deliveries().submitting(token, std::move(batch), vanishes);
  std::string why;
  for (int tries = 0; tries < kSubmitTries; ++tries) {
    if (tries > 0) {
      std::this_thread::sleep_for(kSubmitPause);
      subject_.host().deliveries().again(token);
    }
    ErrorBuffer error;
    weir_status status;
    {
      Doing doing(trial_.board(), what, 2 * trial_.job().call_limit);
      status = table_->submit(subject_.self(), given, token,
                              base::monotonic_ns(base::now() + trial_.job().call_limit), error.get());
    }
    Answer answer = error.judge(trial_, "submit", status);
    if (answer.ok() || !subject_.host().deliveries().refused(token)) return token;
    why = answer.text;
  }
  trial_.find("submit() does not take a batch of ordinary events: " + why);
  return 0;
}

bool SinkWork::finish(uint64_t token) {
  if (token == 0) return false;
  if (subject_.host().deliveries().wait(token, base::now() + trial_.job().call_limit)) return true;
  trial_.find("a batch that submit() had taken was not completed within " +
              base::human_duration(trial_.job().call_limit));
  return false;
}

void SinkWork::cancel(uint64_t token) {
  Doing doing(trial_.board(), "cancel", trial_.job().call_limit);
  MustNotBlock here;
  table_->cancel(subject_.self(), token);
}

uint32_t SinkWork::most(uint32_t wanted) const {
  const uint32_t own = subject_.limits().max_batch_events;
  return std::min(wanted, own != 0 ? own : wanted);
}

uint32_t SinkWork::window() const {
  const uint32_t own = subject_.limits().max_in_flight;
  return std::min(own != 0 ? own : kDefaultWindow, kMostInFlight);
}

std::string SinkWork::deliver(std::span<const Sample> samples, uint32_t stride) {
  const uint64_t most_bytes = subject_.limits().max_batch_bytes != 0 ? subject_.limits().max_batch_bytes : WEIR_BATCH_MAX_BYTES;
  const uint32_t most_events = most(WEIR_BATCH_MAX_EVENTS);
  std::string outcomes;
  size_t begin = 0;
  do {
    size_t end = begin;
    for (uint64_t bytes = 0; end < samples.size() && end - begin < most_events; ++end) {
      bytes += bytes_of(samples[end]) + stride - sizeof(weir_event_v1);
      if (bytes > most_bytes && end > begin) break;
    }
    const uint64_t token = submit(Batch(samples.subspan(begin, end - begin), stride));
    if (!finish(token)) return outcomes;
    outcomes += subject_.host().deliveries().outcomes(token);
    begin = end;
  } while (begin < samples.size());
  return outcomes;
}

Stimulus::Stimulus(Trial& trial, Estate& estate) {
  if (trial.job().stimulus.empty()) return;
  std::string command = trial.job().stimulus, listen = "WEIR_CHECK_LISTEN=" + estate.addresses();
  std::vector<char*> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.push_back(*entry);
  environment.push_back(listen.data());
  environment.push_back(nullptr);
  std::string shell = "sh", flag = "-c";
  char* arguments[] = {shell.data(), flag.data(), command.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  if (::posix_spawn(&pid_, "/bin/sh", &actions, nullptr, arguments, environment.data()) != 0) pid_ = -1;
  posix_spawn_file_actions_destroy(&actions);
}

Stimulus::~Stimulus() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool Stimulus::wait(base::Monotonic until) {
  if (pid_ <= 0) return true;
  // By its number: the header of glibc 2.36 declares pidfd_open without extern "C".
  pollfd ended{static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)), POLLIN, 0};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - base::now()).count();
  const bool done = ::poll(&ended, 1, static_cast<int>(std::max<int64_t>(left, 0))) == 1;
  ::close(ended.fd);
  if (!done) return false;
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
  return true;
}

bool stimulate(Trial& trial, Subject& subject, Estate& estate) {
  Settler& settler = subject.host().settler();
  const uint64_t before = settler.offered();
  if (trial.job().stimulus.empty()) {
    (void)settler.wait_offered(before, base::now() + kByItself);
  } else {
    Stimulus stimulus(trial, estate);
    const base::Monotonic until = base::now() + trial.job().call_limit;
    // One that goes on for ever is ended here.
    if (settler.wait_offered(before, until)) (void)stimulus.wait(until);
  }
  if (settler.offered() > before) {
    trial.tell("emitted", "yes");
    return true;
  }
  trial.not_run(trial.job().stimulus.empty()
                    ? "no event was emitted: pass --stimulus 'command'"
                    : "no event was emitted: the stimulus did not make the source emit (its addresses were '" +
                          estate.addresses() + "')");
  return false;
}

void ordinary_work(Trial& trial, Subject& subject, Estate& estate, uint32_t batches) {
  switch (trial.component().kind) {
    case plugin::Kind::kTransform: {
      TransformWork work(trial, subject);
      for (uint32_t i = 0; i < batches; ++i) work.process(ordinary(50, 1 + uint64_t{i} * 50), uint64_t{i} * 50);
      return;
    }
    case plugin::Kind::kSink: {
      SinkWork work(trial, subject);
      for (uint32_t i = 0; i < batches; ++i) work.deliver(ordinary(50, 1 + uint64_t{i} * 50));
      return;
    }
    case plugin::Kind::kSource:
      if (!trial.job().stimulus.empty()) {
        Stimulus stimulus(trial, estate);
        (void)stimulus.wait(base::now() + trial.job().call_limit);
        if (subject.host().settler().offered() != 0) trial.tell("emitted", "yes");
      }
  }
}

}  // namespace weir::check
