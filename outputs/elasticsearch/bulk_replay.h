// Documents of the dead letter as bulk requests: the same index and id, `create`, so that what is
// stored already is not stored again.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/memory_budget.h"
#include "outputs/batch_origins.h"
#include "outputs/document/document_batch.h"
#include "outputs/elasticsearch/elasticsearch_options.h"
#include "outputs/encoder.h"

namespace agent::elasticsearch {

struct ReplayedDocument {
  std::string_view index;
  std::string_view id;        // Empty: the server makes one.
  std::string_view document;  // JSON, on one line.
};

// Used by one thread.
class BulkReplay {
 public:
  // `output` is the index that batches carry; references outlive it.
  BulkReplay(const ElasticsearchOptions& options, std::size_t output, MemoryBudget& budget,
             BatchSink sink);
  BulkReplay(const BulkReplay&) = delete;
  BulkReplay& operator=(const BulkReplay&) = delete;
  ~BulkReplay() = default;

  void BeginSource(std::shared_ptr<SourceProgress> progress);
  // `entry` says where it is from.
  void Add(const ReplayedDocument& document, const Entry& entry, int64_t now_ns);
  // As of Encoder.
  void Flush(int64_t now_ns) { batch_.Flush(now_ns); }
  void Abandon() { batch_.Abandon(); }

 private:
  const ElasticsearchOptions& options_;
  const BatchSink sink_;
  EntrySource source_;
  DocumentBatch batch_;
};

}  // namespace agent::elasticsearch
