// `rename` gives extracted values other names.
//
//   - rename: { loglevel: level, "[http][status]": status }
//
// All at once: `{ a: b, b: a }` swaps the two. A name whose value is absent changes nothing; what
// the new name had is lost. Labels stay as they are.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/stages/field_map.h"
#include "pipeline/stages/stages.h"

namespace agent {
namespace {

struct RenameRule {
  Slot from = 0;
  Slot to = 0;
};

class RenameStage final : public Stage {
 public:
  explicit RenameStage(std::vector<RenameRule> rules)
      : rules_(std::move(rules)), values_(rules_.size()) {}

  void Process(Block& block) override {
    for (const EntryIndex entry : block.live()) {
      for (std::size_t i = 0; i < rules_.size(); ++i)
        values_[i] = block.Extracted(entry, rules_[i].from);
      for (std::size_t i = 0; i < rules_.size(); ++i) {
        if (values_[i].present()) block.SetExtracted(entry, rules_[i].from, Value());
      }
      for (std::size_t i = 0; i < rules_.size(); ++i) {
        if (values_[i].present()) block.SetExtracted(entry, rules_[i].to, values_[i]);
      }
    }
  }

 private:
  const std::vector<RenameRule> rules_;
  std::vector<Value> values_;  // Of the present entry, by rule.
};

}  // namespace

std::unique_ptr<Stage> MakeRenameStage(const ConfigNode& node, StageContext& context) {
  const std::size_t errors = context.problems.error_count();
  std::vector<RenameRule> rules;
  for (const FieldEntry& entry : ReadFieldMap(node, "rename: { old: new }", context)) {
    const std::string path = context.path + "." + entry.name;
    const std::string name = ReadFieldName(*entry.value, path, context);
    if (name.empty()) continue;
    if (name == entry.name) {
      context.problems.Warning(entry.value->place(), path, "is renamed to itself");
      continue;
    }
    const Slot to = context.slots.Write(name);
    if (std::ranges::find(rules, to, &RenameRule::to) != rules.end()) {
      context.problems.Error(entry.value->place(), path, "two values get the name '" + name + "'");
      continue;
    }
    rules.push_back({context.slots.Read(entry.name), to});
  }
  if (context.problems.error_count() > errors) return nullptr;
  return std::make_unique<RenameStage>(std::move(rules));
}

}  // namespace agent
