// `static_labels` sets labels to fixed values; null and empty ones are skipped.
//
//   - static_labels: { cluster: ams1, tier: gold }

#include <memory>
#include <string>

#include "base/utf8.h"
#include "pipeline/stages/label_rule_stage.h"
#include "pipeline/stages/stages.h"

namespace agent {
namespace {

Labels ReadLabels(const ConfigNode& node, StageContext& context) {
  Labels labels;
  if (node.is_null()) return labels;
  if (!node.is_map()) {
    context.problems.Error(node.place(), context.path,
                           "expected a map of labels, got " + std::string(node.KindName()));
    return labels;
  }
  for (const auto& [key, value] : node.pairs()) {
    if (!key.is_scalar() || key.IsBool() || key.IsNumber() || key.text().empty() ||
        !IsValidUtf8(key.text())) {
      context.problems.Error(key.place(), context.path,
                             "expected a label name, got " + std::string(key.KindName()),
                             key.is_scalar() ? "put '" + key.text() + "' in quotes" : "");
      continue;
    }
    if (!value.is_null() && (!value.is_scalar() || value.IsBool() || value.IsNumber())) {
      context.problems.Error(value.place(), context.path + "." + key.text(),
                             "expected a string, got " + std::string(value.KindName()),
                             value.is_scalar() ? "put '" + value.text() + "' in quotes" : "");
      continue;
    }
    if (!value.text().empty()) labels.Set(key.text(), value.text());
  }
  return labels;
}

}  // namespace

std::unique_ptr<Stage> MakeStaticLabelsStage(const ConfigNode& node, StageContext& context) {
  const std::size_t errors = context.problems.error_count();
  const Labels labels = ReadLabels(node, context);
  if (context.problems.error_count() > errors) return nullptr;
  return std::make_unique<LabelRuleStage>(context.label_sets,
                                          [labels](LabelSets& sets, LabelSetId id) {
                                            for (const Label& label : labels)
                                              id = sets.With(id, label.name, label.value);
                                            return id;
                                          });
}

}  // namespace agent
