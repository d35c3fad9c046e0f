#include "outputs/elasticsearch/bulk_replay.h"

#include <utility>

#include "outputs/deflate.h"
#include "outputs/document/json_text.h"

namespace agent::elasticsearch {
namespace {

std::unique_ptr<Compressor> MakeCompressor(const ElasticsearchOptions& options) {
  if (options.compression_level == 0) return nullptr;
  return std::make_unique<Deflater>(DeflateFormat::kGzip, options.compression_level);
}

}  // namespace

BulkReplay::BulkReplay(const ElasticsearchOptions& options, std::size_t output,
                       MemoryBudget& budget, BatchSink sink)
    : options_(options),
      sink_(std::move(sink)),
      source_(output),
      batch_({options.batch_bytes, options.batch_entries, options.batch_wait},
             {output, budget, std::make_shared<OutputCounters>(), sink_}, MakeCompressor(options)) {
}

void BulkReplay::BeginSource(std::shared_ptr<SourceProgress> progress) {
  source_.Begin(std::move(progress));
}

void BulkReplay::Add(const ReplayedDocument& document, const Entry& entry, int64_t now_ns) {
  GrowingBuffer& to = batch_.Begin();
  to.Append(R"({"create":{"_index":)");
  AppendJsonString(to, document.index);
  if (!document.id.empty()) {
    to.Append(R"(,"_id":)");
    AppendJsonString(to, document.id);
  }
  to.Append(options_.require_alias ? ",\"require_alias\":true}}\n" : "}}\n");
  to.Append(document.document);
  to.Append("\n");
  batch_.End(source_, entry, now_ns);
}

}  // namespace agent::elasticsearch
