// A block of lines on its way through a pipeline: columns, not rows. A stage runs over the whole
// block before the next one does, so its code and data stay hot.
//
// Every text in a block (line, extracted value, metadata) lies in the buffer that was read, in the
// arena, or in something that outlives the block, and has kTextPadding readable bytes after it.
// Used by one worker's thread.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/entry.h"
#include "base/label_sets.h"
#include "base/source_progress.h"
#include "base/value.h"
#include "pipeline/arena.h"
#include "pipeline/drop_reason.h"
#include "pipeline/named_values.h"
#include "pipeline/slots.h"

namespace agent {

using EntryIndex = uint32_t;

// An entry's time and extracted values, owning everything.
struct HeldValues {
  int64_t timestamp_ns = 0;
  std::vector<std::pair<Slot, Value>> extracted;     // Texts in `texts`.
  std::vector<std::pair<std::string, Value>> named;  // Extracted, without a slot.
  std::unique_ptr<char[]> texts;
  std::size_t texts_size = 0;
};

// An entry taken out of its block by a stage that keeps it for later (an open multiline block):
// owns everything.
struct HeldEntry {
  std::string line;
  LabelSetId labels = kEmptyLabelSet;  // Pinned by Block::Detach, unpinned when it is back.
  HeldValues values;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::vector<std::shared_ptr<HeldBytes>> holds;  // The lines of which it consists.

  // A hold is a shared object and a node of its source's set.
  static constexpr std::size_t kHoldBytes = 160;
  // What it takes, about.
  [[nodiscard]] std::size_t memory_bytes() const;
};

// What entries of a container's log start with, where that is different for its two streams.
struct StreamLabelSets {
  // Nullopt: entries of that stream are dropped, as relabelling said. Pinned by who has this.
  std::optional<LabelSetId> out;
  std::optional<LabelSetId> err;
  uint64_t lineage = 0;  // Of the source: a file and its rotated predecessors have the same.
};

class Block {
 public:
  // Neither is owned; both outlive the block.
  Block(const SlotTable& slots, LabelSets& label_sets);

  // --- Filling.

  // Empties the block for lines of a source: `labels` is what every entry starts with, and seeds
  // the extracted values of the same names. `progress` may be null (tests): then nothing can be
  // held. `streams`, which outlives the run: the lines are wrapped as Docker does it, and the first
  // stage unwraps them; null: they are not.
  void Reset(LabelSetId labels, std::shared_ptr<SourceProgress> progress,
             const StreamLabelSets* streams = nullptr);
  // `offset` and `source_bytes` as in Entry. Views must stay valid until the next Reset().
  EntryIndex Add(std::string_view line, int64_t timestamp_ns, uint64_t offset,
                 uint32_t source_bytes);

  // --- What a stage works with.

  // The entries that are still on their way, in order. Unchanged by Drop(), Detach() and Insert()
  // until the stage has returned, so it is safe to loop over while dropping; each entry is visited
  // once.
  [[nodiscard]] std::span<const EntryIndex> live() const { return live_; }

  [[nodiscard]] std::string_view Line(EntryIndex entry) const { return lines_[entry]; }
  void SetLine(EntryIndex entry, std::string_view line) { lines_[entry] = line; }
  [[nodiscard]] int64_t Timestamp(EntryIndex entry) const { return timestamps_[entry]; }
  void SetTimestamp(EntryIndex entry, int64_t ns) { timestamps_[entry] = ns; }
  [[nodiscard]] LabelSetId LabelsOf(EntryIndex entry) const { return labels_[entry]; }
  void SetLabels(EntryIndex entry, LabelSetId labels) {
    labels_[entry] = labels;
    seeded_ = false;
  }

  [[nodiscard]] const Value& Extracted(EntryIndex entry, Slot slot) const {
    const Column& column = columns_[slot];
    return column.values.empty() ? column.constant : column.values[entry];
  }
  // Value() (absent) deletes the key.
  void SetExtracted(EntryIndex entry, Slot slot, const Value& value) {
    Column& column = columns_[slot];
    if (column.values.empty()) Materialize(column);
    column.values[entry] = value;
    if (column.constant.present()) seeded_ = false;  // It has the name of a label.
  }
  // The text form of a value (promtail-stages.md, section 3), in the arena where it must be made.
  // nullopt when the value is absent or null.
  std::optional<std::string_view> Text(const Value& value);
  std::optional<std::string_view> ExtractedText(EntryIndex entry, Slot slot) {
    return Text(Extracted(entry, slot));
  }
  // Every present value, with its name: slots in order, then names that have no slot. For stages
  // that called SlotTable::ReadEverything().
  void ForEachExtracted(EntryIndex entry,
                        const std::function<void(std::string_view, const Value&)>& visit) const;

