// Reads what a compressed file says: goes on at the offset in the decoded text, and ends at the end
// of the file. Both for the rest of a file that was rotated and compressed before it was read, and
// for jobs with `decompression`.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "agent/tail/stream_decoder.h"
#include "agent/tail/tail_source.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace agent {

// The first kHeadBytes of what `path` holds, uncompressed. kInvalid when it is no gzip file.
Result<std::string> ReadGzipHead(const std::string& path);

class DecodedSource final : public TailSource {
 public:
  // `init.place` is the compressed file. The path under which it was found is its name.
  enum class Use : uint8_t {
    kRest,  // Of a file that was read uncompressed: `init.identity` says which text is meant.
    kJob,   // Of `decompression`: `init.identity` is the compressed file's.
  };
  DecodedSource(std::shared_ptr<SourceContext> context, TailSourceInit init,
                Compression compression, Use use);
  DecodedSource(const DecodedSource&) = delete;
  DecodedSource& operator=(const DecodedSource&) = delete;
  ~DecodedSource() override;

  ReadStatus Read(BlockBuffer& buffer, std::size_t max_bytes, Chunk& chunk) override;
  [[nodiscard]] std::string name() const override { return place_; }

  // It is what it is, and it ends by itself: nothing that happens to the file matters any more.
  void SetPlace(const std::string& /*path*/) override {}
  void SetRotated() override {}
  void Finish() override {}
  void FinishAtCurrentEnd() override {}
  void Restart(std::shared_ptr<SourceProgress> /*progress*/,
               std::shared_ptr<TailSource> /*predecessor*/) override {}
  // When no worker reads it any more.
  [[nodiscard]] UniqueFd DuplicateFd() override;

 private:
  enum class Outcome : uint8_t {
    kData,        // Also when it is none: more may follow.
    kEnd,         // The end of the file, and of what is in it.
    kIncomplete,  // The end of the file alone.
    kDamaged,
  };
  class Decoding;

  // False: `outcome_` says why there is no more.
  bool SkipToOffset(BlockBuffer& buffer, std::size_t max_bytes);
  ReadStatus ReadOn(BlockBuffer& buffer, std::size_t max_bytes, Chunk& chunk);
  void SkipLongLine(uint64_t bytes);
  // Ends because of `outcome_`.
  ReadStatus End();
  ReadStatus EndWith(std::string_view problem);

  const std::string place_;
  const Compression compression_;
  const Use use_;
  UniqueFd fd_;  // Of the constructor, until it is read from.

  // The worker's alone.
  std::unique_ptr<Decoding> decoding_;
  Outcome outcome_ = Outcome::kData;
  uint64_t position_ = 0;  // Bytes decoded.
  uint64_t offset_ = 0;    // The first byte not handed out.
  std::string carry_;      // From offset_ to position_: a line without its end.
  uint64_t skipped_ = 0;   // Of a line that is too long; it begins at offset_.
  bool ended_ = false;
};

}  // namespace agent
