// Compression as it comes, a piece at a time: gzip for HTTP, zlib for lumberjack. Levels 1 to 3 are
// ISA-L's fastest that compresses well, which is several times as fast as zlib at the same ratio;
// higher ones are zlib's.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "outputs/batch.h"
#include "outputs/growing_buffer.h"

namespace agent {

enum class DeflateFormat : uint8_t { kGzip, kZlib };

// Used by one thread; one after the other any number of streams. About 300 KiB.
class Deflater {
 public:
  // `level`: 1 to 9.
  Deflater(DeflateFormat format, int level);
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  ~Deflater();

  // Adds to the stream, which begins with the first call after Finish().
  void Add(std::string_view bytes);
  // Ends the stream, and gives it all.
  Bytes Finish();
  // Forgets what was added.
  void Reset();
  // What the stream takes so far, compressed.
  [[nodiscard]] std::size_t size() const { return out_.size(); }

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
