// Lines that belong together, one open group for each set of labels: what `multiline` puts
// together.

#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/label_sets.h"
#include "base/memory_budget.h"
#include "base/source_progress.h"
#include "pipeline/block.h"
#include "pipeline/drop_reason.h"
#include "pipeline/stage.h"
#include "pipeline/stages/hold_bounds.h"

namespace agent {

// Within a block a group is its first line's entry, and what belongs to it is absorbed: where the
// lines stand behind one another in memory nothing is copied at all. What is still open when the
// block ends is taken out of it; its bytes are not settled. Used by one worker's thread.
class LineGroups {
 public:
  struct Limits {
    uint64_t max_lines = 128;   // Of a group; 0: no bound.
    int64_t max_wait_ns = 0;    // A group ends when so long no line has come for it.
    std::size_t max_bytes = 0;  // Of a group's text.
    std::size_t max_label_sets = HoldBounds::kMaxLabelSets;
  };

  LineGroups(StageContext& context, const Limits& limits);
  LineGroups(const LineGroups&) = delete;
  LineGroups& operator=(const LineGroups&) = delete;
  ~LineGroups();

  // The next line of the block. `first`: it begins a group. Others go on with the one of their
  // labels; before there was a first one, they stay as they are.
  void Add(Block& block, EntryIndex entry, bool first);
  // After the last line of a block.
  void EndBlock(Block& block);

  // When EmitDue() has something to do, monotonic.
  [[nodiscard]] std::optional<int64_t> NextDeadline() const;
  // Ends open groups, oldest first: those that have waited long enough, all, or those whose last
  // line is from one source.
  void EmitDue(Block& block);
  void EmitAll(Block& block);
  void EmitOf(const SourceProgress& source, Block& block);

  // Forgets everything; the bytes of open groups stay unsettled.
  void Abandon();

 private:
  static constexpr EntryIndex kNone = ~EntryIndex{0};

  // What is known of a label set. Never forgets its first line's time and values: the lines that
  // follow when a group has been ended by a bound form another one with the same.
  struct Group {
    LabelSetId labels = kEmptyLabelSet;  // Pinned.
    uint64_t lines = 0;
    std::size_t text_size = 0;
    // Between blocks: the open group, and in any case the first line's values.
    HeldEntry held;
    bool is_held = false;
    int64_t deadline_ns = 0;
    std::size_t memory_bytes = 0;
    // During a block.
    EntryIndex entry = kNone;              // What the open group is collected in.
    EntryIndex values = kNone;             // An entry with the first line's values; kNone: `held`.
    std::vector<std::string_view> pieces;  // The group's text, but for '\n' between them.
    bool touched = false;
  };
  using GroupList = std::list<Group>;

  Group* Find(LabelSetId labels);
  Group& Begin(Block& block, LabelSetId labels);
  void Touch(GroupList::iterator group);
  void Append(Block& block, Group& group, EntryIndex entry);
  static void AppendPiece(Group& group, std::string_view line);
  // Ends the open group, if there is one; what comes from an earlier block is put before `before`.
  void Close(Block& block, Group& group, EntryIndex before) const;
  void Park(Block& block, Group& group, int64_t deadline_ns);
  void ParkAll(Block& block);
  // Ends a held group, at the end of the block. It is in `open_` before and in `idle_` afterwards.
  void Emit(Block& block, GroupList::iterator group);
  void Forget(GroupList::iterator group);
  // Gives up what has been silent for longest, until there is room.
  void KeepWithinMemory(Block& block);
  // Takes the lines out of a held group, without the values.
  static HeldEntry TakeLines(Group& group);
  void Account(Group& group);

  LabelSets& label_sets_;
  Clock& clock_;
  MemoryBudget& held_memory_;
  const Limits limits_;
  const DropReason reason_;
  const std::shared_ptr<HoldBounds> bounds_;  // Shared with the other workers' copies.
  MemoryBudget::Reservation memory_;
  std::size_t memory_bytes_ = 0;

  // Each group is in one of them; the last two from the oldest to the latest line.
  GroupList touched_;  // Lines of the present block went into it.
  GroupList open_;
  GroupList idle_;
  std::unordered_map<LabelSetId, GroupList::iterator> by_labels_;
  Group* last_ = nullptr;  // The line before was of this one.
};

}  // namespace agent
