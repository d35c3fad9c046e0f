// `relabel_configs`: rules, and what each action needs and forbids.

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/sections.h"
#include "base/config/spelling.h"
#include "base/regex/go_regex.h"

namespace agent {
namespace {

using enum RelabelAction;

struct ActionName {
  std::string_view name;
  RelabelAction action;
};
constexpr std::array kActions = std::to_array<ActionName>({
    {"replace", kReplace},
    {"keep", kKeep},
    {"drop", kDrop},
    {"keepequal", kKeepEqual},
    {"dropequal", kDropEqual},
    {"hashmod", kHashMod},
    {"labelmap", kLabelMap},
    {"labeldrop", kLabelDrop},
    {"labelkeep", kLabelKeep},
    {"lowercase", kLowercase},
    {"uppercase", kUppercase},
});

bool IsWordByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Whether "$1", "${1}", "$name" stands in `text`.
bool HasGroup(std::string_view text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] != '$') continue;
    if (IsWordByte(text[i + 1])) return true;
    const std::size_t end = text.find('}', i);
    if (text[i + 1] == '{' && end != std::string_view::npos && end > i + 2) return true;
  }
  return false;
}

// A label name in which groups may stand for parts, as labelmap's replacement must be.
bool IsNameTemplate(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$') {
      plain += text[i];
      continue;
    }
    std::size_t end = i + 1;
    const bool braced = end < text.size() && text[end] == '{';
    if (braced) ++end;
    const std::size_t begin = end;
    while (end < text.size() && IsWordByte(text[end]))
      ++end;
    if (end == begin || (braced && (end == text.size() || text[end] != '}'))) return false;
    plain += 'x';
    i = braced ? end : end - 1;
  }
  return IsValidLabelName(plain);
}

RelabelAction ReadAction(FieldReader& fields) {
  std::string name = fields.String("action", "replace");
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  std::vector<std::string> names;
  for (const ActionName& known : kActions) {
    if (known.name == name) return known.action;
    names.emplace_back(known.name);
  }
  const std::string nearest = NearestSpelling(name, names);
  fields.Error("action", "unknown relabel action \"" + fields.Node("action")->text() + "\"",
               nearest.empty() ? "" : "did you mean '" + nearest + "'?");
  return kReplace;
}

std::string_view NameOf(RelabelAction action) {
  for (const ActionName& known : kActions) {
    if (known.action == action) return known.name;
  }
  return "";
}

void CheckRegex(FieldReader& fields, const RelabelRule& rule) {
  RegexProblem problem;
  const auto regex = GoRegex::Compile(rule.regex, RegexScope::kWholeText, &problem);
  const ConfigNode* value = fields.Node("regex");
  if (!regex.ok() && value != nullptr) ReportRegexProblem(fields, "regex", *value, problem);
}

void CheckTarget(FieldReader& fields, const RelabelRule& rule) {
  const std::string action(NameOf(rule.action));
  switch (rule.action) {
    case kReplace:
    case kHashMod:
    case kLowercase:
    case kUppercase:
    case kKeepEqual:
    case kDropEqual:
      break;
    case kLabelMap:
      if (!IsNameTemplate(rule.replacement)) {
        fields.Error("replacement", "'" + rule.replacement + "' makes no label name for labelmap");
      }
      return;
    default:
      return;
  }
  if (rule.target_label.empty()) {
    fields.MapError("action " + action + " requires target_label");
    return;
  }
  const bool has_group = rule.action == kReplace && HasGroup(rule.target_label);
  if (!has_group && !IsValidLabelName(rule.target_label)) {
    fields.Error("target_label",
                 "'" + rule.target_label + "' is not a valid label name for action " + action,
                 "letters, digits and '_' only, and no digit first");
  }
}

void Forbid(FieldReader& fields, const RelabelRule& rule, std::string_view key, bool given) {
  if (!given) return;
  fields.Error(key,
               std::string(key) + " has no meaning for action " + std::string(NameOf(rule.action)),
               "leave it out");
}

void CheckForbidden(FieldReader& fields, const RelabelRule& rule) {
  const RelabelRule defaults;
  const auto forbid = [&](std::string_view key, bool given) { Forbid(fields, rule, key, given); };
  switch (rule.action) {
    case kKeepEqual:
    case kDropEqual:
      forbid("regex", rule.regex != defaults.regex);
      forbid("separator", rule.separator != defaults.separator);
      forbid("replacement", rule.replacement != defaults.replacement);
      forbid("modulus", rule.modulus != defaults.modulus);
      break;
    case kLabelDrop:
    case kLabelKeep:
      forbid("source_labels", !rule.source_labels.empty());
      forbid("target_label", !rule.target_label.empty());
      forbid("separator", rule.separator != defaults.separator);
      forbid("replacement", rule.replacement != defaults.replacement);
      forbid("modulus", rule.modulus != defaults.modulus);
      break;
    case kLowercase:
    case kUppercase:
      forbid("replacement", rule.replacement != defaults.replacement);
      break;
    case kHashMod:
      if (rule.modulus == 0) fields.MapError("action hashmod requires modulus above 0");
      break;
    default:
      break;
  }
}

// `$1x` is the group called "1x", which is never there.
void CheckReplacement(FieldReader& fields, const RelabelRule& rule) {
  const std::string& text = rule.replacement;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] != '$' || text[i + 1] < '0' || text[i + 1] > '9') continue;
    std::size_t digits = i + 1;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9')
      ++digits;
    std::size_t end = digits;
    while (end < text.size() && IsWordByte(text[end]))
      ++end;
    if (end == digits) continue;
    const std::string group = text.substr(i + 1, digits - i - 1);
    fields.Warning("replacement",
                   "'" + text.substr(i, end - i) + "' means a group called '" +
                       text.substr(i + 1, end - i - 1) + "' and is always empty",
                   "write ${" + group + "}" + text.substr(digits, end - digits));
  }
}

RelabelRule ReadRule(const ConfigNode& node, const std::string& path, Problems& problems) {
  FieldReader fields(node, path, problems);
  RelabelRule rule;
  rule.source_labels = fields.StringList("source_labels");
  for (const std::string& name : rule.source_labels) {
    if (!IsValidLabelName(name)) {
      fields.Error("source_labels", "'" + name + "' is not a valid label name");
    }
  }
  rule.separator = fields.String("separator", rule.separator);
  rule.regex = fields.String("regex", rule.regex);
  rule.target_label = fields.String("target_label");
  rule.replacement = fields.String("replacement", rule.replacement);
  rule.modulus =
      static_cast<uint64_t>(fields.Int("modulus", 0, 0, std::numeric_limits<int64_t>::max()));
  rule.action = ReadAction(fields);
  CheckRegex(fields, rule);
  CheckTarget(fields, rule);
  CheckForbidden(fields, rule);
  CheckReplacement(fields, rule);
  fields.Finish();
  return rule;
}

}  // namespace

std::vector<RelabelRule> ReadRelabelRules(FieldReader& fields) {
  std::vector<RelabelRule> rules;
  fields.List("relabel_configs", [&](const ConfigNode& item, const std::string& path) {
    if (item.is_null()) {
      fields.problems().Error(item.place(), path, "empty or null relabeling rule");
      return;
    }
    rules.push_back(ReadRule(item, path, fields.problems()));
  });
  return rules;
}

}  // namespace agent
