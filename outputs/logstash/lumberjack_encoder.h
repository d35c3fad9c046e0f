// Encodes entries as lumberjack events, compressed as they come.

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
#include "outputs/logstash/lumberjack_options.h"
#include "outputs/output_counters.h"

namespace agent::logstash {

// Used by one worker's thread.
class LumberjackEncoder final : public Encoder {
 public:
  // `output` is the index that batches carry; `salt` goes into ids of entries whose source has no
  // name of its own. All references outlive it.
  struct Dependencies {
    std::size_t output = 0;
    uint64_t salt = 0;
    LabelSets& sets;
    MemoryBudget& budget;
  };
  LumberjackEncoder(const LumberjackOptions& options, const Dependencies& dependencies,
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
  void AppendEvent(GrowingBuffer& to, const Entry& entry);

  const LumberjackOptions& options_;
  const uint64_t salt_;
  const BatchSink sink_;
  const std::string metadata_;  // `{"@metadata":{…`, what is the same for all.
  DocumentWriter writer_;
  EntrySource source_;
  DocumentBatch batch_;
  uint32_t sequence_ = 0;  // Of the last event of the open batch.
};

}  // namespace agent::logstash
