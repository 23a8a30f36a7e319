// hostile: a sink and a transform that do to their process what an event's sensor_type says, and a source that tries what
// an isolated plugin may not do.
//
// hostile.sink, hostile.transform: "crash" aborts, "exit" ends the process, "hang" never returns, "leak" takes 64 MiB and
// keeps it, "fault" reads where nothing is; everything else is delivered, or kept.
//
// hostile.source: at start it tries each of these and emits an event of the device "attempt", with the attempt as its
// sensor type and the error number as its value, 0 when it worked: fork, exec, socket, local (a Unix socket), kill (its
// parent), owner (a signal to it by way of a descriptor), nice (its parent's share of the processor), write (a file in /tmp),
// truncate and chmod (the same, by name), read (/etc/passwd), thread, ptrace, hidden (memory that nobody counts).
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "weir/plugin.hpp"

namespace {

namespace sdk = weir::sdk;

void misbehave(std::string_view how) {
  if (how == "crash") std::abort();
  if (how == "exit") ::_exit(3);
  if (how == "fault") *static_cast<volatile int*>(nullptr) = 1;
  while (how == "hang") ::pause();
  if (how == "leak") {
    constexpr size_t kBytes = 64 << 20;
    static std::vector<std::vector<char>> kept;
    kept.emplace_back(kBytes, '\1');
  }
}

std::string_view kind_of(const weir_batch* batch, uint32_t i) {
  return sdk::view(weir_text_at(batch, weir_event_at(batch, i)->sensor_type));
}

class HostileSink : public sdk::Sink {
 public:
  HostileSink(sdk::Host host, std::string_view) : host_(host) {}
  // Small batches, several at once: one that kills is in company.
  weir_sink_limits limits() override { return {2, 0, 0, 4}; }
  void submit(const weir_batch* batch, uint64_t token, int64_t) override {
    for (uint32_t i = 0; i < batch->count; ++i) misbehave(kind_of(batch, i));
    weir_sink_result result{};
    result.outcome = WEIR_DELIVERED;
    host_.complete(token, {&result, 1});
  }

 private:
  sdk::Host host_;
};

class HostileTransform : public sdk::Transform {
 public:
  HostileTransform(sdk::Host, std::string_view) {}
  void process(const weir_transform_context&, const weir_batch* batch, sdk::Output& output) override {
    for (uint32_t i = 0; i < batch->count; ++i) {
      misbehave(kind_of(batch, i));
      output.keep(i);
    }
  }
};

int outcome(long result) { return result < 0 ? errno : 0; }

int try_fork() {
  pid_t pid = ::fork();
  if (pid == 0) ::_exit(0);
  if (pid > 0) ::waitpid(pid, nullptr, 0);
  return outcome(pid);
}

int try_write() {
  int fd = ::open("/tmp", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  int number = outcome(fd);
  if (fd >= 0) ::close(fd);
  return number;
}

int try_read() {
  int fd = ::open("/etc/passwd", O_RDONLY | O_CLOEXEC);
  int number = outcome(fd);
  if (fd >= 0) ::close(fd);
  return number;
}

int try_socket(int family) {
  int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int number = outcome(fd);
  if (fd >= 0) ::close(fd);
  return number;
}

int try_thread() {
  pthread_t thread;
  int failed = ::pthread_create(&thread, nullptr, [](void*) -> void* { return nullptr; }, nullptr);
  if (failed == 0) ::pthread_join(thread, nullptr);
  return failed;
}

int try_exec() {
  char* const arguments[] = {nullptr};
  return outcome(::execve("/bin/true", arguments, arguments));
}

class HostileSource : public sdk::Source {
 public:
  HostileSource(sdk::Host host, std::string_view) : host_(host) {}
  void start(int64_t) override {
    report("fork", try_fork());
    report("exec", try_exec());
    report("socket", try_socket(AF_INET));
    report("kill", outcome(::kill(::getppid(), 0)));
    report("local", try_socket(AF_UNIX));
    report("owner", outcome(::fcntl(STDERR_FILENO, F_SETOWN, ::getppid())));
    report("nice", outcome(::setpriority(PRIO_PROCESS, static_cast<id_t>(::getppid()), 19)));
    report("truncate", outcome(::truncate("/tmp/weir-hostile", 0)));
    report("chmod", outcome(::chmod("/tmp/weir-hostile", 0)));
    report("hidden", outcome(::memfd_create("hidden", MFD_CLOEXEC)));
    report("write", try_write());
    report("read", try_read());
    report("thread", try_thread());
    report("ptrace", outcome(::ptrace(PTRACE_ATTACH, ::getppid(), nullptr, nullptr)));
  }
  void settled(std::span<const weir_settlement>) override {}

 private:
  void report(std::string_view attempt, int number) {
    sdk::BatchBuilder batch;
    weir_event_v1& event = batch.add();
    event.device_id = batch.text("attempt");
    event.sensor_type = batch.text(attempt);
    event.value_type = WEIR_I64;
    event.value.i64 = number;
    event.flags = WEIR_NO_DEVICE_TIME;
    weir_emit_result result{};
    host_.emit(batch.finish(), 1, &result);
  }

  sdk::Host host_;
};

constexpr char kSchema[] = R"({"type": "object", "additionalProperties": false})";

constexpr sdk::Registration kComponents[] = {
    sdk::source<HostileSource>("hostile.source", "Tries what it must not", kSchema),
    sdk::pure_transform<HostileTransform>("hostile.transform", "Does to its process what events say", kSchema),
    sdk::sink<HostileSink>("hostile.sink", "Does to its process what events say", kSchema),
};

}  // namespace

WEIR_PLUGIN(kComponents)
WEIR_PLUGIN_NOTE("hostile", "1.0.0",
                 "\"hostile.source\":\"source\",\"hostile.transform\":\"transform\",\"hostile.sink\":\"sink\"")
