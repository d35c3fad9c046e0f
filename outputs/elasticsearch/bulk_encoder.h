// Encodes entries for `_bulk`: an action and a document each, compressed as they come.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/label_sets.h"
#include "base/memory_budget.h"
#include "outputs/batch_origins.h"
#include "outputs/document/document_batch.h"
#include "outputs/document/document_writer.h"
#include "outputs/elasticsearch/elasticsearch_options.h"
#include "outputs/elasticsearch/index_chooser.h"
#include "outputs/encoder.h"
#include "outputs/growing_buffer.h"
#include "outputs/output_counters.h"

namespace agent::elasticsearch {

// Used by one worker's thread.
class BulkEncoder final : public Encoder {
 public:
  // `output` is the index that batches carry; `salt` goes into ids of entries whose source has no
  // name of its own. All references outlive it.
  struct Dependencies {
    std::size_t output = 0;
    uint64_t salt = 0;
    LabelSets& sets;
    MemoryBudget& budget;
  };
  BulkEncoder(const ElasticsearchOptions& options, const Dependencies& dependencies,
              std::shared_ptr<OutputCounters> counters, BatchSink sink);

  void BeginSource(std::shared_ptr<SourceProgress> progress) override;
  void Add(const Entry& entry, int64_t now_ns) override;
  [[nodiscard]] std::optional<int64_t> NextDeadline() const override {
    return batch_.NextDeadline();
  }
  void Flush(int64_t now_ns) override { batch_.Flush(now_ns); }
  void Abandon() override { batch_.Abandon(); }
  [[nodiscard]] std::size_t open_bytes() const override { return batch_.open_bytes(); }

 private:
  void AppendAction(GrowingBuffer& to, const Entry& entry, const SourceProgress* source);

  const ElasticsearchOptions& options_;
  Dependencies dependencies_;
  const std::shared_ptr<OutputCounters> counters_;
  const BatchSink sink_;
  DocumentWriter writer_;
  IndexChooser chooser_;
  EntrySource source_;
  DocumentBatch batch_;
};

}  // namespace agent::elasticsearch