  // For stages that write names that are not known beforehand. A name without a slot is read by
  // nobody, so it is neither kept nor found, unless everything is read.
  [[nodiscard]] bool HasExtracted(EntryIndex entry, std::string_view name) const;
  void SetExtracted(EntryIndex entry, std::string_view name, const Value& value);

  // Copies every label of every live entry to the extracted value of the same name: what entering
  // docker, cri and match does. Free when nothing has changed since the last time.
  void SeedExtractedFromLabels();

  void AddMetadata(EntryIndex entry, std::string_view name, std::string_view value);
  [[nodiscard]] std::vector<Metadata> MetadataOf(EntryIndex entry) const;
  void ClearMetadata(EntryIndex entry);

  // The entry ends here, on purpose; counted under the reason.
  void Drop(EntryIndex entry, DropReason reason);

  // The entry ends here as a part of `into`, which is made of earlier lines: its bytes settle with
  // that one. Its line, values and metadata are lost.
  void Absorb(EntryIndex into, EntryIndex entry);
  void Absorb(HeldEntry& into, EntryIndex entry);

  // Takes the entry out of the block for later. Its bytes stay in flight, its position unsettled.
  HeldEntry Detach(EntryIndex entry);
  // Puts an entry back in as a live one: before `entry` (which may be one that is being dropped or
  // detached), or at the end.
  EntryIndex InsertBefore(EntryIndex entry, HeldEntry held);
  EntryIndex InsertAtEnd(HeldEntry held);
  // A held entry that never comes back: as Drop() of one that is in the block.
  void DropHeld(HeldEntry held, DropReason reason);
  // Makes the held lines part of this entry: it settles with them. (cri: a joined line.)
  void AddHolds(EntryIndex entry, std::vector<std::shared_ptr<HeldBytes>> holds);

  // The time and the extracted values of an entry of the block, also of one that is gone: owned, or
  // given to another entry in place of its own.
  [[nodiscard]] HeldValues CopyValues(EntryIndex from) const;
  void CopyValues(EntryIndex from, EntryIndex to);
  void SetValues(EntryIndex entry, const HeldValues& values);

  [[nodiscard]] Arena& arena() { return arena_; }
  [[nodiscard]] LabelSets& label_sets() { return label_sets_; }
  [[nodiscard]] const SlotTable& slots() const { return slots_; }
  [[nodiscard]] std::size_t size() const { return lines_.size(); }
  [[nodiscard]] const StreamLabelSets* streams() const { return streams_; }
  // As if Reset() had been called with these labels, for this entry alone: it gets them, and its
  // extracted values of their names. Before anything else was extracted from it.
  void StartWith(EntryIndex entry, LabelSetId labels);
  // The source that the block was filled for; may be null.
  [[nodiscard]] const SourceProgress* progress() const { return progress_.get(); }
  // How an entry has left the block, for who watches: dropped for a reason, or taken out for later.
  [[nodiscard]] std::optional<DropReason> DroppedFor(EntryIndex entry) const {
    if (fates_[entry] < kDropped || fates_[entry] >= kAbsorbed) return std::nullopt;
    return fates_[entry] - kDropped;
  }
  // The entry of the block of which it has become a part.
  [[nodiscard]] std::optional<EntryIndex> AbsorbedInto(EntryIndex entry) const {
    if (fates_[entry] < kAbsorbed) return std::nullopt;
    return fates_[entry] - kAbsorbed;
  }
  [[nodiscard]] bool IsDetached(EntryIndex entry) const { return fates_[entry] == kDetached; }

  // --- For pipelines.

  // The extracted values that View() shows from now on: of these slots, or, with nothing, all.
  void ShowFields(std::optional<std::vector<Slot>> slots) { shown_ = std::move(slots); }

  // Removes what was dropped or detached from live(), adds what was inserted. After each stage.
  void Compact();
  // Runs `body` with live() being only `entries` (a subset of it, in order); what is left of them,
  // and what was inserted among them, takes their place afterwards. For match.
  void WithSubset(std::span<const EntryIndex> entries, const std::function<void()>& body);

  // --- Emptying.

  // The entry as the encoders see it. Its spans are valid until the next call of View().
  Entry View(EntryIndex entry);

