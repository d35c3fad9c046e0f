// Memory for texts that live as long as a block. Allocating is a pointer bump; all of it goes at
// once.

#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace agent {

// Bytes that may be read after the end of every text in a block or an arena. Enough for simdjson
// and for 64-byte vectors.
constexpr std::size_t kTextPadding = 64;

class Arena {
 public:
  // Room for `size` bytes and kTextPadding after them, uninitialised. Valid until Clear().
  char* Allocate(std::size_t size);
  // Gives back the end of the latest allocation: it turned out to need only `used` of its `size`
  // bytes.
  void Shrink(std::size_t size, std::size_t used);
  std::string_view Copy(std::string_view text);

  // Forgets everything; keeps a chunk of moderate size for the next block.
  void Clear();
  [[nodiscard]] std::size_t memory_bytes() const { return total_; }

 private:
  struct Chunk {
    std::unique_ptr<char[]> data;
    std::size_t size = 0;
  };
  void Grow(std::size_t size);

  std::vector<Chunk> chunks_;  // The last one is being filled.
  std::size_t used_ = 0;       // Of the last chunk.
  std::size_t total_ = 0;
};

}  // namespace agent
