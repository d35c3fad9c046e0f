// Batches for tests of outputs: a source with a ledger, and an encoder that turns lines into
// batches.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/label_sets.h"
#include "base/memory_budget.h"
#include "outputs/batch.h"
#include "outputs/loki/loki_counters.h"
#include "outputs/loki/loki_encoder.h"
#include "outputs/loki/loki_options.h"

namespace agent {

class BatchMaker {
 public:
  explicit BatchMaker(const LokiOptions& options = LokiOptions())
      : encoder(options, 0, sets, budget, counters,
                [this](Batch batch) { batches.push_back(std::move(batch)); }) {
    encoder.BeginSource(source);
  }

  // One entry of `line` and a newline of the source.
  void Add(const Labels& labels, std::string_view line, int64_t timestamp_ns = 1,
           std::vector<Metadata> metadata = {}, int64_t now_ns = 1) {
    padded = std::string(line) + std::string(64, '#');
    Entry entry;
    entry.labels = sets.Intern(labels);
    entry.timestamp_ns = timestamp_ns;
    entry.line = std::string_view(padded).substr(0, line.size());
    entry.metadata = metadata;
    entry.offset = offset;
    entry.source_bytes = static_cast<uint32_t>(line.size() + 1);
    encoder.Add(entry, now_ns);
    offset += entry.source_bytes;
    source->Advance(
        {.end = offset, .read_bytes = entry.source_bytes, .dropped_bytes = 0, .lines = 1});
  }

  // All that is open, as one batch.
  Batch Take() {
    encoder.Flush(INT64_MAX);
    Batch batch = std::move(batches.back());
    batches.pop_back();
    return batch;
  }

  LabelSets sets;
  MemoryBudget budget{std::size_t{64} << 20};
  std::shared_ptr<LokiCounters> counters = std::make_shared<LokiCounters>();
  std::shared_ptr<SourceProgress> source =
      std::make_shared<SourceProgress>("job", std::vector<uint64_t>{0}, nullptr);
  uint64_t offset = 0;
  std::vector<Batch> batches;
  std::string padded;
  LokiEncoder encoder;
};

inline std::string_view BodyOf(const Batch& batch) {
  return {batch.body.data.get(), batch.body.size};
}

}  // namespace agent
