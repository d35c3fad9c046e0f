#include "outputs/logstash/event_replay.h"

#include <array>
#include <memory>
#include <string_view>
#include <utility>

#include "outputs/deflate.h"
#include "outputs/logstash/frames.h"

namespace agent::logstash {
namespace {

std::unique_ptr<Compressor> MakeCompressor(const LumberjackOptions& options) {
  if (options.compression_level == 0) return nullptr;
  return std::make_unique<Deflater>(DeflateFormat::kZlib, options.compression_level);
}

}  // namespace

EventReplay::EventReplay(LumberjackOptions options, Dependencies dependencies)
    : DocumentReplay({options.window_bytes, options.window_entries, options.batch_wait},
                     std::move(dependencies), MakeCompressor(options)),
      options_(std::move(options)) {}

std::string EventReplay::WhyNot(const ReplayedDocument& document) const {
  if (document.document.starts_with(R"({"@metadata":{)")) return {};
  return "the document is not an event for Logstash, as '" + options_.name + "' sends them";
}

void EventReplay::Add(const ReplayedDocument& document, const Entry& entry, int64_t now_ns) {
  static constexpr std::array<char, kEventHeaderBytes> kHeaderRoom{};
  GrowingBuffer& to = batch().Begin();
  to.Append({kHeaderRoom.data(), kHeaderRoom.size()});
  to.Append(document.document);
  const bool first = batch().End(source(), entry, now_ns);
  sequence_ = first ? 1 : sequence_ + 1;
  PutEventHeader(batch().last(), sequence_, static_cast<uint32_t>(document.document.size()));
}

}  // namespace agent::logstash
