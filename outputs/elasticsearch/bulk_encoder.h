// Encodes entries for `_bulk`: an action and a document each, compressed as they come.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/label_sets.h"
#include "base/memory_budget.h"
#include "outputs/batch_origins.h"
#include "outputs/deflate.h"
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
  [[nodiscard]] std::optional<int64_t> NextDeadline() const override;
  void Flush(int64_t now_ns) override;
  void Abandon() override;
  [[nodiscard]] std::size_t open_bytes() const override;

 private:
  void AppendAction(const Entry& entry, const SourceProgress* source);
  void CloseBefore(std::size_t begin);
  void Compress();
  void Close();

  const ElasticsearchOptions& options_;
  Dependencies dependencies_;
  const std::shared_ptr<OutputCounters> counters_;
  const BatchSink sink_;
  DocumentWriter writer_;
  IndexChooser chooser_;
  EntrySource source_;
  std::optional<Deflater> deflater_;  // None: bodies are not compressed.

  bool open_ = false;
  int64_t created_ns_ = 0;
  std::size_t raw_bytes_ = 0;  // Of the whole body.
  std::size_t line_bytes_ = 0;
  GrowingBuffer raw_;  // What is not compressed yet.
  BatchOrigins origins_;
  std::vector<uint32_t> unsendable_;
};

}  // namespace agent::elasticsearch
