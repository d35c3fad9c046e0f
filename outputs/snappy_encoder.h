// Compresses into the snappy block format, faster than the library for a little less ratio.
//
// After a match it first looks whether the text goes on at the same distance a few bytes later (a
// log line differs from an earlier one in short fields), and only then asks its table again.
// Compares 64 bytes at a time where the processor can.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace agent {

// One thread at a time; different objects on different threads at once.
class SnappyEncoder {
 public:
  enum class Kernel : uint8_t { kPortable, kAvx2, kAvx512 };
  // The fastest that this processor runs.
  static Kernel BestKernel();

  SnappyEncoder() : SnappyEncoder(BestKernel()) {}
  // The processor must be able to run `kernel`.
  explicit SnappyEncoder(Kernel kernel);

  // How many bytes `out` must have for input of that size, slack for wide stores included.
  static constexpr std::size_t MaxCompressedSize(std::size_t input_size) {
    return 32 + input_size + input_size / 6 + 128;
  }

  // Compresses the concatenation of `parts` (less than 4 GiB) into `out`; returns the size.
  std::size_t Compress(std::span<const std::string_view> parts, char* out);

 private:
  // The format's copies reach back 64 KiB; each block of that size is compressed by itself.
  static constexpr std::size_t kBlockBytes = 65536;
  static constexpr std::size_t kTableSize = std::size_t{1} << 13;
  using Table = std::array<uint16_t, kTableSize>;
  using CompressBlock = char* (*)(const char* block, std::size_t size, uint16_t* table, char* out);

  // The next `size` bytes of `parts` from `at` in the first on, in one piece; goes past them.
  const char* Block(std::span<const std::string_view>& parts, std::size_t& at, std::size_t size);

  CompressBlock compress_block_;
  std::unique_ptr<Table> table_;
  std::unique_ptr<char[]> gathered_;  // A block that is made of several parts; lazily made.
};

}  // namespace agent
