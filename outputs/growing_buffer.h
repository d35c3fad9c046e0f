// Bytes that are appended to, with room made beforehand.

#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

namespace agent {

// Grows in place where the allocator can; keeps what it has when cleared.
class GrowingBuffer {
 public:
  // Room for `more` bytes at end().
  void Ensure(std::size_t more) {
    if (size_ + more > capacity_) Grow(more);
  }
  [[nodiscard]] char* end() { return data_.get() + size_; }
  [[nodiscard]] const char* data() const { return data_.get(); }
  [[nodiscard]] char* data() { return data_.get(); }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  void Extend(std::size_t written) { size_ += written; }
  void Append(std::string_view bytes) {
    Ensure(bytes.size());
    if (!bytes.empty()) std::memcpy(end(), bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  void Clear() { size_ = 0; }
  void ShrinkTo(std::size_t size) { size_ = size; }

 private:
  struct Free {
    void operator()(char* data) const { std::free(data); }
  };
  void Grow(std::size_t more);

  std::unique_ptr<char[], Free> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace agent
