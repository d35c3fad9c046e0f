// Compresses a batch into something that stands on its own in a file: a gzip member or a zstd
// frame. Files made of these are read by zcat and zstdcat at any time. A member says in its header
// how long it is, so that the end of a file can be checked without reading all of it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "outputs/compressor.h"
#include "outputs/file/file_options.h"
#include "outputs/growing_buffer.h"

namespace agent::file {

// What the compressors of an encoder share: one at a time is being finished. Used by one thread.
class FrameCodec {
 public:
  // `level` 0: the usual one.
  FrameCodec(FileCompression compression, int level);
  FrameCodec(const FrameCodec&) = delete;
  FrameCodec& operator=(const FrameCodec&) = delete;
  ~FrameCodec();

  Bytes Compress(std::string_view bytes);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Keeps what it is given, and compresses it at the end: any number of files can be open.
class FrameCompressor final : public Compressor {
 public:
  // `codec` outlives it.
  explicit FrameCompressor(FrameCodec& codec) : codec_(codec) {}

  void Add(std::string_view bytes) override { bytes_.Append(bytes); }
  Bytes Finish() override;
  void Reset() override { bytes_.Clear(); }
  [[nodiscard]] std::size_t size() const override { return bytes_.size(); }

 private:
  FrameCodec& codec_;
  GrowingBuffer bytes_;
};

// Of our gzip members: 10 bytes of gzip's, then the field with the length of the whole member.
constexpr std::size_t kMemberHeaderBytes = 20;
// Nullopt: no header of ours. `header` has kMemberHeaderBytes.
std::optional<uint32_t> MemberLength(std::string_view header);

// A gzip member or zstd frame can be decompressed, and its checksum is right.
bool IsIntact(std::string_view frame);

// Of any number of members or frames, one behind the other; the kind is seen by its magic, and what
// has none comes back as it is. kInvalid: damaged, or more than `max_bytes`.
Result<std::string> Decompress(std::string_view bytes, std::size_t max_bytes);

// A body as a file with that compression has it. What was made before the configuration changed
// (it comes out of the disk buffer) is compressed anew.
Bytes Fitting(const Bytes& body, FileCompression compression, int level);

}  // namespace agent::file
