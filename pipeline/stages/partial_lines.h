// The pieces of lines that a container runtime has split, one open line for each key: a set of
// labels, or a stream of a source.

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
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

  using Key = uint64_t;

  PartialLines(const StageContext& context, const Limits& limits);
  PartialLines(const PartialLines&) = delete;
  PartialLines& operator=(const PartialLines&) = delete;
  ~PartialLines();

  // The entry is a piece of a line that goes on: takes it out of the block. `now_ns` for
  // EmitKept().
  void Keep(Block& block, EntryIndex entry, Key key, int64_t now_ns = 0);
  // The entry ends a line, if one with that key is open: puts it together.
  void Complete(Block& block, EntryIndex entry, Key key) {
    if (!open_.empty()) CompleteOpen(block, entry, key);
  }
  // If a line with that key is open whose pieces have another time than the entry, it will not go
  // on: emits it as it is, before the entry.
  void EndOthers(Block& block, EntryIndex entry, Key key) {
    if (!open_.empty()) EndOther(block, entry, key);
  }

  // After the last line of a block: emits the oldest open lines as they are when they take too much
  // memory.
  void EndBlock(Block& block);

  // Emits open lines as they are, in the order in which they were begun, at the end of the block:
  // all of them, or those whose last piece is from one source.
  void EmitAll(Block& block);
  void EmitOf(const SourceProgress& source, Block& block);

  // Of the open line that has waited for longest without more of its source being there to be read:
  // when its last piece was kept.
  [[nodiscard]] std::optional<int64_t> OldestKept() const;
  // Emits those whose last piece was kept at `until_ns` or before, if nothing more of their source
  // is there to be read.
  void EmitKept(int64_t until_ns, Block& block);

  // Forgets all pieces; their bytes stay unsettled.
  void Abandon();

 private:
  struct OpenLine {
    HeldEntry last;  // The latest piece; its line is in `text`, its holds in `holds`.
    std::string text;
    std::vector<std::shared_ptr<HeldBytes>> holds;  // Of all pieces.
    uint64_t order = 0;
    int64_t kept_ns = 0;
    std::size_t memory_bytes = 0;
  };
  using OpenLines = std::unordered_map<Key, OpenLine>;

  void CompleteOpen(Block& block, EntryIndex entry, Key key);
  void EndOther(Block& block, EntryIndex entry, Key key);
  // It has waited since `kept_ns`, and not for its turn to be read.
  static bool Waits(const OpenLine& line);
  void Truncate(std::string& text) const;
  void Append(OpenLine& line, HeldEntry piece);
  // The keys of the open lines that are wanted, in the order in which they were begun.
  template <typename Wanted>
  std::vector<Key> InOrder(Wanted wanted) const;
  HeldEntry Take(Key key);
  void Erase(OpenLines::iterator line);

  LabelSets& label_sets_;
  MemoryBudget& held_memory_;
  const Limits limits_;
  const std::shared_ptr<HoldBounds> bounds_;  // Shared with the other workers' copies.
  MemoryBudget::Reservation memory_;
  std::size_t memory_bytes_ = 0;
  OpenLines open_;  // The label sets of their last pieces are pinned.
  uint64_t next_order_ = 0;
};

}  // namespace agent
