#include "outputs/elasticsearch/bulk_replay.h"

#include <memory>
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

BulkReplay::BulkReplay(ElasticsearchOptions options, Dependencies dependencies)
    : DocumentReplay({options.batch_bytes, options.batch_entries, options.batch_wait},
                     std::move(dependencies), MakeCompressor(options)),
      options_(std::move(options)) {}

std::string BulkReplay::WhyNot(const ReplayedDocument& document) const {
  if (!document.index.empty() || !options_.index_fallback.empty()) return {};
  return "the document has no index; set index_fallback of '" + options_.name + "'";
}

void BulkReplay::Add(const ReplayedDocument& document, const Entry& entry, int64_t now_ns) {
  GrowingBuffer& to = batch().Begin();
  to.Append(R"({"create":{"_index":)");
  AppendJsonString(to, document.index.empty() ? options_.index_fallback : document.index);
  if (!document.id.empty()) {
    to.Append(R"(,"_id":)");
    AppendJsonString(to, document.id);
  }
  to.Append(options_.require_alias ? ",\"require_alias\":true}}\n" : "}}\n");
  to.Append(document.document);
  to.Append("\n");
  batch().End(source(), entry, now_ns);
}

}  // namespace agent::elasticsearch
