// Encodes entries as JSON documents, one a line; none longer than the receiver takes.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/label_sets.h"
#include "base/memory_budget.h"
#include "outputs/batch_origins.h"
#include "outputs/document/document_batch.h"
#include "outputs/document/document_writer.h"
#include "outputs/encoder.h"
#include "outputs/growing_buffer.h"
#include "outputs/json_lines/json_lines_options.h"
#include "outputs/output_counters.h"

namespace agent::json_lines {

// Used by one worker's thread.
class LineEncoder final : public Encoder {
 public:
  // All references outlive it.
  struct Dependencies {
    std::size_t output = 0;  // The index that batches carry.
    LabelSets& sets;
    MemoryBudget& budget;
  };
  LineEncoder(const JsonLinesOptions& options, const Dependencies& dependencies,
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
  bool AppendCut(GrowingBuffer& to, const Entry& entry, const SourceProgress* source);

  const std::size_t max_line_bytes_;
  const std::shared_ptr<OutputCounters> counters_;
  const BatchSink sink_;
  DocumentWriter writer_;
  EntrySource source_;
  DocumentBatch batch_;
  std::string cut_;  // A message that is cut, with the padding that a line has.
};

}  // namespace agent::json_lines
