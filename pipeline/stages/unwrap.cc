#include "pipeline/stages/unwrap.h"

#include "base/utf8.h"

namespace agent {
namespace {

constexpr std::string_view kStreamName = "stream";

}  // namespace

UnwrappedField::UnwrappedField(SlotTable& slots, std::string_view name)
    : name_(name), set_before_(slots.Find(name).has_value()) {
  slot_ = set_before_ ? slots.Read(name) : slots.Write(name);
}

std::optional<std::string_view> UnwrappedField::Before(Block& block, EntryIndex entry,
                                                       LabelSetId labels) const {
  // Entering the stage has made every label an extracted value.
  if (const std::string* label = block.label_sets().Get(labels).Find(name_)) {
    return block.arena().Copy(*label);
  }
  return set_before_ ? block.ExtractedText(entry, slot_) : std::nullopt;
}

LabelSetId StreamLabel::Apply(LabelSets& sets, LabelSetId from, std::string_view stream) {
  for (const Answer& answer : answers_) {
    if (answer.from == from && answer.stream == stream && answer.valid &&
        answer.epoch == sets.epoch()) {
      return answer.to;
    }
  }
  if (!IsValidUtf8(stream)) return from;
  const LabelSetId to = sets.With(from, kStreamName, stream);
  answers_[oldest_] = {sets.epoch(), from, to, std::string(stream), true};
  oldest_ = 1 - oldest_;
  return to;
}

void WrapperTime::Apply(Block& block, EntryIndex entry, std::optional<int64_t> time) {
  const LabelSetId labels = block.LabelsOf(entry);
  if (time) {
    block.SetTimestamp(entry, *time);
    fudge_.Remember(labels, *time);
  } else if (const std::optional<int64_t> next = fudge_.Next(labels)) {
    block.SetTimestamp(entry, *next);
  }
}

}  // namespace agent
