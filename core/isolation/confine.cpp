#include "isolation/confine.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace weir::isolation {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;  // they reserve terabytes of addresses
#else
constexpr bool kSanitized = false;
#endif

base::Error failed(const char* what, int number) {
  return base::error(base::Code::kUnavailable,
                     std::string("cannot be confined, ") + what + ": " + std::strerror(number));
}

void limit(__rlimit_resource resource, rlim_t most) {
  rlimit both{most, most};
  ::setrlimit(resource, &both);  // a lower limit of the parent's that cannot be raised will do as well
}

// Starting programs and processes, looking into others, changing the machine. EPERM, so that a library which tries gets
// an error that it knows.
constexpr int kNever[] = {
    SCMP_SYS(fork),           SCMP_SYS(vfork),          SCMP_SYS(execve),          SCMP_SYS(execveat),
    SCMP_SYS(ptrace),         SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(pidfd_getfd),
    SCMP_SYS(pidfd_send_signal), SCMP_SYS(kcmp),        SCMP_SYS(mount),           SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),     SCMP_SYS(chroot),         SCMP_SYS(setns),           SCMP_SYS(unshare),
    SCMP_SYS(bpf),            SCMP_SYS(perf_event_open), SCMP_SYS(keyctl),         SCMP_SYS(add_key),
    SCMP_SYS(request_key),    SCMP_SYS(init_module),    SCMP_SYS(finit_module),    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),     SCMP_SYS(kexec_file_load), SCMP_SYS(reboot),         SCMP_SYS(swapon),
    SCMP_SYS(swapoff),        SCMP_SYS(settimeofday),   SCMP_SYS(clock_settime),   SCMP_SYS(adjtimex),
    SCMP_SYS(userfaultfd),    SCMP_SYS(open_by_handle_at), SCMP_SYS(setuid),       SCMP_SYS(setgid),
    SCMP_SYS(setrlimit),      SCMP_SYS(prlimit64),      SCMP_SYS(tkill),           SCMP_SYS(io_uring_setup),
};
// Changing files without opening them: Landlock does not see these (truncate: before Linux 6.2).
constexpr int kOnlyWithFiles[] = {
    SCMP_SYS(truncate),  SCMP_SYS(chmod),     SCMP_SYS(fchmodat),    SCMP_SYS(chown),        SCMP_SYS(lchown),
    SCMP_SYS(fchownat),  SCMP_SYS(utimensat), SCMP_SYS(utime),       SCMP_SYS(utimes),       SCMP_SYS(futimesat),
    SCMP_SYS(setxattr),  SCMP_SYS(lsetxattr), SCMP_SYS(removexattr), SCMP_SYS(lremovexattr),
};
// Memory that nobody counts.
constexpr int kNoHiddenMemory[] = {SCMP_SYS(memfd_create), SCMP_SYS(shmget)};
// Other processes' share of the machine: allowed for the caller itself only, whose number is 0.
constexpr int kOwnSchedulingFirst[] = {SCMP_SYS(sched_setscheduler), SCMP_SYS(sched_setparam), SCMP_SYS(sched_setattr),
                                       SCMP_SYS(sched_setaffinity)};
constexpr int kOwnSchedulingSecond[] = {SCMP_SYS(setpriority), SCMP_SYS(ioprio_set)};
constexpr int kOnlyWithNetwork[] = {SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(bind), SCMP_SYS(connect),
                                    SCMP_SYS(listen)};
// Signals may go to this process itself only: the gateway has the same user.
constexpr int kSignals[] = {SCMP_SYS(kill), SCMP_SYS(tgkill), SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(rt_tgsigqueueinfo)};

// What the library's macros make is C's; clang refuses it in C++.
scmp_arg_cmp compare(unsigned argument, scmp_compare how, scmp_datum_t first, scmp_datum_t second = 0) {
  return {argument, how, first, second};
}

