// Encodes entries for Loki: per tenant one open batch, in protobuf, compressed with snappy when it
// is closed.
//
// What Promtail sends is sent, byte for byte. Repaired, and counted, is only what Loki would refuse
// a whole request for: label names that do not parse, metadata names without a letter or digit.
// Dropped, and counted, are entries without a label, longer than max_line_size, or of one stream
// too many.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/label_sets.h"
#include "base/memory_budget.h"
#include "outputs/encoder.h"
#include "outputs/loki/loki_counters.h"
#include "outputs/loki/loki_options.h"
#include "outputs/loki/open_batch.h"
#include "outputs/snappy_encoder.h"

namespace agent {

// Used by one worker's thread.
class LokiEncoder final : public Encoder {
 public:
  // Loki's parts speak gRPC to one another with a limit of 4 MiB; above it a request fails for
  // ever.
  static constexpr std::size_t kMaxRawBytes = std::size_t{3584} << 10;

  // `output` is the index that batches carry. `sets` and `budget` must outlive this.
  LokiEncoder(const LokiOptions& options, std::size_t output, LabelSets& sets, MemoryBudget& budget,
              std::shared_ptr<LokiCounters> counters, BatchSink sink);

  void BeginSource(std::shared_ptr<SourceProgress> progress) override;
  void Add(const Entry& entry, int64_t now_ns) override;
  [[nodiscard]] std::optional<int64_t> NextDeadline() const override;
  void Flush(int64_t now_ns) override;
  void Abandon() override;
  [[nodiscard]] std::size_t open_bytes() const override;

 private:
  struct Limits {
    std::size_t batchsize_bytes;
    std::size_t max_line_bytes;
    bool truncate;
    std::size_t max_streams;
    int64_t batchwait_ns;
  };

  loki::EncoderStream& StreamOf(LabelSetId labels);
  loki::EncoderStream& MakeStream(LabelSetId labels);
  loki::OpenBatch& BatchOf(const std::string& tenant);
  bool HasRoom(const loki::EncoderStream& stream, const Entry& entry, std::size_t counted) const;
  bool EnterStream(loki::EncoderStream& stream, int64_t now_ns);
  void RememberSecond(int64_t second);
  void Append(loki::EncoderStream& stream, const Entry& entry);
  void Drop(const loki::EncoderStream& stream, const Entry& entry, LossReason reason);
  std::span<const Metadata> Sendable(std::span<const Metadata> metadata, TenantCounters& counters);
  void Close(loki::OpenBatch& open);
  static void MoveOrigins(loki::OpenBatch& open, const std::vector<uint32_t>& order, Batch& batch);
  void Compress(const loki::OpenBatch& open, const std::vector<uint32_t>& order, Batch& batch);
  void ForgetStreams();

  const Labels external_labels_;
  const std::string tenant_id_;
  const Limits limits_;
  const std::size_t output_;
  LabelSets& sets_;
  MemoryBudget& budget_;
  const std::shared_ptr<LokiCounters> counters_;  // Shared with the output and its other encoders.
  const BatchSink sink_;

  EntrySource source_;

  // Streams by label set, good for one epoch of `sets_`; two sets can be one stream.
  uint64_t epoch_ = 0;
  LabelSetId last_labels_ = 0;
  loki::EncoderStream* last_stream_ = nullptr;
  std::vector<loki::EncoderStream*> by_labels_;
  std::map<std::pair<std::string, std::string>, loki::EncoderStream> streams_;  // Tenant and text.

  std::map<std::string, loki::OpenBatch, std::less<>> batches_;  // By tenant.
  GrowingBuffer spare_;   // Of the batch closed last: the next one's.
  GrowingBuffer packed_;  // What a batch is compressed into; empty in between.

  uint64_t second_start_ns_ = 0;  // Two's complement; second_bytes_ is its encoding.
  bool second_known_ = false;
  char second_bytes_[16] = {};
  std::size_t second_size_ = 0;

  std::vector<Metadata> sendable_;
  SnappyEncoder snappy_;
};

}  // namespace agent
