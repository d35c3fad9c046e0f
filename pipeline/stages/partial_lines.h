// The pieces of lines that a container runtime has split, one open line for each set of labels.

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/label_sets.h"
#include "base/memory_budget.h"
#include "base/source_progress.h"
#include "pipeline/block.h"
#include "pipeline/stage.h"
#include "pipeline/stages/hold_bounds.h"

namespace agent {

// Bytes of a kept piece are not settled: they are read again if the agent stops before the rest of
// the line has come. Used by one worker's thread.
class PartialLines {
 public:
  struct Limits {
    // When so many lines are open and another piece comes, all of them are emitted as they are.
    int64_t max_open = 100;
    // What an assembled line is cut to.
    std::size_t max_line_bytes = std::numeric_limits<std::size_t>::max();
  };

  PartialLines(const StageContext& context, const Limits& limits);
  PartialLines(const PartialLines&) = delete;
  PartialLines& operator=(const PartialLines&) = delete;
  ~PartialLines();

  // The entry is a piece of a line that goes on: takes it out of the block.
  void Keep(Block& block, EntryIndex entry);
  // The entry ends a line, if one with its labels is open: puts it together.
  void Complete(Block& block, EntryIndex entry) {
    if (!open_.empty()) CompleteOpen(block, entry);
  }

  // After the last line of a block: emits the oldest open lines as they are when they take too much
  // memory.
  void EndBlock(Block& block);

  // Emits open lines as they are, in the order in which they were begun, at the end of the block:
  // all of them, or those whose last piece is from one source.
  void EmitAll(Block& block);
  void EmitOf(const SourceProgress& source, Block& block);

  // Forgets all pieces; their bytes stay unsettled.
  void Abandon();

 private:
  struct OpenLine {
    HeldEntry last;  // The latest piece; its line is in `text`, its holds in `holds`.
    std::string text;
    std::vector<std::shared_ptr<HeldBytes>> holds;  // Of all pieces.
    uint64_t order = 0;
    std::size_t memory_bytes = 0;
  };
  using OpenLines = std::unordered_map<LabelSetId, OpenLine>;

  void CompleteOpen(Block& block, EntryIndex entry);
  void Truncate(std::string& text) const;
  void Append(OpenLine& line, HeldEntry piece);
  // The label sets of the open lines that are wanted, in the order in which they were begun.
  template <typename Wanted>
  std::vector<LabelSetId> InOrder(Wanted wanted) const;
  HeldEntry Take(LabelSetId labels);
  void Erase(OpenLines::iterator line);

  LabelSets& label_sets_;
  MemoryBudget& held_memory_;
  const Limits limits_;
  const std::shared_ptr<HoldBounds> bounds_;  // Shared with the other workers' copies.
  MemoryBudget::Reservation memory_;
  std::size_t memory_bytes_ = 0;
  OpenLines open_;  // Their sets are pinned.
  uint64_t next_order_ = 0;
};

}  // namespace agent
