// The buffer into which a worker reads: grows for a long line, has readable bytes after its end.

#pragma once

#include <cstddef>
#include <cstring>
#include <memory>

#include "pipeline/arena.h"

namespace agent {

class BlockBuffer {
 public:
  // At least `size` bytes and kTextPadding after them; the first `keep` bytes stay.
  char* Ensure(std::size_t size, std::size_t keep = 0) {
    if (size > capacity_) {
      auto bigger = std::make_unique<char[]>(size + kTextPadding);
      if (keep > 0) std::memcpy(bigger.get(), data_.get(), keep);
      data_ = std::move(bigger);
      capacity_ = size;
    }
    return data_.get();
  }
  // Gives memory back when a long line has made it grow beyond `size`. The content is lost.
  void ShrinkTo(std::size_t size) {
    if (capacity_ > size) {
      data_.reset();
      capacity_ = 0;
    }
  }
  [[nodiscard]] char* data() { return data_.get(); }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }

 private:
  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
};

}  // namespace agent
