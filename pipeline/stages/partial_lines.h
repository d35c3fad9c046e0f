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
#include "base/source_progress.h"
#include "pipeline/block.h"

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

  // `label_sets` is not owned and outlives this.
  PartialLines(LabelSets& label_sets, const Limits& limits)
      : label_sets_(label_sets), limits_(limits) {}
  PartialLines(const PartialLines&) = delete;
  PartialLines& operator=(const PartialLines&) = delete;
  ~PartialLines();

  // The entry is a piece of a line that goes on: takes it out of the block.
  void Keep(Block& block, EntryIndex entry);
  // The entry ends a line, if one with its labels is open: puts it together.
  void Complete(Block& block, EntryIndex entry) {
    if (!open_.empty()) CompleteOpen(block, entry);
  }

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
  };

  void CompleteOpen(Block& block, EntryIndex entry);
  void Truncate(std::string& text) const;
  void Append(OpenLine& line, HeldEntry piece);
  static HeldEntry Assemble(OpenLine line);
  // The label sets of the open lines that are wanted, in the order in which they were begun.
  template <typename Wanted>
  std::vector<LabelSetId> InOrder(Wanted wanted) const;
  HeldEntry Take(LabelSetId labels);

  LabelSets& label_sets_;
  const Limits limits_;
  std::unordered_map<LabelSetId, OpenLine> open_;  // Their sets are pinned.
  uint64_t next_order_ = 0;
};

}  // namespace agent