  // Lets go of the source and of held lines, now that every encoder has them.
  void Release();

  struct DropCount {
    uint64_t lines = 0;
    uint64_t bytes = 0;       // Of the block's own source: SourceProgress::Advance() wants them.
    uint64_t held_bytes = 0;  // Of lines held until then; moved in their sources' ledgers already.
  };
  // By reason, since the last Reset().
  [[nodiscard]] const std::vector<DropCount>& drops() const { return drops_; }

 private:
  // What became of an entry; from kDropped on, that and the reason, from kAbsorbed on, into which.
  using Fate = uint32_t;
  static constexpr Fate kLive = 0;
  static constexpr Fate kDetached = 1;
  static constexpr Fate kDropped = 2;
  static constexpr Fate kAbsorbed = Fate{1} << 31;
  struct Column {
    Value constant;
    std::vector<Value> values;  // Empty: every entry has `constant`.
  };
  struct MetadataLink {
    Metadata pair;
    uint32_t next = kNone;
  };
  static constexpr uint32_t kNone = ~uint32_t{0};

  // The label that the entry came with, where its name has no slot; else null.
  [[nodiscard]] const std::string* LabelWithoutSlot(EntryIndex entry, std::string_view name) const;
  // Calls `visit` with the name and value of each extracted value that has no slot.
  void ForEachNamed(EntryIndex entry,
                    const std::function<void(std::string_view, const Value&)>& visit) const;
  // What the labels of a set put among the extracted values.
  struct LabelSeeds {
    std::vector<std::pair<Slot, Value>> values;
    std::vector<const Label*> named;  // Those whose name has no slot.
  };
  LabelSeeds SeedsOf(LabelSetId labels);
  void SeedNamed(EntryIndex entry, const Label& label);
  void SeedColumns(LabelSetId labels);
  // What is different in the extracted values of an entry that starts with other labels.
  struct OtherStart {
    LabelSetId labels = kEmptyLabelSet;
    std::vector<std::pair<Slot, Value>> slots;
    std::vector<std::pair<std::string, Value>> named;
  };
  void FindDifferences(OtherStart& other);
  void Materialize(Column& column);
  EntryIndex Insert(HeldEntry held);
  // Into view_fields_.
  void CollectFields(EntryIndex entry);
  DropCount& CountDrop(DropReason reason);
  std::vector<std::shared_ptr<HeldBytes>> TakeHolds(EntryIndex entry);
  [[nodiscard]] uint64_t LastOffset(EntryIndex entry) const {
    return entry < last_offsets_.size() ? last_offsets_[entry] : offsets_[entry];
  }

  const SlotTable& slots_;
  LabelSets& label_sets_;
  Arena arena_;
  std::shared_ptr<SourceProgress> progress_;
  LabelSetId initial_labels_ = kEmptyLabelSet;
  const StreamLabelSets* streams_ = nullptr;
  std::optional<OtherStart> other_start_;  // Texts in the arena.
  Arena seeds_;                            // Texts of the columns' constants.
  uint64_t column_epoch_ = 0;              // Of label_sets_ when the columns were seeded.

  std::vector<std::string_view> lines_;
  std::vector<int64_t> timestamps_;
  std::vector<LabelSetId> labels_;
  std::vector<uint64_t> offsets_;
  std::vector<uint64_t> last_offsets_;  // Of the first entries; of the others it is the offset.
  std::vector<uint32_t> source_bytes_;
  std::vector<Fate> fates_;
  std::vector<uint32_t> first_metadata_;
  std::vector<Column> columns_;
  NamedValues named_;      // Extracted values that have no slot; only when everything is read.
  std::size_t added_ = 0;  // Entries of the block's own source; those after them were inserted.
  std::vector<MetadataLink> metadata_;
  std::vector<uint32_t> hold_lists_;  // Of the first entries: which of holds_; kNone: none.
  std::vector<std::vector<std::shared_ptr<HeldBytes>>> holds_;
  std::vector<EntryIndex> live_;
  std::vector<EntryIndex> next_live_;
  std::vector<std::pair<EntryIndex, EntryIndex>>
      inserted_;  // (before, new); before = kNone: at the end.
  std::vector<DropCount> drops_;
  std::optional<std::vector<Slot>> shown_ = std::vector<Slot>();
  std::vector<Metadata> view_metadata_;
  std::vector<Field> view_fields_;
  std::string number_text_;
  bool seeded_ = false;
  bool changed_ = false;  // Since the last Compact().
};

}  // namespace agent
