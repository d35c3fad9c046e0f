// Compressed bytes in, what they mean out, a piece at a time and in bounded memory: gzip, zlib,
// bzip2, zstd. What follows the end of a member (a stream, a frame) is the next one: files grow by
// them.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace agent {

enum class Compression : uint8_t { kNone, kGzip, kZlib, kBzip2, kZstd };

// As in `decompression.format`; empty for kNone.
std::string_view CompressionName(Compression compression);

class StreamDecoder {
 public:
  virtual ~StreamDecoder() = default;

  // Takes from the front of `input` and writes at most `room` bytes to `output`; `written` says how
  // many. It is over when neither happens. False: the bytes are damaged, see error().
  virtual bool Decode(std::string_view& input, char* output, std::size_t room,
                      std::size_t& written) = 0;
  // Nothing is outstanding: before the first byte, or right behind the end of a member.
  [[nodiscard]] virtual bool at_boundary() const = 0;
  // What was wrong, for people.
  [[nodiscard]] const std::string& error() const { return error_; }

  // Not for kNone. Null when there is no memory for it.
  static std::unique_ptr<StreamDecoder> Make(Compression compression);

 protected:
  bool Fail(std::string_view what) {
    error_ = what;
    return false;
  }

 private:
  std::string error_;
};

}  // namespace agent
