// `cri` takes the wrapper off lines of containerd's and CRI-O's logs, and joins the pieces of long
// lines.
//
//   - cri: { max_partial_lines: 100, max_partial_line_size: 0, max_partial_line_size_truncate:
//   false }
//
//   2023-05-06T07:08:09.010203Z stdout F the text
//
// The text becomes the line, the stream a label, the time the time of the entry. A piece (flag P)
// is kept back until the rest has come: until any other line with the same labels. The joined line
// has the time of its last piece. Labels, not files, decide what belongs together, so that a line
// whose end is in the next file after a rotation is joined as well.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>

#include "pipeline/stage_failure.h"
#include "pipeline/stages/cri_line.h"
#include "pipeline/stages/partial_lines.h"
#include "pipeline/stages/stages.h"
#include "pipeline/stages/unwrap.h"

namespace agent {
namespace {

constexpr int64_t kDefaultMaxPartialLines = 100;

class CriStage final : public Stage {
 public:
  CriStage(StageContext& context, const PartialLines::Limits& limits)
      : time_field_(context.slots, "time"),
        stream_(context.slots, "stream"),
        flags_(context.slots, "flags"),
        content_(context.slots, "content"),
        tags_(context.slots, "tags"),
        time_(context.label_sets),
        partials_(context, limits),
        malformed_(context, "malformed", "the line is not in CRI's format") {}

  void Prepare(const SlotTable& slots) override {
    for (UnwrappedField* field : {&time_field_, &stream_, &flags_, &content_})
      field->Prepare(slots);
  }

  void Process(Block& block) override {
    block.SeedExtractedFromLabels();
    for (const EntryIndex entry : block.live()) {
      if (Unwrap(block, entry) == "P") {
        partials_.Keep(block, entry, block.LabelsOf(entry));
      } else {
        partials_.Complete(block, entry, block.LabelsOf(entry));
      }
    }
    partials_.EndBlock(block);
  }

  void Flush(FlushReason reason, Block& block) override {
    if (reason != FlushReason::kDeadline) partials_.EmitAll(block);
  }
  void EndOfSource(const SourceProgress& progress, Block& block) override {
    partials_.EmitOf(progress, block);
  }
  void Abandon() override { partials_.Abandon(); }

 private:
  // Returns the flags.
  std::string_view Unwrap(Block& block, EntryIndex entry) {
    const LabelSetId labels = block.LabelsOf(entry);
    const std::optional<CriLine> line = ParseCriLine(block.Line(entry));
    std::optional<std::string_view> time;
    std::optional<std::string_view> stream;
    std::optional<std::string_view> flags;
    std::optional<std::string_view> content;
    if (line) {
      time = line->time;
      stream = line->stream;
      flags = line->flags;
      content = line->content;
      time_field_.Set(block, entry, Value::String(line->time));
      stream_.Set(block, entry, Value::String(line->stream));
      flags_.Set(block, entry, Value::String(line->flags));
      content_.Set(block, entry, Value::String(line->content));
    } else {
      malformed_.Report(block, entry);
      time = time_field_.Before(block, entry, labels);
      stream = stream_.Before(block, entry, labels);
      flags = flags_.Before(block, entry, labels);
      content = content_.Before(block, entry, labels);
    }
    const auto tags = tags_.Before(block, entry, labels);
    if (stream) block.SetLabels(entry, label_.Apply(block.label_sets(), labels, *stream));
    time_.Apply(block, entry, time ? time_.Parse(*time) : std::nullopt);
    if (content) block.SetLine(entry, *content);
    // Promtail's stage ends with an output stage for `tags`, which nothing sets any more; a label
    // of that name still replaces the line.
    if (tags) block.SetLine(entry, *tags);
    return flags.value_or(std::string_view());
  }

  UnwrappedField time_field_;
  UnwrappedField stream_;
  UnwrappedField flags_;
  UnwrappedField content_;
  UnwrappedField tags_;
  StreamLabel label_;
  WrapperTime time_;
  PartialLines partials_;
  StageFailure malformed_;
};

}  // namespace

std::unique_ptr<Stage> MakeCriStage(const ConfigNode& node, StageContext& context) {
  StageFields fields(node, context, FieldReader::Typing::kWeak);
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  PartialLines::Limits limits;
  limits.max_open = fields.Int("max_partial_lines", kDefaultMaxPartialLines, -kMax, kMax);
  if (limits.max_open == 0) limits.max_open = kDefaultMaxPartialLines;
  const int64_t max_bytes = fields.Int("max_partial_line_size", 0, 0, kMax);
  if (fields.Bool("max_partial_line_size_truncate", false)) {
    limits.max_line_bytes = static_cast<std::size_t>(max_bytes);
  }
  if (!fields.Finish()) return nullptr;
  return std::make_unique<CriStage>(context, limits);
}

}  // namespace agent
