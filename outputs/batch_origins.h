// Where the entries of a batch came from, while it is being filled. Shared by all encoders, so that
// a batch settles alike whatever it is made of.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/entry.h"
#include "base/source_progress.h"
#include "outputs/batch.h"

namespace agent {

// The source whose entries an encoder is being given. Used by one worker's thread.
class EntrySource {
 public:
  explicit EntrySource(std::size_t output) : output_(output) {}

  void Begin(std::shared_ptr<SourceProgress> progress) {
    progress_ = std::move(progress);
    start_ = progress_->start(output_);
    ++serial_;
  }

  // An earlier run has delivered it.
  [[nodiscard]] bool SettledBefore(const Entry& entry) const {
    return agent::SettledBefore(entry, output_, start_);
  }
  // The entry ends here: delivered by an earlier run, or dropped.
  void SettleNow(const Entry& entry, bool delivered) const;

  // Where the entry's first line is from; null where nobody knows.
  [[nodiscard]] const SourceProgress* FirstLineOf(const Entry& entry) const;

  [[nodiscard]] std::size_t output() const { return output_; }
  // Null before the first Begin().
  [[nodiscard]] const std::shared_ptr<SourceProgress>& progress() const { return progress_; }
  // Which Begin() it was, from 1 on.
  [[nodiscard]] uint64_t serial() const { return serial_; }

 private:
  const std::size_t output_;
  std::shared_ptr<SourceProgress> progress_;
  uint64_t start_ = 0;
  uint64_t serial_ = 0;
};

class BatchOrigins {
 public:
  // The entry is the next one of the batch.
  void Add(const EntrySource& source, const Entry& entry);

  [[nodiscard]] std::size_t size() const { return origins_.size(); }
  // Without what containers keep in reserve.
  [[nodiscard]] std::size_t memory_bytes() const;

  // Gives all to a batch that is being closed; empty then, but keeps its memory.
  void MoveInto(Batch& batch);
  // Of a batch that is given up: its entries stay unsettled.
  void Abandon();
  void Clear();
  void ReleaseMemory();

 private:
  std::vector<EntryOrigin> origins_;
  std::vector<BatchHold> holds_;
  std::vector<SourcePin> pins_;
  std::unordered_map<const SourceProgress*, uint32_t> pin_of_;
  uint64_t source_serial_ = 0;  // Which EntrySource::Begin() pin_ is good for; 0: none.
  uint32_t pin_ = 0;
};

}  // namespace agent
