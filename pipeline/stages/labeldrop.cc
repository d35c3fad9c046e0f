// `labeldrop` removes labels; what was extracted stays.
//
//   - labeldrop: [filename, pod]

#include <memory>
#include <string>
#include <vector>

#include "pipeline/stages/label_rule_stage.h"
#include "pipeline/stages/name_map.h"
#include "pipeline/stages/stages.h"

namespace agent {

std::unique_ptr<Stage> MakeLabeldropStage(const ConfigNode& node, StageContext& context) {
  const std::size_t errors = context.problems.error_count();
  const std::vector<std::string> names = ReadNameList(node, "labeldrop", context);
  if (context.problems.error_count() > errors) return nullptr;
  return std::make_unique<LabelRuleStage>(context.label_sets,
                                          [names](LabelSets& sets, LabelSetId id) {
                                            for (const std::string& name : names)
                                              id = sets.Without(id, name);
                                            return id;
                                          });
}

}  // namespace agent
