// Times for lines that have none of their own: one nanosecond after the last good time of the same
// label set, so that the receiver keeps them in order.

#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/label_sets.h"

namespace agent {

// The last good time by label set, one table per stage. The least recently used set is forgotten
// when there are more than `capacity` of them. A sweep of `label_sets` does no harm: sets are known
// by their text, their numbers are only a short cut. Used by one worker's thread.
class FudgeTable {
 public:
  static constexpr std::size_t kDefaultCapacity = 10'000;

  // `label_sets` is not owned and outlives the table.
  explicit FudgeTable(LabelSets& label_sets, std::size_t capacity = kDefaultCapacity);

  // A line with these labels had this time.
  void Remember(LabelSetId labels, int64_t timestamp_ns);
  // The time for a line without one: the last of its set plus 1 ns, which becomes the last. nullopt
  // when none is known.
  std::optional<int64_t> Next(LabelSetId labels);

  [[nodiscard]] std::size_t size() const { return index_.size(); }

 private:
  struct Last {
    std::string labels;
    int64_t timestamp_ns = 0;
    LabelSetId id = kEmptyLabelSet;  // Where by_id_ points here.
  };
  using Position = std::list<Last>::iterator;

  // Its record, moved to the front; end() when there is none.
  Position Find(LabelSetId labels);
  void Link(LabelSetId labels, Position position);

  LabelSets& label_sets_;
  const std::size_t capacity_;
  uint64_t epoch_ = 0;                                    // Of by_id_.
  std::list<Last> recent_;                                // The latest first.
  std::unordered_map<std::string_view, Position> index_;  // Keys lie in recent_.
  std::vector<Position> by_id_;                           // recent_.end() where unknown.
};

}  // namespace agent
