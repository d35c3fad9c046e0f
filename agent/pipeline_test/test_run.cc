#include "agent/pipeline_test/test_run.h"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>

#include "agent/pipeline_test/held_clock.h"
#include "agent/pipeline_test/test_metrics.h"
#include "base/label_sets.h"
#include "base/log.h"
#include "base/random.h"
#include "pipeline/pipeline.h"

namespace agent {
namespace {

class Runner {
 public:
  Runner(const PipelineTest& test, TestRun& run) : test_(test), run_(run), clock_(test.start_ns) {}

  void Run() {
    static const ConfigNode none;
    const ConfigNode& stages = test_.stages.list != nullptr ? *test_.stages.list : none;
    const PipelineDependencies dependencies{
        .label_sets = sets_,
        .clock = clock_,
        .logger = logger_,
        .metrics = metrics_,
        .keep_everything = true,
        .random = Random(1),
        .shared = &shared_,
    };
    pipeline_ =
        Pipeline::Build(stages, test_.stages.path, test_.stages.job, run_.problems, dependencies);
    if (pipeline_ == nullptr) return;
    for (const TestInput& input : test_.inputs) {
      if (input.advance_ns == 0) {
        AddLine(input.line);
      } else {
        RunLines();
        Advance(input.advance_ns);
      }
    }
    RunLines();
    // Lines that wait for their time have it, whatever it takes.
    while (pipeline_->full() && FlushNext(std::numeric_limits<int64_t>::max())) {
    }
    pipeline_->Flush(FlushReason::kEnd, [this](Block& block) { Collect(block); });
    run_.metrics = CollectTestMetrics(*pipeline_, metrics_, shared_, clock_.MonotonicNanos());
  }

 private:
  // Lines that are read at the same moment are a block.
  void AddLine(const std::string& line) {
    // Texts of a block have readable bytes after them.
    texts_.push_back(line + std::string(kTextPadding, '\0'));
  }

  void RunLines() {
    if (texts_.empty()) return;
    Block& block = pipeline_->block();
    block.Reset(sets_.Intern(test_.labels), nullptr);
    for (const std::string& padded : texts_) {
      const std::string_view line(padded.data(), padded.size() - kTextPadding);
      const auto bytes = static_cast<uint32_t>(line.size() + 1);
      block.Add(line, clock_.WallNanos(), offset_, bytes);
      offset_ += bytes;
    }
    pipeline_->Run();
    Collect(block);
    texts_.clear();
  }

  // What is due in between comes out at its time.
  void Advance(int64_t by_ns) {
    const int64_t end = clock_.MonotonicNanos() + by_ns;
    while (FlushNext(end)) {
    }
    clock_.AdvanceTo(end);
  }

  // False when nothing more is due until then.
  bool FlushNext(int64_t end) {
    const std::optional<int64_t> due = pipeline_->NextDeadline();
    if (!due || *due > end) return false;
    clock_.AdvanceTo(std::max(*due, clock_.MonotonicNanos()));
    pipeline_->Flush(FlushReason::kDeadline, [this](Block& block) { Collect(block); });
    // Where nothing came of it nothing would the next time either.
    const std::optional<int64_t> next = pipeline_->NextDeadline();
    return !next || *next > *due;
  }

  void Collect(Block& block) {
    for (const EntryIndex entry : block.live())
      run_.entries.push_back(TestEntryOf(block, entry, test_.labels));
  }

  const PipelineTest& test_;
  TestRun& run_;
  LabelSets sets_;
  HeldClock clock_;
  Logger logger_{-1, LogLevel::kError, LogFormat::kLogfmt};
  CustomMetrics metrics_;
  SharedStates shared_;
  std::unique_ptr<Pipeline> pipeline_;
  std::deque<std::string> texts_;  // Of the block that is being filled.
  uint64_t offset_ = 0;
};

}  // namespace

TestRun RunPipelineTest(const PipelineTestFile& file, const PipelineTest& test) {
  TestRun run;
  if (test.stages.config != nullptr && test.stages.config->problems.has_errors()) {
    run.problems = test.stages.config->problems;
    return run;
  }
  run.problems = test.stages.config != nullptr ? Problems() : Problems(file.path, file.text);
  Runner(test, run).Run();
  if (test.stages.config != nullptr) run.problems = test.stages.config->problems;
  return run;
}

}  // namespace agent
