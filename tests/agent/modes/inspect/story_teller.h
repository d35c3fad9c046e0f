// Lines through a pipeline that is watched, and what is told of them.

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/modes/inspect/inspector.h"
#include "base/config/yaml.h"
#include "base/label_sets.h"
#include "base/log.h"
#include "base/source_progress.h"
#include "pipeline/pipeline.h"
#include "tests/support/fake_clock.h"

namespace agent {

class StoryTeller {
 public:
  // `stages` is a list, as YAML.
  StoryTeller(const std::string& stages, TraceFormat format) : inspector_(std::move(format)) {
    Problems problems("test.yaml", stages);
    const ConfigNode node = LoadYaml(stages, problems);
    pipeline_ = Pipeline::Build(node, "stages", "web", problems,
                                {.label_sets = sets_,
                                 .clock = clock_,
                                 .logger = logger_,
                                 .metrics = metrics_,
                                 .keep_everything = true,
                                 .observer = &inspector_});
  }

  // One block of lines of app.log, that go on where the block before ended. The first `passed`
  // entries are not over the rate limit.
  void Read(const std::string& lines, std::size_t passed = ~std::size_t{0}) {
    text_ = lines + std::string(kTextPadding, '\0');
    const std::string_view chunk(text_.data(), lines.size());
    inspector_.BeginSource("/var/log/app.log", chunk, offset_);
    Block& block = pipeline_->block();
    block.Reset(sets_.Intern({{"job", "web"}}), progress_);
    std::size_t begin = 0;
    while (begin < chunk.size()) {
      const std::size_t end = chunk.find('\n', begin);
      block.Add(chunk.substr(begin, end - begin), FakeClock::kStart, offset_ + begin,
                static_cast<uint32_t>(end + 1 - begin));
      begin = end + 1;
    }
    offset_ += lines.size();
    pipeline_->Run();
    Leave(block, passed);
  }
  void Flush(FlushReason reason) {
    pipeline_->Flush(reason, [this](Block& block) { Leave(block, ~std::size_t{0}); });
  }
  // Runs between the stages and the outputs.
  void AfterStages(std::function<void(Block&)> change) { after_stages_ = std::move(change); }
  // Reading begins here.
  void StartAt(uint64_t offset) { offset_ = offset; }

  // What is told, each entry that went on as an "ENTRY line" behind what is told of it.
  [[nodiscard]] std::string Told() {
    told_ += inspector_.TakeOthers();
    return std::exchange(told_, {});
  }

 private:
  void Leave(Block& block, std::size_t passed) {
    if (after_stages_) after_stages_(block);
    inspector_.EndBlock(block, std::min(passed, block.live().size()));
    for (std::size_t i = 0; i < block.live().size() && i < passed; ++i) {
      told_ += inspector_.TakeNext();
      told_ += "ENTRY " + std::string(block.Line(block.live()[i])) + "\n";
    }
    for (const EntryIndex entry : block.live()) {
      for (const auto& held : block.View(entry).holds)
        held->Settle(0, /*delivered=*/true);
    }
    block.Release();
  }

  LabelSets sets_;
  FakeClock clock_;
  Logger logger_{-1, LogLevel::kError, LogFormat::kLogfmt};
  CustomMetrics metrics_;
  Inspector inspector_;
  std::unique_ptr<Pipeline> pipeline_;
  std::shared_ptr<SourceProgress> progress_ =
      std::make_shared<SourceProgress>("web", std::vector<uint64_t>{0}, nullptr);
  std::function<void(Block&)> after_stages_;
  std::string text_;
  uint64_t offset_ = 0;
  std::string told_;
};

}  // namespace agent
