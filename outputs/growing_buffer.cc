#include "outputs/growing_buffer.h"

#include <algorithm>
#include <new>

namespace agent {
namespace {

constexpr std::size_t kFirstCapacity = std::size_t{32} << 10;

}  // namespace

void GrowingBuffer::Grow(std::size_t more) {
  const std::size_t capacity = std::max({capacity_ * 2, size_ + more, kFirstCapacity});
  // realloc moves pages instead of bytes once the buffer is large.
  char* data = static_cast<char*>(std::realloc(data_.get(), capacity));
  if (data == nullptr) throw std::bad_alloc();
  static_cast<void>(data_.release());
  data_.reset(data);
  capacity_ = capacity;
}

}  // namespace agent
