#include "outputs/elasticsearch/bulk_encoder.h"

#include <chrono>
#include <cstring>
#include <string>
#include <utility>

#include "outputs/document/document_id.h"
#include "outputs/document/json_text.h"

namespace agent::elasticsearch {
namespace {

// What is compressed at once: still in the second-level cache.
constexpr std::size_t kCompressStep = std::size_t{128} << 10;

// Where the entry's first line is from.
const SourceProgress* FirstSource(const Entry& entry, const EntrySource& source) {
  if (!entry.holds.empty()) return &entry.holds.front()->progress();
  return entry.source_bytes > 0 ? source.progress().get() : nullptr;
}

}  // namespace

BulkEncoder::BulkEncoder(const ElasticsearchOptions& options, const Dependencies& dependencies,
                         std::shared_ptr<OutputCounters> counters, BatchSink sink)
    : options_(options),
      dependencies_(dependencies),
      counters_(std::move(counters)),
      sink_(std::move(sink)),
      writer_(options.document, dependencies.sets),
      chooser_(options),
      source_(dependencies.output) {
  if (options.compression_level > 0) {
    deflater_.emplace(DeflateFormat::kGzip, options.compression_level);
  }
}

void BulkEncoder::BeginSource(std::shared_ptr<SourceProgress> progress) {
  source_.Begin(std::move(progress));
}

void BulkEncoder::Add(const Entry& entry, int64_t now_ns) {
  if (source_.SettledBefore(entry)) return source_.SettleNow(entry, /*delivered=*/true);
  if (open_ && origins_.size() >= options_.batch_entries) Close();
  const std::size_t before = raw_.size();
  const auto outcome = chooser_.Choose(entry, dependencies_.sets.Get(entry.labels), now_ns);
  const SourceProgress* const source = FirstSource(entry, source_);
  AppendAction(entry, source);
  writer_.Append(raw_, entry, source);
  raw_.Append("\n");
  if (open_ && raw_bytes_ + raw_.size() - before > options_.batch_bytes) CloseBefore(before);
  if (!open_) {
    open_ = true;
    created_ns_ = now_ns;
  }
  if (outcome == IndexChooser::Outcome::kNone) {
    unsendable_.push_back(static_cast<uint32_t>(origins_.size()));
  } else if (outcome != IndexChooser::Outcome::kAsIs) {
    counters_->repaired_entries.fetch_add(1, std::memory_order_relaxed);
  }
  raw_bytes_ += raw_.size() - (raw_bytes_ == 0 ? 0 : before);
  line_bytes_ += entry.line.size();
  origins_.Add(source_, entry);
  if (deflater_ && raw_.size() >= kCompressStep) Compress();
}

void BulkEncoder::AppendAction(const Entry& entry, const SourceProgress* source) {
  const bool with_id = options_.id_mode == DocumentIdMode::kOffset;
  raw_.Append(with_id || options_.creates ? R"({"create":{"_index":)" : R"({"index":{"_index":)");
  AppendJsonString(raw_, chooser_.name());
  if (with_id) {
    raw_.Append(R"(,"_id":")");
    raw_.Append(MakeDocumentId(entry, source, dependencies_.salt).view());
    raw_.Append("\"");
  }
  raw_.Append(options_.require_alias ? ",\"require_alias\":true}}\n" : "}}\n");
}

// What was written last goes into the next batch.
void BulkEncoder::CloseBefore(std::size_t begin) {
  const std::string last(raw_.data() + begin, raw_.size() - begin);
  raw_.ShrinkTo(begin);
  Close();
  raw_.Append(last);
}

void BulkEncoder::Compress() {
  deflater_->Add({raw_.data(), raw_.size()});
  raw_.Clear();
}

std::optional<int64_t> BulkEncoder::NextDeadline() const {
  if (!open_) return std::nullopt;
  return created_ns_ + std::chrono::nanoseconds(options_.batch_wait).count();
}

void BulkEncoder::Flush(int64_t now_ns) {
  const std::optional<int64_t> deadline = NextDeadline();
  if (deadline && *deadline <= now_ns) Close();
}

void BulkEncoder::Close() {
  Batch batch;
  batch.output = dependencies_.output;
  batch.created_ns = created_ns_;
  batch.raw_size = raw_bytes_;
  batch.line_bytes = line_bytes_;
  if (deflater_) {
    Compress();
    batch.body = deflater_->Finish();
  } else {
    batch.body = {std::make_unique_for_overwrite<char[]>(raw_.size()), raw_.size()};
    std::memcpy(batch.body.data.get(), raw_.data(), raw_.size());
  }
  batch.unsendable = std::exchange(unsendable_, {});
  origins_.MoveInto(batch);
  batch.memory =
      dependencies_.budget.Reserve(batch.body.size + batch.origins.size() * sizeof(EntryOrigin) +
                                   batch.pins.size() * sizeof(SourcePin));
  counters_->encoded_bytes.fetch_add(batch.body.size, std::memory_order_relaxed);
  raw_.Clear();
  raw_bytes_ = 0;
  line_bytes_ = 0;
  open_ = false;
  sink_(std::move(batch));
}

void BulkEncoder::Abandon() {
  origins_.Abandon();
  unsendable_.clear();
  raw_.Clear();
  if (deflater_) deflater_->Reset();
  raw_bytes_ = 0;
  line_bytes_ = 0;
  open_ = false;
}

std::size_t BulkEncoder::open_bytes() const {
  if (!open_) return 0;
  return raw_.size() + (deflater_ ? deflater_->size() : 0) + origins_.memory_bytes();
}

}  // namespace agent::elasticsearch
