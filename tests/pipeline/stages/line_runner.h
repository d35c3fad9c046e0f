// A whole pipeline over one source: for what the stages of a test do together, and for bytes that
// are held back.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/config/problems.h"
#include "base/config/yaml.h"
#include "base/label_sets.h"
#include "base/log.h"
#include "base/source_progress.h"
#include "pipeline/pipeline.h"
#include "tests/support/fake_clock.h"

namespace agent {

class LineRunner {
 public:
  struct Out {
    std::string line;
    std::string labels;  // {a="1"}
    int64_t timestamp_ns = 0;
    std::vector<uint32_t> held_bytes;  // Of the lines that were held back and are in this one.

    bool operator==(const Out&) const = default;
  };

  // `yaml` is a list of stages.
  explicit LineRunner(const std::string& yaml) : problems_("test.yaml", yaml) {
    const ConfigNode stages = LoadYaml(yaml, problems_);
    pipeline_ = Pipeline::Build(stages, "stages", "job", problems_,
                                {sets, clock, logger_, metrics_, /*keep_everything=*/false});
    progress = NewSource();
  }

  [[nodiscard]] bool built() const { return pipeline_ != nullptr; }
  [[nodiscard]] std::string problems() const { return problems_.Format(/*color=*/false); }
  [[nodiscard]] Pipeline& pipeline() { return *pipeline_; }

  // The next lines of the present source, in one block.
  std::vector<Out> Run(const std::vector<std::string>& lines) {
    std::vector<std::unique_ptr<std::string>> texts;
    Block& block = pipeline_->block();
    block.Reset(sets.Intern(labels), progress);
    for (const std::string& line : lines) {
      texts.push_back(std::make_unique<std::string>(line + std::string(kTextPadding, '"')));
      const std::string_view text = std::string_view(*texts.back()).substr(0, line.size());
      const auto bytes = static_cast<uint32_t>(line.size() + 1);
      block.Add(text, clock.WallNanos(), offset_, bytes);
      offset_ += bytes;
    }
    pipeline_->Run();
    return Collect(block);
  }
  std::vector<Out> Flush(FlushReason reason) {
    std::vector<Out> out;
    pipeline_->Flush(reason, [&](Block& block) { out = Collect(block); });
    return out;
  }
  std::vector<Out> EndOfSource(const SourceProgress& source) {
    std::vector<Out> out;
    pipeline_->EndOfSource(source, [&](Block& block) { out = Collect(block); });
    return out;
  }
  // What follows is from another source.
  static std::shared_ptr<SourceProgress> NewSource() {
    return std::make_shared<SourceProgress>("job", std::vector<uint64_t>{0}, nullptr);
  }

  Labels labels;
  LabelSets sets;
  FakeClock clock;
  std::shared_ptr<SourceProgress> progress;

 private:
  std::vector<Out> Collect(Block& block) {
    std::vector<Out> out;
    for (const EntryIndex entry : block.live()) {
      const Entry view = block.View(entry);
      Out one{std::string(view.line), FormatLabels(sets.Get(view.labels)), view.timestamp_ns, {}};
      for (const auto& held : view.holds) {
        one.held_bytes.push_back(held->bytes());
        held->Settle(0, /*delivered=*/true);
      }
      out.push_back(std::move(one));
    }
    return out;
  }

  Problems problems_;
  Logger logger_{-1, LogLevel::kError, LogFormat::kLogfmt};
  CustomMetrics metrics_;
  std::unique_ptr<Pipeline> pipeline_;
  uint64_t offset_ = 0;
};

}  // namespace agent
