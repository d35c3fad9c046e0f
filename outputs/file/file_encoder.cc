#include "outputs/file/file_encoder.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace agent::file {
namespace {

// So many files are being filled at a time, and so many batches' bytes are in them together.
constexpr std::size_t kMaxBatches = 256;
constexpr std::size_t kMaxOpenBatches = 4;
// Keeps what a position is held back by within what a batch of short lines has.
constexpr std::size_t kMaxEntries = 20'000;

std::unique_ptr<FrameCodec> MakeCodec(const FileOptions& options) {
  if (options.compression == FileCompression::kNone) return nullptr;
  return std::make_unique<FrameCodec>(options.compression, options.compression_level);
}

}  // namespace

FileEncoder::FileEncoder(const FileOptions& options, const Dependencies& dependencies,
                         std::shared_ptr<OutputCounters> counters, BatchSink sink)
    : options_(options),
      dependencies_(dependencies),
      counters_(std::move(counters)),
      sink_(std::move(sink)),
      closing_([this](Batch batch) {
        open_raw_bytes_ -= batch.raw_size;
        sink_(std::move(batch));
      }),
      format_(options, dependencies.sets),
      namer_(options.path),
      source_(dependencies.output),
      codec_(MakeCodec(options)) {}

void FileEncoder::BeginSource(std::shared_ptr<SourceProgress> progress) {
  source_.Begin(std::move(progress));
}

void FileEncoder::Add(const Entry& entry, int64_t now_ns) {
  if (source_.SettledBefore(entry)) return source_.SettleNow(entry, /*delivered=*/true);
  if (namer_.Name(entry, dependencies_.sets) || current_ == nullptr) Enter(namer_.path());
  GrowingBuffer& to = current_->Begin();
  const std::size_t before = to.size();
  format_.Append(to, entry, source_.FirstLineOf(entry));
  open_raw_bytes_ += to.size() - before;
  current_->End(source_, entry, now_ns);
  if (open_raw_bytes_ > kMaxOpenBatches * options_.batch_bytes) MakeRoom();
}

void FileEncoder::Enter(const std::string& path) {
  const auto found = batches_.find(path);
  if (found != batches_.end()) {
    current_ = found->second.get();
    return;
  }
  if (batches_.size() >= kMaxBatches) {
    CloseOldest();
    ForgetClosed();
  }
  auto& batch = batches_[path];
  batch = std::make_unique<DocumentBatch>(
      DocumentBatchLimits{options_.batch_bytes, kMaxEntries, options_.batch_wait},
      DocumentBatch::Dependencies{dependencies_.output, dependencies_.budget, counters_, closing_},
      codec_ == nullptr ? nullptr : std::make_unique<FrameCompressor>(*codec_), path);
  current_ = batch.get();
}

// Many files have a little each.
void FileEncoder::MakeRoom() {
  while (open_raw_bytes_ > kMaxOpenBatches * options_.batch_bytes && NextDeadline())
    CloseOldest();
}

void FileEncoder::CloseOldest() {
  const std::optional<int64_t> oldest = NextDeadline();
  if (oldest) Flush(*oldest);
}

void FileEncoder::ForgetClosed() {
  std::erase_if(batches_, [](const auto& item) { return !item.second->NextDeadline(); });
  current_ = nullptr;
}

std::optional<int64_t> FileEncoder::NextDeadline() const {
  std::optional<int64_t> next;
  for (const auto& [path, batch] : batches_) {
    const std::optional<int64_t> deadline = batch->NextDeadline();
    if (deadline && (!next || *deadline < *next)) next = deadline;
  }
  return next;
}

void FileEncoder::Flush(int64_t now_ns) {
  for (const auto& [path, batch] : batches_)
    batch->Flush(now_ns);
}

void FileEncoder::Abandon() {
  for (const auto& [path, batch] : batches_)
    batch->Abandon();
  open_raw_bytes_ = 0;
}

std::size_t FileEncoder::open_bytes() const {
  std::size_t bytes = 0;
  for (const auto& [path, batch] : batches_)
    bytes += batch->open_bytes();
  return bytes;
}

}  // namespace agent::file
