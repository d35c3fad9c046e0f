#include "pipeline/stages/field_map.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "pipeline/field_name.h"

namespace agent {

std::string ReadFieldName(const ConfigNode& node, const std::string& path, StageContext& context) {
  if (!node.is_scalar() || node.IsBool() || node.IsNumber()) {
    context.problems.Error(
        node.place(), path,
        "expected the name of an extracted value, got " + std::string(node.KindName()),
        node.is_scalar() ? "put '" + node.text() + "' in quotes" : "");
    return {};
  }
  std::optional<std::string> name = ReadFieldName(node.text());
  if (name) return *std::move(name);
  context.problems.Error(node.place(), path,
                         "'" + node.text() + "' is no name of an extracted value",
                         "write name, a.b or \"[a][b]\"");
  return {};
}

std::vector<FieldEntry> ReadFieldMap(const ConfigNode& node, const std::string& example,
                                     StageContext& context) {
  std::vector<FieldEntry> entries;
  if (!node.is_map() || node.pairs().empty()) {
    const std::string got = node.is_map() ? "an empty one" : std::string(node.KindName());
    context.problems.Error(node.place(), context.path, "expected a map of names, got " + got,
                           "write " + example);
    return entries;
  }
  for (const auto& [key, value] : node.pairs()) {
    FieldEntry entry{ReadFieldName(key, context.path, context), &key, &value};
    if (entry.name.empty()) continue;
    if (std::ranges::find(entries, entry.name, &FieldEntry::name) != entries.end()) {
      context.problems.Error(key.place(), context.path, "'" + entry.name + "' stands here twice");
      continue;
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace agent
