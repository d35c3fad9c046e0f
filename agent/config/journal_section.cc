// `journal`: entries of the systemd journal.

#include <algorithm>
#include <cstddef>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/sections.h"

namespace agent {
namespace {

bool IsFieldName(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::vector<std::string> ReadMatches(FieldReader& fields) {
  std::vector<std::string> matches;
  std::istringstream text(fields.String("matches"));
  for (std::string match; text >> match;) {
    const std::size_t equals = match.find('=');
    if (equals == std::string::npos || match.find('=', equals + 1) != std::string::npos) {
      fields.Error("matches", "'" + match + "' is not of the form FIELD=value",
                   "fields are separated by spaces: _SYSTEMD_UNIT=ssh.service _TRANSPORT=stdout");
    } else if (!IsFieldName(match.substr(0, equals))) {
      fields.Error("matches",
                   "'" + match.substr(0, equals) + "' is not the name of a journal field",
                   "capitals, digits and '_' only, such as _SYSTEMD_UNIT or PRIORITY");
    }
    matches.push_back(std::move(match));
  }
  return matches;
}

}  // namespace

std::optional<JournalConfig> ReadJournal(FieldReader& fields) {
  const ConfigNode* const node = fields.Node("journal");
  if (node == nullptr || node->is_null()) return std::nullopt;
  FieldReader entry(*node, fields.PathOf("journal"), fields.problems());
  JournalConfig config;
  config.path = entry.String("path");
  config.max_age_given = !entry.String("max_age").empty();
  if (config.max_age_given) config.max_age = entry.Duration("max_age", config.max_age);
  config.json = entry.Bool("json", false);
  config.labels = ReadLabels(entry, "labels");
  config.matches = ReadMatches(entry);
  entry.Finish();
  return config;
}

}  // namespace agent
