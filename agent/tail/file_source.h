// Reads one file, on a worker: whole lines from its offset on, wherever the file is renamed to,
// until it is told that no more will come. Notices by itself when the file's content is replaced
// under it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/tail/tail_source.h"
#include "base/mutex.h"
#include "base/result.h"

namespace agent {

class FileSource final : public TailSource, private OpenFiles::Holder {
 public:
  FileSource(std::shared_ptr<SourceContext> context, TailSourceInit init);
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;
  ~FileSource() override;

  // --- The worker's.
  ReadStatus Read(BlockBuffer& buffer, std::size_t max_bytes, Chunk& chunk) override;

  // --- The loop's.
  void SetPlace(const std::string& path) override;
  void SetRotated() override;
  void Finish() override;
  void FinishAtCurrentEnd() override;
  void Restart(std::shared_ptr<SourceProgress> progress,
               std::shared_ptr<TailSource> predecessor) override;
  [[nodiscard]] UniqueFd DuplicateFd() override;

 private:
  enum class End : uint8_t { kNone, kWhole, kCurrent };
  // What the loop has said; a copy for one turn.
  struct Orders {
    std::string place;
    bool rotated = false;
    End end = End::kNone;
    uint64_t end_at = 0;  // For kCurrent: where the end was when it was said.
    bool waits_for_restart = false;
  };
  struct NewContent {
    std::shared_ptr<SourceProgress> progress;
    std::shared_ptr<TailSource> predecessor;
  };
  // How a step of reading went. No value: go on.
  using Step = std::optional<ReadStatus>;

  bool CloseIfIdle(bool even_unread) override;

  [[nodiscard]] Orders TakeOrders();
  bool TakeRestart();

  Step Open(const Orders& orders) REQUIRES(io_mutex_);
  Result<UniqueFd> OpenPlace(const Orders& orders) REQUIRES(io_mutex_);
  [[nodiscard]] bool IsOurs(int fd) const;
  Step OpenFailed(const Error& error, const Orders& orders) REQUIRES(io_mutex_);

  Step ReadLines(BlockBuffer& buffer, std::size_t max_bytes, Chunk& chunk) REQUIRES(io_mutex_);
  // A line that is longer than a block: looks for its newline in what was not searched yet.
  Step SearchLongLine(BlockBuffer& buffer, std::size_t max_bytes, std::size_t& want)
      REQUIRES(io_mutex_);
  void SkipLine(uint64_t line_end);
  // How the file begins may say how it is encoded.
  void BeginText() REQUIRES(io_mutex_);
  // At the end of what there was when the target went away.
  static bool Past(const Orders& orders, uint64_t offset) {
    return orders.end == End::kCurrent && offset >= orders.end_at;
  }
  Step AtEnd(const Orders& orders, BlockBuffer& buffer, Chunk& chunk) REQUIRES(io_mutex_);
  Step EndSource(const Orders& orders, BlockBuffer& buffer, Chunk& chunk) REQUIRES(io_mutex_);
  Result<std::size_t> PRead(char* to, std::size_t bytes, uint64_t offset) REQUIRES(io_mutex_);
  void HandOut(const char* data, std::size_t bytes, Chunk& chunk);

  // False when the file begins with other bytes than before. Lets the head grow.
  bool SameHead() REQUIRES(io_mutex_);
  // The content is not the one that was read until now.
  ReadStatus ContentChanged(std::string_view how) REQUIRES(io_mutex_);
  // Past the hole that a writer without O_APPEND makes when it goes on after a truncation.
  void SkipHole() REQUIRES(io_mutex_);
  uint64_t FirstNonNul(uint64_t size) REQUIRES(io_mutex_);
  ReadStatus Failed(const Error& error);

  // The worker's alone.
  uint64_t offset_ = 0;    // The first byte not handed out.
  uint64_t searched_ = 0;  // Bytes from there on that have no newline among them.
  bool skipping_ = false;  // The line at offset_ is too long.
  bool ended_ = false;
  bool emptied_ = false;   // It was truncated to nothing, and nothing was read since.
  std::string before_;     // The last bytes before offset_, to see whether they stay.
  FileIdentity identity_;  // Written by the worker under io_mutex_.
  uint64_t largest_size_ = 0;

  // Held while the descriptor is used; only tried by others.
  mutable Mutex io_mutex_;
  UniqueFd fd_ GUARDED_BY(io_mutex_);

  Orders orders_ GUARDED_BY(mutex_);
  std::optional<NewContent> restart_ GUARDED_BY(mutex_);
};

}  // namespace agent
