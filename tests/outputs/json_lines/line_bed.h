// Batches of lines for tests: a source with a ledger, and an encoder.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"
#include "outputs/json_lines/line_batch.h"
#include "outputs/json_lines/line_encoder.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temp_dir.h"

namespace agent::json_lines {

class LineBed {
 public:
  LineBed() { options.document.layout = DocumentLayout::kFlat; }

  LineEncoder& encoder() {
    if (!encoder_) {
      encoder_ = std::make_unique<LineEncoder>(
          options, LineEncoder::Dependencies{0, sets, budget}, counters,
          [this](Batch batch) { batches.push_back(std::move(batch)); });
      encoder_->BeginSource(source);
    }
    return *encoder_;
  }
  void Add(const std::string& line, const Labels& labels = {}, int64_t now_ns = 1) {
    padded_ = line + std::string(64, '\0');
    Entry entry;
    entry.line = std::string_view(padded_).substr(0, line.size());
    entry.labels = sets.Intern(labels);
    entry.offset = offset;
    entry.source_bytes = static_cast<uint32_t>(line.size() + 1);
    encoder().Add(entry, now_ns);
    offset += entry.source_bytes;
    source->Advance(
        {.end = offset, .read_bytes = entry.source_bytes, .dropped_bytes = 0, .lines = 1});
  }
  // All that is open.
  LineBatch Take() {
    encoder().Flush(INT64_MAX);
    Batch batch = std::move(batches.back());
    batches.pop_back();
    return {std::move(batch), context};
  }
  LineBatch Lines(const std::vector<std::string>& lines) {
    for (const std::string& line : lines)
      Add(line);
    return Take();
  }
  [[nodiscard]] uint64_t settled() const { return source->settled(0); }

  JsonLinesOptions options;
  LabelSets sets;
  MemoryBudget budget{std::size_t{64} << 20};
  std::shared_ptr<OutputCounters> counters = std::make_shared<OutputCounters>();
  std::shared_ptr<SourceProgress> source =
      std::make_shared<SourceProgress>("job", std::vector<uint64_t>{0}, nullptr);
  uint64_t offset = 0;
  std::vector<Batch> batches;
  FakeClock clock;
  TempDir dir;
  Logger logger{-1, LogLevel::kError, LogFormat::kLogfmt};
  DeadLetter dead_letter{{dir.path(), uint64_t{1} << 20}, clock, logger};
  std::string name = "out";
  LineContext context{name, *counters, dead_letter};

 private:
  std::string padded_;
  std::unique_ptr<LineEncoder> encoder_;
};

}  // namespace agent::json_lines
