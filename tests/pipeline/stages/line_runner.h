// A whole pipeline over one source: for what the stages of a test do together, and for bytes that
// are held back.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config/problems.h"
#include "base/config/yaml.h"
#include "base/label_sets.h"
#include "base/log.h"
#include "base/memory_budget.h"
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
    std::vector<uint64_t> held_bytes;  // Of the lines that were held back and are in this one.
    uint32_t source_bytes = 0;         // Of the present block's lines in it.

    bool operator==(const Out&) const = default;
  };

  // `yaml` is a list of stages. `max_held_bytes`: what stages may keep back. The log goes to the
  // descriptor `log`, -1: nowhere.
  explicit LineRunner(const std::string& yaml, std::size_t max_held_bytes = std::size_t{12} << 20,
                      int log = -1)
      : held_memory(max_held_bytes),
        problems_("test.yaml", yaml),
        logger_(log, LogLevel::kWarn, LogFormat::kLogfmt) {
    Build(yaml, shared);
  }
  // With the stage `docker_sd` before those of `yaml`.
  struct Containers {
    bool keep_everything = false;  // As under --inspect.
  };
  LineRunner(const std::string& yaml, Containers how)
      : held_memory(std::size_t{12} << 20),
        problems_("test.yaml", yaml),
        unwraps_docker_(true),
        keep_everything_(how.keep_everything),
        logger_(-1, LogLevel::kWarn, LogFormat::kLogfmt) {
    Build(yaml, shared);
  }
  // Another worker of the same job.
  LineRunner(const std::string& yaml, LineRunner& other)
      : held_memory(std::size_t{12} << 20),
        problems_("test.yaml", yaml),
        logger_(-1, LogLevel::kWarn, LogFormat::kLogfmt) {
    Build(yaml, other.shared);
  }

  [[nodiscard]] bool built() const { return pipeline_ != nullptr; }
  [[nodiscard]] std::string problems() const { return problems_.Format(/*color=*/false); }
  [[nodiscard]] Pipeline& pipeline() { return *pipeline_; }

  // The next lines of the present source, in one block.
  std::vector<Out> Run(const std::vector<std::string>& lines) {
    std::vector<std::unique_ptr<std::string>> texts;
    Block& block = pipeline_->block();
    block.Reset(sets.Intern(labels), progress, streams ? &*streams : nullptr);
    for (const std::string& line : lines) {
      texts.push_back(std::make_unique<std::string>(line + std::string(kTextPadding, '"')));
      const std::string_view padded = *texts.back();
      const std::string_view text = padded.substr(0, line.size());
      const auto bytes = static_cast<uint32_t>(line.size() + 1);
      block.Add(text, clock.WallNanos(), offset_, bytes);
      offset_ += bytes;
    }
    return RunBlock(block, lines.size());
  }
  // The same, of lines that stand one after the other in memory, as they are read. `text` has
  // kTextPadding readable bytes after it, and stays.
  std::vector<Out> RunText(std::string_view text) {
    Block& block = pipeline_->block();
    block.Reset(sets.Intern(labels), progress);
    std::size_t lines = 0;
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      const auto bytes = static_cast<uint32_t>(end + 1);
      block.Add(text.substr(0, end), clock.WallNanos(), offset_, bytes);
      offset_ += bytes;
      text.remove_prefix(bytes);
      ++lines;
    }
    return RunBlock(block, lines);
  }
  std::vector<Out> Flush(FlushReason reason) {
    std::vector<Out> out;
    pipeline_->Flush(reason, [&](Block& block) { Collect(block, out); });
    return out;
  }
  std::vector<Out> EndOfSource(const SourceProgress& source) {
    std::vector<Out> out;
    pipeline_->EndOfSource(source, [&](Block& block) { Collect(block, out); });
    return out;
  }
  // Lets go of what the last block held, as a worker does when every encoder has it.
  void Release() { pipeline_->block().Release(); }
  // What follows is from another source.
  static std::shared_ptr<SourceProgress> NewSource() {
    return std::make_shared<SourceProgress>("job", std::vector<uint64_t>{0}, nullptr);
  }

  Labels labels;
  std::optional<StreamLabelSets> streams;  // Set: lines are wrapped as Docker does it.
  LabelSets sets;
  FakeClock clock;
  std::shared_ptr<SourceProgress> progress;
  SharedStates shared;
  MemoryBudget held_memory;

 private:
  void Build(const std::string& yaml, SharedStates& states) {
    const ConfigNode stages = LoadYaml(yaml, problems_);
    pipeline_ = Pipeline::Build(stages, "stages", "job", problems_,
                                {.label_sets = sets,
                                 .clock = clock,
                                 .logger = logger_,
                                 .metrics = metrics_,
                                 .keep_everything = keep_everything_,
                                 .shared = &states,
                                 .held_memory = &held_memory,
                                 .unwraps_docker = unwraps_docker_});
    progress = NewSource();
  }

  std::vector<Out> RunBlock(Block& block, std::size_t lines) {
    pipeline_->Run();
    ProcessedBlock processed{offset_, offset_ - read_, 0, lines};
    for (const Block::DropCount& drop : block.drops())
      processed.dropped_bytes += drop.bytes;
    read_ = offset_;
    progress->Advance(processed);
    std::vector<Out> out;
    Collect(block, out);
    return out;
  }

  // Everything counts as delivered at once.
  void Collect(Block& block, std::vector<Out>& out) {
    for (const EntryIndex entry : block.live()) {
      const Entry view = block.View(entry);
      Out one{std::string(view.line),
              FormatLabels(sets.Get(view.labels)),
              view.timestamp_ns,
              {},
              view.source_bytes};
      progress->SettleBytes(0, view.source_bytes, 0);
      for (const auto& held : view.holds) {
        one.held_bytes.push_back(held->bytes());
        held->Settle(0, /*delivered=*/true);
      }
      out.push_back(std::move(one));
    }
  }

  Problems problems_;
  bool unwraps_docker_ = false;
  bool keep_everything_ = false;
  Logger logger_;
  CustomMetrics metrics_;
  std::unique_ptr<Pipeline> pipeline_;
  uint64_t offset_ = 0;
  uint64_t read_ = 0;
};

}  // namespace agent
