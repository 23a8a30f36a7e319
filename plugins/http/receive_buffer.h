// The bytes a connection has received and not used up yet.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

#include "request.h"

namespace weir::http {

// A growing array with kBodyPadding readable bytes behind its end.
class ReceiveBuffer {
 public:
  char* data() { return data_.get(); }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  size_t free_bytes() const { return capacity_ - size_; }
  char* end() { return data_.get() + size_; }
  std::string_view view(size_t from = 0) const { return {data_.get() + from, size_ - from}; }

  // Says that `n` bytes have been written at end().
  void commit(size_t n) { size_ += n; }
  void truncate(size_t size) { size_ = size; }
  // Forgets the first `n` bytes.
  void consume(size_t n) {
    size_ -= n;
    if (size_ > 0) std::memmove(data_.get(), data_.get() + n, size_);
  }
  // Makes the array `capacity` bytes, which must hold what is in it.
  void resize(size_t capacity) {
    auto resized = std::make_unique_for_overwrite<char[]>(capacity + kBodyPadding);
    if (size_ > 0) std::memcpy(resized.get(), data_.get(), size_);
    data_ = std::move(resized);
    capacity_ = capacity;
  }

 private:
  std::unique_ptr<char[]> data_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace weir::http
