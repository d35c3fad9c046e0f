// `multiline` puts the lines of one entry together, such as those of a stack trace.
//
//   - multiline: { firstline: '^\d{4}-\d{2}-\d{2} ', max_wait_time: 3s, max_lines: 128 }
//
//   2026-05-06 07:08:09 ERROR failed             2026-05-06 07:08:09 ERROR failed
//     at one                                  >    at one
//     at two                                       at two
//
// A line that matches begins an entry, which has its time, labels and extracted values; the lines
// that follow with the same labels are appended. Lines before the first match pass as they are.
// Structured metadata is lost. What is not complete is not settled: it is read again after a
// restart.

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "pipeline/regex/regex.h"
#include "pipeline/stages/line_groups.h"
#include "pipeline/stages/stages.h"

namespace agent {
namespace {

constexpr int64_t kDefaultMaxLines = 128;
constexpr std::chrono::seconds kDefaultMaxWait{3};

class MultilineStage final : public Stage {
 public:
  MultilineStage(StageContext& context, std::unique_ptr<Regex> first,
                 const LineGroups::Limits& limits)
      : first_(std::move(first)), groups_(context, limits) {
    first_->Capture({});
  }

  void Process(Block& block) override {
    for (const EntryIndex entry : block.live())
      groups_.Add(block, entry, first_->Matches(block.Line(entry)));
    groups_.EndBlock(block);
  }

  [[nodiscard]] std::optional<int64_t> NextDeadline() const override {
    return groups_.NextDeadline();
  }
  void Flush(FlushReason reason, Block& block) override {
    if (reason == FlushReason::kDeadline) {
      groups_.EmitDue(block);
    } else {
      groups_.EmitAll(block);
    }
  }
  void EndOfSource(const SourceProgress& progress, Block& block) override {
    groups_.EmitOf(progress, block);
  }
  void Abandon() override { groups_.Abandon(); }

 private:
  const std::unique_ptr<Regex> first_;
  LineGroups groups_;
};

}  // namespace

std::unique_ptr<Stage> MakeMultilineStage(const ConfigNode& node, StageContext& context) {
  StageFields fields(node, context, FieldReader::Typing::kWeak);
  std::unique_ptr<Regex> first = ReadRequiredRegex(fields, "firstline");
  LineGroups::Limits limits;
  limits.max_lines = static_cast<uint64_t>(
      fields.Int("max_lines", kDefaultMaxLines, 0, std::numeric_limits<int64_t>::max()));
  limits.max_wait_ns = fields.Duration("max_wait_time", kDefaultMaxWait).count();
  limits.max_bytes = HoldBounds::MaxEntryBytes(context.held_memory);
  if (!fields.Finish() || first == nullptr) return nullptr;
  return std::make_unique<MultilineStage>(context, std::move(first), limits);
}

}  // namespace agent
