// Reads the rest of a file that was rotated and compressed before it was read: streams it through
// zlib and goes on at the offset in the uncompressed text. Ends at the end.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "agent/tail/tail_source.h"
#include "base/mutex.h"
#include "base/result.h"

namespace agent {

// The first kHeadBytes of what `path` holds, uncompressed. kInvalid when it is no gzip file.
Result<std::string> ReadGzipHead(const std::string& path);

class GzipSource final : public TailSource {
 public:
  // `init.place` is the compressed file; `init.identity` says which text is meant.
  GzipSource(std::shared_ptr<SourceContext> context, TailSourceInit init);
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;
  ~GzipSource() override;

  ReadStatus Read(BlockBuffer& buffer, std::size_t max_bytes, Chunk& chunk) override;
  [[nodiscard]] std::string name() const override { return place_; }

  // It is what it is: nothing that happens to the file matters any more.
  void SetPlace(const std::string& /*path*/) override {}
  void SetRotated() override {}
  void Finish() override {}
  void FinishAtCurrentEnd() override {}
  void Restart(std::shared_ptr<SourceProgress> /*progress*/,
               std::shared_ptr<TailSource> /*predecessor*/) override {}
  [[nodiscard]] UniqueFd DuplicateFd() override { return {}; }

 private:
  struct Stream;  // zlib's.

  // False at the end, and when the file cannot be read on.
  bool SkipToOffset(BlockBuffer& buffer, std::size_t max_bytes);
  ReadStatus ReadOn(BlockBuffer& buffer, std::size_t max_bytes, Chunk& chunk);
  void SkipLongLine(uint64_t bytes);
  ReadStatus End(std::string_view problem);

  const std::string place_;

  // The worker's alone.
  std::unique_ptr<Stream> stream_;
  uint64_t position_ = 0;  // Bytes uncompressed.
  uint64_t offset_ = 0;    // The first byte not handed out.
  std::string carry_;      // From offset_ to position_: a line without its end.
  uint64_t skipped_ = 0;   // Of a line that is too long; it begins at offset_.
  bool ended_ = false;
};

}  // namespace agent
