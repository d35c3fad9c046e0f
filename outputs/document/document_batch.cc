#include "outputs/document/document_batch.h"

#include <cstring>
#include <utility>

namespace agent {
namespace {

// What is compressed at once: still in the second-level cache.
constexpr std::size_t kCompressStep = std::size_t{128} << 10;

}  // namespace

DocumentBatch::DocumentBatch(const DocumentBatchLimits& limits, Dependencies dependencies,
                             std::unique_ptr<Compressor> compressor, std::string tenant)
    : limits_(limits),
      dependencies_(std::move(dependencies)),
      compressor_(std::move(compressor)),
      tenant_(std::move(tenant)) {}

GrowingBuffer& DocumentBatch::Begin() {
  if (open_ && origins_.size() >= limits_.entries) Close();
  if (compressor_ && raw_.size() >= kCompressStep) Compress();
  last_ = raw_.size();
  return raw_;
}

bool DocumentBatch::End(const EntrySource& source, const Entry& entry, int64_t now_ns) {
  const std::size_t size = raw_.size() - last_;
  if (open_ && raw_bytes_ + size > limits_.bytes) CloseBeforeLast();
  const bool first = !open_;
  if (first) {
    open_ = true;
    created_ns_ = now_ns;
  }
  raw_bytes_ += size;
  line_bytes_ += entry.line.size();
  origins_.Add(source, entry);
  return first;
}

// What was written last goes into the next batch.
void DocumentBatch::CloseBeforeLast() {
  const std::string last(raw_.data() + last_, raw_.size() - last_);
  raw_.ShrinkTo(last_);
  Close();
  raw_.Append(last);
}

void DocumentBatch::Compress() {
  compressor_->Add({raw_.data(), raw_.size()});
  raw_.Clear();
  last_ = 0;
}

std::optional<int64_t> DocumentBatch::NextDeadline() const {
  if (!open_) return std::nullopt;
  return created_ns_ + limits_.wait.count();
}

void DocumentBatch::Flush(int64_t now_ns) {
  const std::optional<int64_t> deadline = NextDeadline();
  if (deadline && *deadline <= now_ns) Close();
}

void DocumentBatch::Close() {
  Batch batch;
  batch.output = dependencies_.output;
  batch.tenant = tenant_;
  batch.created_ns = created_ns_;
  batch.raw_size = raw_bytes_;
  batch.line_bytes = line_bytes_;
  if (compressor_) {
    Compress();
    batch.body = compressor_->Finish();
  } else {
    batch.body = {std::make_unique_for_overwrite<char[]>(raw_.size()), raw_.size()};
    std::memcpy(batch.body.data.get(), raw_.data(), raw_.size());
  }
  batch.unsendable = std::exchange(unsendable_, {});
  origins_.MoveInto(batch);
  batch.memory =
      dependencies_.budget.Reserve(batch.body.size + batch.origins.size() * sizeof(EntryOrigin) +
                                   batch.pins.size() * sizeof(SourcePin));
  dependencies_.counters->encoded_bytes.fetch_add(batch.body.size, std::memory_order_relaxed);
  Clear();
  dependencies_.sink(std::move(batch));
}

void DocumentBatch::Abandon() {
  origins_.Abandon();
  unsendable_.clear();
  if (compressor_) compressor_->Reset();
  Clear();
}

void DocumentBatch::Clear() {
  raw_.Clear();
  last_ = 0;
  raw_bytes_ = 0;
  line_bytes_ = 0;
  open_ = false;
}

std::size_t DocumentBatch::open_bytes() const {
  if (!open_) return 0;
  return raw_.size() + (compressor_ ? compressor_->size() : 0) + origins_.memory_bytes();
}

}  // namespace agent