base::Status forbid_calls(bool network, bool files) {
  std::unique_ptr<void, void (*)(scmp_filter_ctx)> filter(::seccomp_init(SCMP_ACT_ALLOW), &::seccomp_release);
  if (filter == nullptr) return failed("seccomp", ENOMEM);
  int done = 0;
  auto rule = [&](uint32_t action, int call, auto... arguments) {
    // Not every call exists on every machine: arm64 has no fork.
    int added = ::seccomp_rule_add(filter.get(), action, call, sizeof...(arguments), arguments...);
    if (added != 0 && added != -EDOM && done == 0) done = added;
  };
  for (int call : kNever) {
    // Reading its own limits stays possible.
    if (call == SCMP_SYS(prlimit64)) {
      rule(SCMP_ACT_ERRNO(EPERM), call, compare(2, SCMP_CMP_NE, 0));
    } else {
      rule(SCMP_ACT_ERRNO(EPERM), call);
    }
  }
  if (!network) {
    for (int call : kOnlyWithNetwork) rule(SCMP_ACT_ERRNO(EPERM), call);
  }
  // A local socket could be the gateway's own, which obeys whoever may open it.
  constexpr scmp_datum_t kInt = 0xffffffff;  // the kernel takes 32 bits of these, whatever the others hold
  if (network) rule(SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), compare(0, SCMP_CMP_MASKED_EQ, kInt, AF_UNIX));
  if (!files) {
    for (int call : kOnlyWithFiles) rule(SCMP_ACT_ERRNO(EPERM), call);
  }
  for (int call : kNoHiddenMemory) rule(SCMP_ACT_ERRNO(EPERM), call);
  for (int call : kOwnSchedulingFirst) rule(SCMP_ACT_ERRNO(EPERM), call, compare(0, SCMP_CMP_NE, 0));
  for (int call : kOwnSchedulingSecond) rule(SCMP_ACT_ERRNO(EPERM), call, compare(1, SCMP_CMP_NE, 0));
  // Signals by way of a descriptor: whose data tells whom, with which signal.
  for (scmp_datum_t command : {F_SETOWN, F_SETSIG, F_SETOWN_EX}) {
    rule(SCMP_ACT_ERRNO(EPERM), SCMP_SYS(fcntl), compare(1, SCMP_CMP_MASKED_EQ, kInt, command));
  }
  auto self = static_cast<scmp_datum_t>(::getpid());
  for (int call : kSignals) rule(SCMP_ACT_ERRNO(EPERM), call, compare(0, SCMP_CMP_NE, self));
  // The same, and typing into the terminal that the gateway was started from.
  for (scmp_datum_t request : {TIOCSTI, TIOCLINUX, FIOSETOWN, SIOCSPGRP}) {
    rule(SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), compare(1, SCMP_CMP_MASKED_EQ, kInt, request));
  }
  // Threads, but no processes. What clone3 is asked for lies in memory, where a filter cannot look: without it the C
  // library uses clone.
  rule(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3));
  constexpr scmp_datum_t kThread = 0x00010000;  // CLONE_THREAD
  rule(SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), compare(0, SCMP_CMP_MASKED_EQ, kThread, 0));
  if (done == 0) done = ::seccomp_load(filter.get());
  return done == 0 ? base::Status() : failed("seccomp", -done);
}

// The rights that each version of Landlock knows (linux/landlock.h): all that it can forbid.
uint64_t file_rights(int version) {
  uint64_t rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;  // version 1
  if (version >= 2) rights |= uint64_t{1} << 13;             // LANDLOCK_ACCESS_FS_REFER
  if (version >= 3) rights |= uint64_t{1} << 14;             // LANDLOCK_ACCESS_FS_TRUNCATE
  return rights;
}

void allow(int rules, const std::string& path, uint64_t rights) {
  int fd = ::open(path.c_str(), O_PATH | O_CLOEXEC);
  if (fd < 0) return;
  landlock_path_beneath_attr rule{};
  rule.allowed_access = rights;
  rule.parent_fd = fd;
  ::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  ::close(fd);
}

void allow_system(int rules, const std::string& library) {
  constexpr uint64_t kReadFile = LANDLOCK_ACCESS_FS_READ_FILE;
  constexpr uint64_t kRead = kReadFile | LANDLOCK_ACCESS_FS_READ_DIR;
  for (const char* folder : {"/usr", "/lib", "/lib64", "/etc", "/proc/self", "/sys/devices/system/cpu"}) {
    allow(rules, folder, kRead);
  }
  for (const char* device : {"/dev/urandom", "/dev/random", "/dev/zero"}) allow(rules, device, kReadFile);
  allow(rules, "/dev/null", kReadFile | LANDLOCK_ACCESS_FS_WRITE_FILE);
  allow(rules, library, kReadFile);
}

// Files of the system may be read, none may be written. With `files` all may be: but a process in a domain, however wide,
// cannot look into one outside of it, as the gateway is. False when this kernel has no Landlock.
base::Result<bool> forbid_files(bool files, const std::string& library) {
  auto version = static_cast<int>(::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION));
  if (version < 1) return false;
  landlock_ruleset_attr handled{};
  handled.handled_access_fs = files ? uint64_t{LANDLOCK_ACCESS_FS_MAKE_BLOCK} : file_rights(version);
  auto rules = static_cast<int>(::syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0));
  if (rules < 0) return failed("Landlock", errno);
  if (!files) allow_system(rules, library);
  auto done = ::syscall(SYS_landlock_restrict_self, rules, 0);
  int number = errno;
  ::close(rules);
  if (done != 0) return failed("Landlock", number);
  return true;
}

}  // namespace

base::Result<std::vector<std::string>> confine(const Confinement& confinement) {
  std::vector<std::string> lacking;
  limit(RLIMIT_CORE, 0);
  if (confinement.memory_bytes != 0 && !kSanitized) limit(RLIMIT_DATA, confinement.memory_bytes);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed("no new privileges", errno);
  auto landlock = forbid_files(confinement.files, confinement.library);
  if (!landlock) return landlock.error();
  if (!*landlock) lacking.push_back("Landlock: it can read files and processes as the gateway's user can");
  // Not in the gateway's folder, where its journal has short names.
  if (!confinement.files && ::chdir("/") != 0) return failed("the root folder", errno);
  if (auto done = forbid_calls(confinement.network, confinement.files); !done) return done.error();
  return lacking;
}

}  // namespace weir::isolation
