// Encodes entries for files: an open batch for each file that entries go to, compressed by itself.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/label_sets.h"
#include "base/memory_budget.h"
#include "outputs/batch_origins.h"
#include "outputs/document/document_batch.h"
#include "outputs/encoder.h"
#include "outputs/file/entry_format.h"
#include "outputs/file/file_options.h"
#include "outputs/file/frame_compressor.h"
#include "outputs/file/path_namer.h"
#include "outputs/output_counters.h"

namespace agent::file {

// Used by one worker's thread. A batch's tenant is the path of its file.
class FileEncoder final : public Encoder {
 public:
  // `output` is the index that batches carry. All references outlive it.
  struct Dependencies {
    std::size_t output = 0;
    LabelSets& sets;
    MemoryBudget& budget;
  };
  FileEncoder(const FileOptions& options, const Dependencies& dependencies,
              std::shared_ptr<OutputCounters> counters, BatchSink sink);
  FileEncoder(const FileEncoder&) = delete;
  FileEncoder& operator=(const FileEncoder&) = delete;
  ~FileEncoder() override = default;

  void BeginSource(std::shared_ptr<SourceProgress> progress) override;
  void Add(const Entry& entry, int64_t now_ns) override;
  [[nodiscard]] std::optional<int64_t> NextDeadline() const override;
  void Flush(int64_t now_ns) override;
  void Abandon() override;
  [[nodiscard]] std::size_t open_bytes() const override;

 private:
  using Batches = std::unordered_map<std::string, std::unique_ptr<DocumentBatch>>;

  void Enter(const std::string& path);
  void MakeRoom();
  void CloseOldest();
  void ForgetClosed();

  const FileOptions& options_;
  const Dependencies dependencies_;
  const std::shared_ptr<OutputCounters> counters_;
  const BatchSink sink_;
  const BatchSink closing_;  // Counts, and passes on.
  EntryFormat format_;
  PathNamer namer_;
  EntrySource source_;
  std::unique_ptr<FrameCodec> codec_;  // Null: nothing is compressed.
  Batches batches_;                    // By path.
  DocumentBatch* current_ = nullptr;   // Of the last entry.
  std::size_t open_raw_bytes_ = 0;     // Of all of them, uncompressed.
};

}  // namespace agent::file
