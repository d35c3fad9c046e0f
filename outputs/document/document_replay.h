// Documents that stand in a dead letter, on their way to a receiver once more: as they are, in the
// output's own wire form.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/entry.h"
#include "base/memory_budget.h"
#include "outputs/batch_origins.h"
#include "outputs/compressor.h"
#include "outputs/document/document_batch.h"
#include "outputs/encoder.h"

namespace agent {

struct ReplayedDocument {
  std::string_view index;     // Of Elasticsearch's; empty: none.
  std::string_view id;        // Empty: the receiver makes one.
  std::string_view document;  // JSON, on one line.
};

// Used by one thread.
class DocumentReplay {
 public:
  // `output` is the index that batches carry.
  struct Dependencies {
    std::size_t output = 0;
    MemoryBudget& budget;
    BatchSink sink;
  };
  DocumentReplay(const DocumentReplay&) = delete;
  DocumentReplay& operator=(const DocumentReplay&) = delete;
  virtual ~DocumentReplay() = default;

  // Why it cannot go there; empty: it can.
  [[nodiscard]] virtual std::string WhyNot(const ReplayedDocument& document) const = 0;
  // One that can. `entry` says where it is from.
  virtual void Add(const ReplayedDocument& document, const Entry& entry, int64_t now_ns) = 0;

  void BeginSource(std::shared_ptr<SourceProgress> progress) { source_.Begin(std::move(progress)); }
  // As of Encoder.
  void Flush(int64_t now_ns) { batch_.Flush(now_ns); }
  void Abandon() { batch_.Abandon(); }

 protected:
  DocumentReplay(const DocumentBatchLimits& limits, Dependencies dependencies,
                 std::unique_ptr<Compressor> compressor)
      : sink_(std::move(dependencies.sink)),
        source_(dependencies.output),
        batch_(
            limits,
            {dependencies.output, dependencies.budget, std::make_shared<OutputCounters>(), sink_},
            std::move(compressor)) {}

  [[nodiscard]] const EntrySource& source() const { return source_; }
  [[nodiscard]] DocumentBatch& batch() { return batch_; }

 private:
  const BatchSink sink_;
  EntrySource source_;
  DocumentBatch batch_;
};

}  // namespace agent
