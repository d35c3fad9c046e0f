// A stage that changes labels by a fixed rule, whatever the line says: labeldrop, labelallow,
// static_labels.

#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "pipeline/stage.h"
#include "pipeline/stages/label_cache.h"

namespace agent {

class LabelRuleStage final : public Stage {
 public:
  LabelRuleStage(LabelSets& sets, std::function<LabelSetId(LabelSets&, LabelSetId)> rule)
      : cache_(sets, std::move(rule)) {}

  void Process(Block& block) override {
    for (const EntryIndex entry : block.live()) {
      block.SetLabels(entry, cache_.Apply(block.LabelsOf(entry)));
    }
  }

 private:
  LabelCache cache_;
};

}  // namespace agent
