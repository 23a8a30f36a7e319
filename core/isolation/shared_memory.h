// The memory that a gateway and a child share: two rings and the values of the plugin's metrics.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "base/result.h"
#include "isolation/channel.h"
#include "isolation/ring.h"

namespace weir::isolation {

inline constexpr size_t kMaxMetrics = 256;

// Owns the mapping and its descriptors. The child's copy of it is made from the gateway's descriptors.
class SharedMemory {
 public:
  // For the gateway, with the child's descriptors. `ring_bytes`: of each ring, a power of two, at least a page. Its size is sealed: a child that shrank
  // it would end the gateway by SIGBUS.
  static base::Result<SharedMemory> create(uint64_t ring_bytes);
  // For the child: from the descriptors that child_descriptors() gave.
  static base::Result<SharedMemory> attach(std::vector<Descriptor> descriptors, uint64_t ring_bytes);
  ~SharedMemory();
  SharedMemory(SharedMemory&& other) noexcept;
  SharedMemory& operator=(SharedMemory&&) = delete;

  // To be sent to the child: the memory, and its end of the pair of each ring.
  std::vector<int> child_descriptors() const;
  // Once they are sent: so that the child's end of a pair closes when the child does.
  void close_child_ends() { child_ends_.clear(); }
  RingPlace to_child() const { return place(0); }
  RingPlace to_gateway() const { return place(1); }
  std::atomic<double>& metric(size_t i) const { return layout_->metrics[i]; }

 private:
  struct Layout {
    RingHead rings[2];
    std::atomic<double> metrics[kMaxMetrics];
  };
  static_assert(std::atomic<double>::is_always_lock_free && std::atomic<uint64_t>::is_always_lock_free);

  SharedMemory(std::vector<Descriptor> descriptors, uint64_t ring_bytes)
      : descriptors_(std::move(descriptors)), ring_bytes_(ring_bytes) {}
  base::Status map();
  uint64_t size() const;
  RingPlace place(size_t ring) const;

  std::vector<Descriptor> descriptors_;  // the memory, then this side's end of each ring's pair
  std::vector<Descriptor> child_ends_;
  uint64_t ring_bytes_;
  Layout* layout_ = nullptr;
};

}  // namespace weir::isolation
