// What `docker` and `cri` have in common: both are short pipelines of their own in Promtail, which
// extract fields, make one of them the label `stream`, another the time, a third the line.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/label_sets.h"
#include "pipeline/block.h"
#include "pipeline/slots.h"
#include "pipeline/time/fudge.h"
#include "pipeline/time/rfc3339.h"

namespace agent {

// An extracted key that a wrapper stage sets on lines of its kind. On other lines the rest of the
// stage works with whatever was extracted under that name before: by an earlier stage, or as a
// label.
class UnwrappedField {
 public:
  // If the name is known already, some earlier stage may set it, and then the stage reads it too.
  UnwrappedField(SlotTable& slots, std::string_view name);

  // After the whole pipeline is built: whether anybody reads it.
  void Prepare(const SlotTable& slots) { wanted_ = slots.IsRead(slot_); }

  void Set(Block& block, EntryIndex entry, const Value& value) const {
    if (wanted_) block.SetExtracted(entry, slot_, value);
  }
  // The text that was extracted before. `labels` are those with which the entry came to the stage.
  std::optional<std::string_view> Before(Block& block, EntryIndex entry, LabelSetId labels) const;

 private:
  Slot slot_ = 0;
  std::string name_;
  bool set_before_;
  bool wanted_ = true;
};

// Sets the label `stream`. Remembers the last two answers: lines are from stdout or stderr.
class StreamLabel {
 public:
  // A value that is not UTF-8 leaves the labels as they are.
  LabelSetId Apply(LabelSets& sets, LabelSetId from, std::string_view stream);

 private:
  struct Answer {
    uint64_t epoch = 0;
    LabelSetId from = 0;
    LabelSetId to = 0;
    std::string stream;
    bool valid = false;
  };
  std::array<Answer, 2> answers_;
  std::size_t oldest_ = 0;
};

// Sets the time of entries from RFC 3339 text; where that fails, one nanosecond after the last one
// of the same labels.
class WrapperTime {
 public:
  explicit WrapperTime(LabelSets& sets) : fudge_(sets) {}

  std::optional<int64_t> Parse(std::string_view text) { return parser_.Parse(text); }
  // With the entry's final labels.
  void Apply(Block& block, EntryIndex entry, std::optional<int64_t> time);

 private:
  Rfc3339Parser parser_;
  FudgeTable fudge_;
};

}  // namespace agent
