#include "outputs/logstash/lumberjack_encoder.h"

#include <array>
#include <string_view>
#include <utility>

#include "outputs/deflate.h"
#include "outputs/document/document_id.h"
#include "outputs/document/json_text.h"
#include "outputs/logstash/frames.h"

namespace agent::logstash {
namespace {

std::unique_ptr<Compressor> MakeCompressor(const LumberjackOptions& options) {
  if (options.compression_level == 0) return nullptr;
  return std::make_unique<Deflater>(DeflateFormat::kZlib, options.compression_level);
}

// The usual configuration of Logstash makes an index of `beat` and `version`.
std::string MetadataOf(const LumberjackOptions& options) {
  std::string text = R"({"@metadata":{"beat":)" + JsonString(options.index) +
                     R"(,"type":"_doc","version":)" + JsonString(options.version);
  if (!options.pipeline.empty()) text += R"(,"pipeline":)" + JsonString(options.pipeline);
  return text;
}

}  // namespace

LumberjackEncoder::LumberjackEncoder(const LumberjackOptions& options,
                                     const Dependencies& dependencies,
                                     std::shared_ptr<OutputCounters> counters, BatchSink sink)
    : options_(options),
      salt_(dependencies.salt),
      sink_(std::move(sink)),
      metadata_(MetadataOf(options)),
      writer_(options.document, dependencies.sets),
      source_(dependencies.output),
      batch_({options.window_bytes, options.window_entries, options.batch_wait},
             {dependencies.output, dependencies.budget, std::move(counters), sink_},
             MakeCompressor(options)) {}

void LumberjackEncoder::BeginSource(std::shared_ptr<SourceProgress> progress) {
  source_.Begin(std::move(progress));
}

void LumberjackEncoder::Add(const Entry& entry, int64_t now_ns) {
  if (source_.SettledBefore(entry)) return source_.SettleNow(entry, /*delivered=*/true);
  GrowingBuffer& to = batch_.Begin();
  const std::size_t start = to.size();
  AppendEvent(to, entry);
  const std::size_t size = to.size() - start - kEventHeaderBytes;
  const bool first = batch_.End(source_, entry, now_ns);
  sequence_ = first ? 1 : sequence_ + 1;
  PutEventHeader(batch_.last(), sequence_, static_cast<uint32_t>(size));
}

// With room for its header.
void LumberjackEncoder::AppendEvent(GrowingBuffer& to, const Entry& entry) {
  static constexpr std::array<char, kEventHeaderBytes> kHeaderRoom{};
  const SourceProgress* const source = source_.FirstLineOf(entry);
  to.Append({kHeaderRoom.data(), kHeaderRoom.size()});
  to.Append(metadata_);
  if (options_.with_ids) {
    to.Append(R"(,"_id":")");
    to.Append(MakeDocumentId(entry, source, salt_).view());
    to.Append("\"");
  }
  to.Append("}");
  const std::size_t document = to.size();
  writer_.Append(to, entry, source);
  if (to.size() - document > 2) {
    to.data()[document] = ',';  // Its brace: it goes on in ours.
  } else {
    to.ShrinkTo(document);
    to.Append("}");
  }
}

}  // namespace agent::logstash
