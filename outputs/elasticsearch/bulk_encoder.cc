#include "outputs/elasticsearch/bulk_encoder.h"

#include <utility>

#include "outputs/deflate.h"
#include "outputs/document/document_id.h"
#include "outputs/document/json_text.h"

namespace agent::elasticsearch {
namespace {

std::unique_ptr<Compressor> MakeCompressor(const ElasticsearchOptions& options) {
  if (options.compression_level == 0) return nullptr;
  return std::make_unique<Deflater>(DeflateFormat::kGzip, options.compression_level);
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
      source_(dependencies.output),
      batch_({options.batch_bytes, options.batch_entries, options.batch_wait},
             {dependencies.output, dependencies.budget, counters_, sink_},
             MakeCompressor(options)) {}

void BulkEncoder::BeginSource(std::shared_ptr<SourceProgress> progress) {
  source_.Begin(std::move(progress));
}

void BulkEncoder::Add(const Entry& entry, int64_t now_ns) {
  if (source_.SettledBefore(entry)) return source_.SettleNow(entry, /*delivered=*/true);
  const auto outcome = chooser_.Choose(entry, dependencies_.sets.Get(entry.labels), now_ns);
  const SourceProgress* const source = source_.FirstLineOf(entry);
  GrowingBuffer& to = batch_.Begin();
  AppendAction(to, entry, source);
  writer_.Append(to, entry, source);
  to.Append("\n");
  batch_.End(source_, entry, now_ns);
  if (outcome == IndexChooser::Outcome::kNone) {
    batch_.LastIsUnsendable();
  } else if (outcome != IndexChooser::Outcome::kAsIs) {
    counters_->repaired_entries.fetch_add(1, std::memory_order_relaxed);
  }
}

void BulkEncoder::AppendAction(GrowingBuffer& to, const Entry& entry,
                               const SourceProgress* source) {
  const bool with_id = options_.id_mode == DocumentIdMode::kOffset;
  to.Append(with_id || options_.creates ? R"({"create":{"_index":)" : R"({"index":{"_index":)");
  AppendJsonString(to, chooser_.name());
  if (with_id) {
    to.Append(R"(,"_id":")");
    to.Append(MakeDocumentId(entry, source, dependencies_.salt).view());
    to.Append("\"");
  }
  to.Append(options_.require_alias ? ",\"require_alias\":true}}\n" : "}}\n");
}

}  // namespace agent::elasticsearch
