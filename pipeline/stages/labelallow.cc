// `labelallow` removes every label that is not listed, `filename` and the tenant included.
//
//   - labelallow: [app, level]

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/stages/label_rule_stage.h"
#include "pipeline/stages/name_map.h"
#include "pipeline/stages/stages.h"

namespace agent {

std::unique_ptr<Stage> MakeLabelallowStage(const ConfigNode& node, StageContext& context) {
  const std::size_t errors = context.problems.error_count();
  const std::vector<std::string> names = ReadNameList(node, "labelallow", context);
  if (context.problems.error_count() > errors) return nullptr;
  return std::make_unique<LabelRuleStage>(
      context.label_sets, [names](LabelSets& sets, LabelSetId id) {
        Labels kept;
        for (const Label& label : sets.Get(id)) {
          if (std::find(names.begin(), names.end(), label.name) != names.end()) {
            kept.Set(label.name, label.value);
          }
        }
        return sets.Intern(kept);
      });
}

}  // namespace agent
