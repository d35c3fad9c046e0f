// The open batch of an encoder that writes one document behind the other: compressed as they come,
// closed when it is full or due.
//
//   GrowingBuffer& to = batch.Begin();
//   …                                    // Appends what the entry becomes.
//   batch.End(source, entry, now_ns);

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/entry.h"
#include "base/memory_budget.h"
#include "outputs/batch_origins.h"
#include "outputs/compressor.h"
#include "outputs/encoder.h"
#include "outputs/growing_buffer.h"
#include "outputs/output_counters.h"

namespace agent {

struct DocumentBatchLimits {
  std::size_t bytes = 0;  // Uncompressed; a larger document is a batch of its own.
  std::size_t entries = 0;
  std::chrono::nanoseconds wait{0};  // From its first entry on.
};

// Used by one worker's thread.
class DocumentBatch {
 public:
  // What is passed by reference outlives it.
  struct Dependencies {
    std::size_t output = 0;  // The index that batches carry.
    MemoryBudget& budget;
    std::shared_ptr<OutputCounters> counters;
    const BatchSink& sink;
  };
  // `compressor`: null for none. `tenant`: of its batches.
  DocumentBatch(const DocumentBatchLimits& limits, Dependencies dependencies,
                std::unique_ptr<Compressor> compressor, std::string tenant = {});

  // Where to append what the next entry becomes. A batch that has all the entries it may have is
  // closed first.
  GrowingBuffer& Begin();
  // The entry is what was appended since Begin(). A batch that would be too large with it is closed
  // before it: true when it is the first of a batch.
  bool End(const EntrySource& source, const Entry& entry, int64_t now_ns);
  // What the entry became that ended last; good until the next Begin().
  [[nodiscard]] char* last() { return raw_.data() + last_; }
  // It stands in the body, but no receiver would take it.
  void LastIsUnsendable() { unsendable_.push_back(static_cast<uint32_t>(origins_.size() - 1)); }

  // As of Encoder.
  [[nodiscard]] std::optional<int64_t> NextDeadline() const;
  void Flush(int64_t now_ns);
  void Abandon();
  [[nodiscard]] std::size_t open_bytes() const;

 private:
  void CloseBeforeLast();
  void Compress();
  void Close();
  void Clear();

  const DocumentBatchLimits limits_;
  const Dependencies dependencies_;
  const std::unique_ptr<Compressor> compressor_;
  const std::string tenant_;

  bool open_ = false;
  int64_t created_ns_ = 0;
  std::size_t raw_bytes_ = 0;  // Of the whole body, to the end of the last entry.
  std::size_t line_bytes_ = 0;
  GrowingBuffer raw_;     // What is not compressed yet.
  std::size_t last_ = 0;  // Where the last entry begins in it.
  BatchOrigins origins_;
  std::vector<uint32_t> unsendable_;
};

}  // namespace agent
