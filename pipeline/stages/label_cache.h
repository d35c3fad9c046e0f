// Remembers where a label set leads to by a fixed rule: most entries of a block have the same one.

#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>

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
      valid_ = false;
    }
    if (valid_ && from == last_from_) return last_to_;
    const auto [at, inserted] = next_.try_emplace(from, kEmptyLabelSet);
    if (inserted) at->second = change_(sets_, from);
    last_from_ = from;
    last_to_ = at->second;
    valid_ = true;
    return last_to_;
  }

 private:
  LabelSets& sets_;
  const std::function<LabelSetId(LabelSets&, LabelSetId)> change_;
  uint64_t epoch_;
  std::unordered_map<LabelSetId, LabelSetId> next_;
  LabelSetId last_from_ = 0;
  LabelSetId last_to_ = 0;
  bool valid_ = false;
};

}  // namespace agent
