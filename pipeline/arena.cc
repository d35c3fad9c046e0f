#include "pipeline/arena.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace agent {
namespace {

constexpr std::size_t kFirstChunk = std::size_t{64} << 10;
// What is kept between blocks: enough for the unwrapped text of one block of lines.
constexpr std::size_t kKeptChunk = std::size_t{1} << 20;

}  // namespace

char* Arena::Allocate(std::size_t size) {
  if (chunks_.empty() || chunks_.back().size - used_ < size + kTextPadding) Grow(size);
  char* text = chunks_.back().data.get() + used_;
  used_ += size;
  return text;
}

void Arena::Shrink(std::size_t size, std::size_t used) {
  CHECK(used <= size && used_ >= size);
  used_ -= size - used;
}

std::string_view Arena::Copy(std::string_view text) {
  char* copy = Allocate(text.size());
  if (!text.empty()) std::memcpy(copy, text.data(), text.size());
  return {copy, text.size()};
}

void Arena::Clear() {
  used_ = 0;
  if (chunks_.empty()) return;
  // The last chunk is the largest. One that a long line has made huge goes as well.
  Chunk last = std::move(chunks_.back());
  chunks_.clear();
  total_ = 0;
  if (last.size <= kKeptChunk) {
    total_ = last.size;
    chunks_.push_back(std::move(last));
  }
}

void Arena::Grow(std::size_t size) {
  const std::size_t doubled = chunks_.empty() ? kFirstChunk : chunks_.back().size * 2;
  Chunk chunk;
  chunk.size = std::max(std::min(doubled, kKeptChunk), size + kTextPadding);
  chunk.data.reset(new char[chunk.size]);
  total_ += chunk.size;
  chunks_.push_back(std::move(chunk));
  used_ = 0;
}

}  // namespace agent
