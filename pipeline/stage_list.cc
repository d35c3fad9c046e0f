#include "pipeline/stage_list.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/config/spelling.h"
#include "pipeline/registry.h"

namespace agent {
namespace {

const StageEntry* FindStage(std::string_view name) {
  const auto all = AllStages();
  const auto at = std::lower_bound(
      all.begin(), all.end(), name,
      [](const StageEntry& entry, std::string_view wanted) { return entry.name < wanted; });
  return at != all.end() && at->name == name ? &*at : nullptr;
}

void ReportUnknown(const ConfigNode& key, const std::string& path, Problems& problems) {
  std::vector<std::string> names;
  for (const StageEntry& entry : AllStages())
    names.emplace_back(entry.name);
  const std::string near = NearestSpelling(key.text(), names);
  problems.Error(key.place(), path, "unknown stage '" + key.text() + "'",
                 near.empty() ? "" : "did you mean '" + near + "'?");
}

// Of a list item: the stage's name and body; null after a problem.
const ConfigNode::Pair* OnlyPair(const ConfigNode& item, const std::string& path,
                                 Problems& problems) {
  if (!item.is_map()) {
    problems.Error(item.place(), path,
                   "expected a stage: a map with the stage's name as its key, got " +
                       std::string(item.KindName()),
                   item.is_scalar() ? "write '" + item.text() + ": {}'" : "");
    return nullptr;
  }
  if (item.pairs().empty()) {  // Promtail takes it for no stage at all.
    problems.Warning(item.place(), path, "a stage without a name does nothing", "remove it");
    return nullptr;
  }
  if (item.pairs().size() > 1) {
    problems.Error(item.pairs()[1].first.place(), path,
                   "a pipeline stage must have exactly one key, its name",
                   "begin each stage with '- '");
    return nullptr;
  }
  return &item.pairs()[0];
}

}  // namespace

std::vector<NamedStage> BuildStages(const ConfigNode& stages, const std::string& path,
                                    const StageContext& context) {
  std::vector<NamedStage> built;
  if (stages.is_null()) return built;
  if (!stages.is_sequence()) {
    context.problems.Error(stages.place(), path,
                           "expected a list of stages, got " + std::string(stages.KindName()));
    return built;
  }
  for (std::size_t i = 0; i < stages.items().size(); ++i) {
    const std::string item_path = path + "[" + std::to_string(i) + "]";
    const ConfigNode::Pair* pair = OnlyPair(stages.items()[i], item_path, context.problems);
    if (pair == nullptr) continue;
    const StageEntry* entry = FindStage(pair->first.text());
    if (entry == nullptr) {
      ReportUnknown(pair->first, item_path, context.problems);
      continue;
    }
    StageContext own = context;
    const std::string& name = pair->first.text();
    own.name = name;
    own.path = item_path + "." + name;
    own.index = (context.index.empty() ? "" : context.index + ".") + std::to_string(i);
    own.place =
        (context.place.empty() ? "" : context.place + " > ") + std::to_string(i) + "." + name;
    auto stage = entry->make(pair->second, own);
    if (stage != nullptr) built.push_back({{name, own.place, own.path}, std::move(stage)});
  }
  return built;
}

}  // namespace agent
