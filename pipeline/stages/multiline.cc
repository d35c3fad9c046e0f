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
// With `continuation` in place of `firstline` it is the other way round: a line that matches goes
// on with the entry.
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
  // What a line that matches does.
  enum class Match : uint8_t { kBegins, kContinues };

  MultilineStage(StageContext& context, std::unique_ptr<Regex> regex, Match match,
                 const LineGroups::Limits& limits)
      : regex_(std::move(regex)),
        first_matches_(match == Match::kBegins),
        groups_(context, limits) {
    regex_->Capture({});
  }

  void Process(Block& block) override {
    for (const EntryIndex entry : block.live())
      groups_.Add(block, entry, regex_->Matches(block.Line(entry)) == first_matches_);
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
  const std::unique_ptr<Regex> regex_;
  const bool first_matches_;
  LineGroups groups_;
};

}  // namespace

std::unique_ptr<Stage> MakeMultilineStage(const ConfigNode& node, StageContext& context) {
  StageFields fields(node, context, FieldReader::Typing::kWeak);
  const bool continues = !fields.String("continuation").empty();
  if (continues && fields.Has("firstline")) {
    fields.Error("continuation", "either firstline or continuation");
    fields.Node("firstline");
  }
  std::unique_ptr<Regex> regex =
      continues ? ReadRegex(fields, "continuation") : ReadRequiredRegex(fields, "firstline");
  LineGroups::Limits limits;
  limits.max_lines = static_cast<uint64_t>(
      fields.Int("max_lines", kDefaultMaxLines, 0, std::numeric_limits<int64_t>::max()));
  limits.max_wait_ns = fields.Duration("max_wait_time", kDefaultMaxWait).count();
  limits.max_bytes = HoldBounds::MaxEntryBytes(context.held_memory);
  if (!fields.Finish() || regex == nullptr) return nullptr;
  using enum MultilineStage::Match;
  return std::make_unique<MultilineStage>(context, std::move(regex),
                                          continues ? kContinues : kBegins, limits);
}

}  // namespace agent
