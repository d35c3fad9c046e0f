// Compression as it comes, a piece at a time, of one stream after the other.

#pragma once

#include <cstddef>
#include <string_view>

#include "outputs/batch.h"

namespace agent {

// Used by one thread.
class Compressor {
 public:
  virtual ~Compressor() = default;

  // Adds to the stream, which begins with the first call after Finish().
  virtual void Add(std::string_view bytes) = 0;
  // Ends the stream, and gives it all.
  virtual Bytes Finish() = 0;
  // Forgets what was added.
  virtual void Reset() = 0;
  // What the stream takes so far, compressed.
  [[nodiscard]] virtual std::size_t size() const = 0;
};

}  // namespace agent
