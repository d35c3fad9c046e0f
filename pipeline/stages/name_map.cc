#include "pipeline/stages/name_map.h"

#include "base/labels.h"

namespace agent {

std::vector<NamedSource> ReadNameMap(const ConfigNode& node, StageContext& context) {
  std::vector<NamedSource> names;
  if (node.is_null()) return names;
  if (!node.is_map()) {
    context.problems.Error(node.place(), context.path,
                           "expected a map of names, got " + std::string(node.KindName()),
                           "write 'name:' for each, or 'name: extracted_key'");
    return names;
  }
  for (const auto& [key, value] : node.pairs()) {
    if (key.IsBool() || key.IsNumber()) {
      context.problems.Error(key.place(), context.path,
                             "expected a name, got " + std::string(key.KindName()),
                             "put '" + key.text() + "' in quotes");
      continue;
    }
    if (!IsValidLabelName(key.text())) {
      context.problems.Error(key.place(), context.path, "invalid label name: " + key.text(),
                             "letters, digits and '_' only, and no digit first");
      continue;
    }
    if (!value.is_null() && (!value.is_scalar() || value.IsBool() || value.IsNumber())) {
      context.problems.Error(
          value.place(), context.path + "." + key.text(),
          "expected the name of an extracted key, got " + std::string(value.KindName()),
          value.is_scalar() ? "put '" + value.text() + "' in quotes" : "");
      continue;
    }
    const std::string source = value.text().empty() ? key.text() : value.text();
    names.push_back({key.text(), source, context.slots.Read(source)});
  }
  return names;
}

std::vector<std::string> ReadNameList(const ConfigNode& node, const std::string& stage,
                                      StageContext& context) {
  std::vector<std::string> names;
  if (node.is_null() || (node.is_sequence() && node.items().empty())) {
    context.problems.Error(node.place(), context.path, stage + " stage config cannot be empty",
                           "give a list of label names");
    return names;
  }
  if (!node.is_sequence()) {
    context.problems.Error(node.place(), context.path,
                           "expected a list of label names, got " + std::string(node.KindName()),
                           node.is_scalar() ? "write [" + node.text() + "]" : "");
    return names;
  }
  for (const ConfigNode& item : node.items()) {
    if (!item.is_scalar() || item.IsBool() || item.IsNumber()) {
      context.problems.Error(item.place(), context.path,
                             "expected a label name, got " + std::string(item.KindName()));
      continue;
    }
    names.push_back(item.text());
  }
  return names;
}

}  // namespace agent
