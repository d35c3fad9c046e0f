// `dedup` collapses runs of repeated lines. (Ours, not Promtail's.)
//
//   - dedup: { window: 10s, ignore: '\d+', count_as: suffix }
//
//   connection lost, attempt 1          connection lost, attempt 1
//   connection lost, attempt 2     >    connection lost, attempt 4 [repeated 3 times]
//   connection lost, attempt 3          connected
//   connection lost, attempt 4
//   connected
//
// The first line of a run passes at once. Those that are the same, with the same labels and within
// the window, are withheld; when the run ends, the last of them comes out with the number of lines
// that it stands for. What `ignore` matches does not make lines different.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "pipeline/regex/regex.h"
#include "pipeline/stages/line_runs.h"
#include "pipeline/stages/stages.h"

namespace agent {
namespace {

constexpr std::chrono::seconds kDefaultWindow{10};

class DedupStage final : public Stage {
 public:
  DedupStage(StageContext& context, std::optional<Slot> source, std::unique_ptr<Regex> ignore,
             LineRuns::Options options)
      : source_(source), ignore_(std::move(ignore)), runs_(context, std::move(options)) {
    if (ignore_ != nullptr) ignore_->Capture({0});
  }

  void Prepare(const SlotTable& slots) override { runs_.Prepare(slots); }

  void Process(Block& block) override {
    for (const EntryIndex entry : block.live()) {
      std::optional<std::string_view> text = block.Line(entry);
      if (source_) text = block.ExtractedText(entry, *source_);
      if (text && ignore_ != nullptr) text = WithoutIgnored(*text);
      runs_.Add(block, entry, text);
    }
    runs_.EndBlock(block);
  }

  [[nodiscard]] std::optional<int64_t> NextDeadline() const override {
    return runs_.NextDeadline();
  }
  void Flush(FlushReason reason, Block& block) override {
    if (reason == FlushReason::kDeadline) {
      runs_.EmitDue(block);
    } else {
      runs_.EmitAll(block);
    }
  }
  void EndOfSource(const SourceProgress& progress, Block& block) override {
    runs_.EmitOf(progress, block);
  }
  void Abandon() override { runs_.Abandon(); }

 private:
  // The text with a mark for each match; valid until the next call.
  std::string_view WithoutIgnored(std::string_view text) {
    constexpr char kMark = '\0';
    rest_.clear();
    std::size_t end = 0;
    TextSpan match;
    ignore_->Begin(text);
    while (ignore_->Next({&match, 1})) {
      if (match.begin == match.end) continue;
      rest_.append(text, end, match.begin - end);
      rest_ += kMark;
      end = match.end;
    }
    if (end == 0) return text;
    rest_.append(text, end);
    return rest_;
  }

  const std::optional<Slot> source_;
  const std::unique_ptr<Regex> ignore_;
  LineRuns runs_;
  std::string rest_;
};

}  // namespace

std::unique_ptr<Stage> MakeDedupStage(const ConfigNode& node, StageContext& context) {
  const std::size_t errors = context.problems.error_count();
  StageFields fields(node, context);
  LineRuns::Options options;
  options.window_ns = fields.Duration("window", kDefaultWindow).count();
  if (options.window_ns == 0) {
    fields.Error("window", "a window of 0 makes no line a repeated one", "window: 10s");
  }
  const std::optional<Slot> source = fields.OptionalSource();
  std::unique_ptr<Regex> ignore = ReadRegex(fields, "ignore");
  options.name = fields.String("name", "repeated");
  if (options.name.empty()) fields.Error("name", "a name must not be empty", "name: repeated");
  const std::string count_as =
      fields.Choice("count_as", "metadata", {"metadata", "suffix", "none"});
  options.count_as = count_as == "metadata" ? LineRuns::CountAs::kMetadata
                     : count_as == "suffix" ? LineRuns::CountAs::kSuffix
                                            : LineRuns::CountAs::kNone;
  if (!fields.Finish() || context.problems.error_count() > errors) return nullptr;
  options.slot = context.slots.Write(options.name);
  return std::make_unique<DedupStage>(context, source, std::move(ignore), std::move(options));
}

}  // namespace agent
