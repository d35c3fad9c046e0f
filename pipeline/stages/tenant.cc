// `tenant` says which tenant the entry belongs to: the label __tenant_id__, which an output turns
// into its tenant header. Exactly one of:
//
//   - tenant: { label: namespace }    # From a label.
//   - tenant: { source: org }         # From an extracted value.
//   - tenant: { value: team-a }       # Fixed.
//
// A value that is missing or empty leaves things as they are.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/stages/label_rule_stage.h"
#include "pipeline/stages/stages.h"

namespace agent {
namespace {

constexpr std::string_view kTenantLabel = "__tenant_id__";

class TenantFromSource final : public Stage {
 public:
  TenantFromSource(Slot source, LabelSets& sets)
      : source_(source), transition_(sets, {std::string(kTenantLabel)}) {}

  void Process(Block& block) override {
    for (const EntryIndex entry : block.live()) {
      const std::optional<std::string_view> tenant = block.ExtractedText(entry, source_);
      if (!tenant || tenant->empty()) continue;
      const std::string_view values[] = {*tenant};
      block.SetLabels(entry, transition_.Apply(block.LabelsOf(entry), values));
    }
  }

 private:
  const Slot source_;
  LabelTransition transition_;
};

std::unique_ptr<Stage> FromRule(LabelSets& sets,
                                std::function<LabelSetId(LabelSets&, LabelSetId)> rule) {
  return std::make_unique<LabelRuleStage>(sets, std::move(rule));
}

}  // namespace

std::unique_ptr<Stage> MakeTenantStage(const ConfigNode& node, StageContext& context) {
  StageFields fields(node, context);
  const std::string label = fields.String("label");
  const std::string source = fields.String("source");
  const std::string value = fields.String("value");
  const int given = (label.empty() ? 0 : 1) + (source.empty() ? 0 : 1) + (value.empty() ? 0 : 1);
  if (given == 0) fields.MapError("label, source or value config are required");
  if (given > 1)
    fields.MapError("label, source and value are mutually exclusive", "keep one of them");
  if (!fields.Finish()) return nullptr;

  if (!source.empty()) {
    return std::make_unique<TenantFromSource>(context.slots.Read(source), context.label_sets);
  }
  if (!value.empty()) {
    return FromRule(context.label_sets, [value](LabelSets& sets, LabelSetId id) {
      return sets.With(id, kTenantLabel, value);
    });
  }
  return FromRule(context.label_sets, [label](LabelSets& sets, LabelSetId id) {
    const std::string tenant(sets.Get(id).Value(label));
    return tenant.empty() ? id : sets.With(id, kTenantLabel, tenant);
  });
}

}  // namespace agent
