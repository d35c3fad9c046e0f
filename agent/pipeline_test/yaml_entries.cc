#include "agent/pipeline_test/yaml_entries.h"

#include "base/config/scalars.h"
#include "base/labels.h"
#include "pipeline/time/rfc3339.h"

namespace agent {
namespace {

constexpr std::size_t kMaxColumns = 100;

// Plain where YAML reads it as this text.
std::string YamlKey(const std::string& name) {
  const bool plain = IsValidLabelName(name) && !ParseYamlBool(name) && name != "null" &&
                     name != "Null" && name != "NULL";
  return plain ? name : YamlQuoted(name);
}

// In one row where it fits.
void AppendMap(const std::string& key, const YamlValues& values, std::size_t indent,
               std::vector<std::string>& rows) {
  const std::string margin(indent, ' ');
  std::string row = margin + key + ": {";
  for (const auto& [name, value] : values) {
    if (row.back() != '{') row += ", ";
    row += YamlKey(name) + ": " + value;
  }
  row += "}";
  if (row.size() <= kMaxColumns || values.empty()) {
    rows.push_back(std::move(row));
    return;
  }
  rows.push_back(margin + key + ":");
  for (const auto& [name, value] : values)
    rows.push_back(margin + "  " + YamlKey(name) + ": " + value);
}

}  // namespace

std::vector<std::string> EntryRows(const TestEntry& entry, int64_t start_ns, bool with_extracted,
                                   std::size_t indent) {
  const std::string margin(indent, ' ');
  std::vector<std::string> rows = {margin + "- line: " + YamlText(entry.line)};
  if (entry.timestamp_ns != start_ns) {
    rows.push_back(margin + "  timestamp: \"" + FormatRfc3339(entry.timestamp_ns) + "\"");
  }
  AppendMap("labels", entry.labels, indent + 2, rows);
  if (!entry.structured_metadata.empty()) {
    AppendMap("structured_metadata", entry.structured_metadata, indent + 2, rows);
  }
  if (with_extracted) AppendMap("extracted", entry.extracted, indent + 2, rows);
  return rows;
}

std::string MetricRow(std::string_view name, std::string_view value, std::size_t indent) {
  std::string row(indent, ' ');
  return row + YamlText(name) + ": " + std::string(value);
}

}  // namespace agent
