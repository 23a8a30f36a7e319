#include "isolation/shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace weir::isolation {
namespace {

constexpr size_t kDescriptors = 3;
constexpr uint64_t kPage = 4096;

base::Error failed(const char* what) {
  return base::error(base::Code::kUnavailable, std::string("no shared memory, ") + what + ": " + std::strerror(errno));
}

}  // namespace

base::Result<SharedMemory> SharedMemory::create(uint64_t ring_bytes) {
  std::vector<Descriptor> descriptors;
  descriptors.emplace_back(::memfd_create("weir", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (descriptors[0].get() < 0) return failed("no descriptor");
  std::vector<Descriptor> child_ends;
  for (size_t i = 1; i < kDescriptors; ++i) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return failed("no descriptor");
    descriptors.emplace_back(ends[0]);
    child_ends.emplace_back(ends[1]);
  }
  SharedMemory memory(std::move(descriptors), ring_bytes);
  memory.child_ends_ = std::move(child_ends);
  int fd = memory.descriptors_[0].get();
  if (::ftruncate(fd, static_cast<off_t>(memory.size())) != 0) return failed("no room");
  if (::fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) return failed("it cannot be sealed");
  if (auto done = memory.map(); !done) return done.error();
  return memory;
}

base::Result<SharedMemory> SharedMemory::attach(std::vector<Descriptor> descriptors, uint64_t ring_bytes) {
  if (descriptors.size() != kDescriptors) return base::error(base::Code::kInvalid, "not the descriptors of a setup");
  SharedMemory memory(std::move(descriptors), ring_bytes);
  if (auto done = memory.map(); !done) return done.error();
  return memory;
}

SharedMemory::~SharedMemory() {
  if (layout_ != nullptr) ::munmap(layout_, static_cast<size_t>(size()));
}

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : descriptors_(std::move(other.descriptors_)),
      child_ends_(std::move(other.child_ends_)),
      ring_bytes_(other.ring_bytes_),
      layout_(std::exchange(other.layout_, nullptr)) {}

uint64_t SharedMemory::size() const { return (sizeof(Layout) + kPage - 1) / kPage * kPage + 2 * ring_bytes_; }

base::Status SharedMemory::map() {
  void* at = ::mmap(nullptr, static_cast<size_t>(size()), PROT_READ | PROT_WRITE, MAP_SHARED, descriptors_[0].get(), 0);
  if (at == MAP_FAILED) return failed("it cannot be mapped");
  layout_ = static_cast<Layout*>(at);  // all zero: nothing written, nothing read
  return {};
}

std::vector<int> SharedMemory::child_descriptors() const {
  std::vector<int> numbers{descriptors_[0].get()};
  for (const Descriptor& end : child_ends_) numbers.push_back(end.get());
  return numbers;
}

RingPlace SharedMemory::place(size_t ring) const {
  auto* bytes = reinterpret_cast<uint8_t*>(layout_) + (size() - (2 - ring) * ring_bytes_);
  return {&layout_->rings[ring], bytes, ring_bytes_, descriptors_[1 + ring].get()};
}

}  // namespace weir::isolation
