// What a receiver has taken, as a source: entries wait here, in memory, until the worker reads
// them. They cannot be read again: who sent them has been told, or sends nothing twice.

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/tail/source.h"
#include "base/mutex.h"

namespace agent {

struct ReceivedEntry {
  std::string line;
  // That it starts with; null: those of the source. Shared by the entries of a stream.
  std::shared_ptr<const Labels> labels;
  std::optional<int64_t> timestamp_ns;  // Nothing: when it is read.
  std::vector<std::pair<std::string, std::string>> metadata;

  // What it takes while it waits, about; labels are shared and not counted.
  [[nodiscard]] std::size_t memory_bytes() const;
};

class ReceivedSource final : public Source {
 public:
  struct Init {
    std::string name;  // For logs and pages: "syslog 0.0.0.0:1514".
    std::string job;
    Labels labels;
    std::size_t outputs = 0;  // How many SourceProgress counts.
    uint64_t lineage = 0;     // Which worker reads it.
    // Less than half of what fits waits now, after it was more. Any thread; may be empty.
    std::function<void()> drained;
  };

  // So much may wait: a receiver stops taking then, and goes on when `drained` is called.
  static constexpr std::size_t kMaxWaitingBytes = std::size_t{2} << 20;

  explicit ReceivedSource(Init init);

  // --- The worker's.
  ReadStatus Read(BlockBuffer& buffer, std::size_t max_bytes, Chunk& chunk) override;
  [[nodiscard]] const Labels& labels() const override { return init_.labels; }
  [[nodiscard]] const std::string& job() const override { return init_.job; }
  [[nodiscard]] const std::shared_ptr<SourceProgress>& progress() const override {
    return progress_;
  }
  [[nodiscard]] uint64_t lineage() const override { return init_.lineage; }
  [[nodiscard]] const Source* predecessor() const override { return nullptr; }
  [[nodiscard]] std::string name() const override { return init_.name; }
  [[nodiscard]] bool rereadable() const override { return false; }
  [[nodiscard]] bool received() const override { return true; }

  // --- The receiver's; any thread. The host must be told to wake the source after Add() and End().
  // Takes them in any case; the caller asks full() first.
  void Add(ReceivedEntry entry);
  void Add(std::vector<ReceivedEntry>& entries);  // Empty afterwards.
  [[nodiscard]] bool full() const;
  [[nodiscard]] std::size_t waiting_bytes() const;
  // It ends when what waits has been read.
  void End();

 private:
  void Take(std::size_t max_bytes);

  const Init init_;
  const std::shared_ptr<SourceProgress> progress_;

  // The worker's: what the last chunk points to.
  std::vector<ReceivedEntry> taken_;
  std::vector<ChunkLine> lines_;
  std::vector<Metadata> metadata_;
  uint64_t offset_ = 0;  // Of the first byte that waits.

  mutable Mutex mutex_;
  std::deque<ReceivedEntry> waiting_ GUARDED_BY(mutex_);
  std::size_t waiting_bytes_ GUARDED_BY(mutex_) = 0;
  bool was_full_ GUARDED_BY(mutex_) = false;
  bool ended_ GUARDED_BY(mutex_) = false;
};

}  // namespace agent
