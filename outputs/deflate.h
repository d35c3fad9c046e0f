// Deflate: gzip for HTTP, zlib for lumberjack. Levels 1 to 3 are ISA-L's fastest that compresses
// well, which is several times as fast as zlib at the same ratio; higher ones are zlib's.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "outputs/batch.h"
#include "outputs/compressor.h"
#include "outputs/growing_buffer.h"

namespace agent {

enum class DeflateFormat : uint8_t { kGzip, kZlib };

// About 300 KiB.
class Deflater final : public Compressor {
 public:
  // `level`: 1 to 9.
  Deflater(DeflateFormat format, int level);
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  ~Deflater() override;

  void Add(std::string_view bytes) override;
  Bytes Finish() override;
  void Reset() override;
  [[nodiscard]] std::size_t size() const override { return out_.size(); }

 private:
  class Codec;
  class IsalCodec;
  class ZlibCodec;

  std::unique_ptr<Codec> codec_;
  GrowingBuffer out_;
};

// Of a stream that Deflater has made, of either format. Fails for what it has not made.
Result<std::string> Inflate(std::string_view bytes, std::size_t raw_size);

}  // namespace agent
