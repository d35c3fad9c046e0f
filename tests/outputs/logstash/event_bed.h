// Batches of lumberjack events for tests, made by the real encoder.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <simdjson.h>
#include <zlib.h>

#include "outputs/logstash/lumberjack_encoder.h"
#include "outputs/logstash/window_queue.h"

namespace agent::logstash {

class EventBed {
 public:
  EventBed() {
    options.version = "1.0.0";
    options.document.for_logstash = true;
    options.document.layout = DocumentLayout::kFlat;
  }

  LumberjackEncoder& encoder() {
    if (!encoder_) {
      encoder_ = std::make_unique<LumberjackEncoder>(
          options, LumberjackEncoder::Dependencies{0, 1, sets, budget}, counters,
          [this](Batch batch) { batches.push_back(std::move(batch)); });
      encoder_->BeginSource(source);
    }
    return *encoder_;
  }
  void Add(const std::string& line, const Labels& labels = {}) {
    const std::string padded = line + std::string(64, '\0');
    Entry entry;
    entry.line = {padded.data(), line.size()};
    entry.labels = sets.Intern(labels);
    entry.offset = offset;
    entry.source_bytes = static_cast<uint32_t>(line.size() + 1);
    encoder().Add(entry, 1);
    offset += entry.source_bytes;
  }
  // A batch of so many lines, "0", "1", …, from `first` on.
  Batch MakeBatch(std::size_t count, std::size_t first = 0) {
    for (std::size_t i = 0; i < count; ++i)
      Add(std::to_string(first + i));
    source->Advance(
        {.end = offset, .read_bytes = offset - advanced_, .dropped_bytes = 0, .lines = count});
    advanced_ = offset;
    encoder().Flush(INT64_MAX);
    Batch batch = std::move(batches.back());
    batches.pop_back();
    return batch;
  }

  // The events of a body, as JSON. They are numbered from 1, or there are none.
  static std::vector<std::string> Events(const Bytes& body) {
    Bytes raw = body;
    std::string plain;
    if (IsCompressed(body)) {
      plain = Inflated(body);
      raw = {std::make_unique_for_overwrite<char[]>(plain.size()), plain.size()};
      std::memcpy(raw.data.get(), plain.data(), plain.size());
    }
    const auto list = FrameList::Parse(raw, raw.size);
    return list.ok() ? TextsOf(*list) : std::vector<std::string>{};
  }
  // The lines of those.
  static std::vector<std::string> Messages(const Bytes& body) {
    std::vector<std::string> messages;
    for (const std::string& event : Events(body))
      messages.push_back(Text(event, "/message"));
    return messages;
  }
  // A text in it, by JSON pointer; "(none)" where there is none.
  static std::string Text(const std::string& event, std::string_view pointer) {
    simdjson::dom::parser parser;
    simdjson::dom::element document;
    if (parser.parse(event).get(document) != simdjson::SUCCESS) return "(no JSON)";
    std::string_view text;
    if (document.at_pointer(pointer).get(text) != simdjson::SUCCESS) return "(none)";
    return std::string(text);
  }

  LumberjackOptions options;
  LabelSets sets;
  MemoryBudget budget{std::size_t{64} << 20};
  std::shared_ptr<OutputCounters> counters = std::make_shared<OutputCounters>();
  std::shared_ptr<SourceProgress> source =
      std::make_shared<SourceProgress>("job", std::vector<uint64_t>{0}, nullptr);
  uint64_t offset = 0;
  std::vector<Batch> batches;

 private:
  // Whatever its size is.
  static std::string Inflated(const Bytes& body) {
    std::string plain(std::size_t{1} << 24, '\0');
    uLongf size = plain.size();
    const int result = uncompress(reinterpret_cast<Bytef*>(plain.data()), &size,
                                  reinterpret_cast<const Bytef*>(body.data.get()), body.size);
    plain.resize(result == Z_OK ? size : 0);
    return plain;
  }
  static std::vector<std::string> TextsOf(const FrameList& list) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < list.size(); ++i)
      texts.emplace_back(list.At(i));
    return texts;
  }

  std::unique_ptr<LumberjackEncoder> encoder_;
  uint64_t advanced_ = 0;
};

}  // namespace agent::logstash
