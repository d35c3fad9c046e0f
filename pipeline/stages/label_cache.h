// Remembers where a label set leads to by a fixed rule: most entries of a block have the same one.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/label_sets.h"

namespace agent {

class LabelCache {
 public:
  // `change` computes the next set; called once for each set.
  LabelCache(LabelSets& sets, std::function<LabelSetId(LabelSets&, LabelSetId)> change)
      : sets_(sets), change_(std::move(change)), epoch_(sets.epoch()) {}

  LabelSetId Apply(LabelSetId from) {
    if (epoch_ != sets_.epoch()) {
      next_.clear();
      epoch_ = sets_.epoch();
    }
    if (from >= next_.size()) next_.resize(from + std::size_t{1}, kUnknown);
    if (next_[from] == kUnknown) {
      const LabelSetId to = change_(sets_, from);
      next_[from] = to;
    }
    return next_[from];
  }

 private:
  LabelSets& sets_;
  const std::function<LabelSetId(LabelSets&, LabelSetId)> change_;
  uint64_t epoch_;
  // By label set: their numbers are small and given out again.
  std::vector<LabelSetId> next_;

  static constexpr LabelSetId kUnknown = ~LabelSetId{0};
};

}  // namespace agent
