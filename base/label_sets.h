// Label sets as small integers. A worker interns each distinct set once; a stage that adds a label
// moves from one integer to another with a hash probe, and an output keeps what it derives from a
// set (a stream's text, its tenant) by that integer.
//
// Bounded: sets that nobody uses any more are swept when they take too much memory, so a label with
// ever new values costs time but not memory. Used by one worker's thread.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/labels.h"

namespace agent {

using LabelSetId = uint32_t;
constexpr LabelSetId kEmptyLabelSet = 0;

class LabelSets {
 public:
  LabelSets();
  LabelSets(const LabelSets&) = delete;
  LabelSets& operator=(const LabelSets&) = delete;
  ~LabelSets();

  LabelSetId Intern(const Labels& labels);

  // Valid until the next Sweep().
  [[nodiscard]] const Labels& Get(LabelSetId id) const { return *sets_[id]; }
  // `{a="1", b="2"}`, made once. Valid until the next Sweep().
  std::string_view Text(LabelSetId id);

  // The set with the label set to `value` (also the empty value), or without the label.
  LabelSetId With(LabelSetId id, std::string_view name, std::string_view value);
  LabelSetId Without(LabelSetId id, std::string_view name);

  // Pinned sets survive a sweep. Counted: unpin as often as pinned.
  void Pin(LabelSetId id);
  void Unpin(LabelSetId id);

  // What the sets and their index take, about.
  [[nodiscard]] std::size_t memory_bytes() const { return memory_bytes_; }
  [[nodiscard]] std::size_t size() const { return index_.size(); }

  // Forgets every set that is not pinned; their numbers are given out again. Called by the worker
  // between blocks with nothing in its open batches. Raises epoch().
  void Sweep();
  // Whoever keeps something by LabelSetId keeps the epoch with it, and forgets when that has
  // changed.
  [[nodiscard]] uint64_t epoch() const { return epoch_; }

  // The label name with the most distinct values among the sets: what to blame for growth.
  [[nodiscard]] std::string MostVaryingLabel() const;

 private:
  struct Hash {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the library's name.
    std::size_t operator()(const Labels* labels) const;
  };
  struct Equal {
    bool operator()(const Labels* a, const Labels* b) const { return *a == *b; }
  };

  std::vector<std::unique_ptr<Labels>> sets_;  // By id; null where free.
  std::vector<std::string> texts_;             // By id; empty until asked for.
  std::vector<uint32_t> pins_;                 // By id.
  std::vector<LabelSetId> free_;
  std::unordered_map<const Labels*, LabelSetId, Hash, Equal> index_;
  std::size_t memory_bytes_ = 0;
  uint64_t epoch_ = 0;
};

// Remembers where a fixed list of labels leads from a set: (previous set, values) to the next set.
// The common case, the same values as the time before, is a compare.
class LabelTransition {
 public:
  // `names` are the labels to set, in the order in which values will be given.
  LabelTransition(LabelSets& sets, std::vector<std::string> names);

  // values[i].data() == nullptr: that label stays as it is.
  LabelSetId Apply(LabelSetId from, std::span<const std::string_view> values);

 private:
  LabelSetId Compute(LabelSetId from, std::span<const std::string_view> values);
  void MakeKey(LabelSetId from, std::span<const std::string_view> values);

  LabelSets& sets_;
  std::vector<std::string> names_;
  uint64_t epoch_ = 0;
  std::string key_;
  std::string last_key_;
  LabelSetId last_ = 0;
  std::unordered_map<std::string, LabelSetId> next_;
};

}  // namespace agent
