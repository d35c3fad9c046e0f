#include "discovery/target_groups_text.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include <simdjson.h>

#include "base/config/field_reader.h"
#include "base/config/problems.h"
#include "base/config/yaml.h"

namespace agent {
namespace {

constexpr std::string_view kWanted = "expected a list of {targets, labels}";

bool IsJsonPath(const std::string& path) {
  std::string_view end = path;
  end.remove_prefix(end.size() - std::min<std::size_t>(end.size(), 5));
  return end == ".json" || end == ".JSON";
}

std::string WrongName(std::string_view name) {
  return "'" + std::string(name) + "' is not a label name";
}

// --- YAML.

Labels ReadYamlLabels(FieldReader& fields) {
  Labels labels;
  for (const auto& [name, value] : fields.StringMap("labels", /*null_as_empty=*/true)) {
    if (!IsValidLabelName(name)) fields.Error("labels", WrongName(name));
    labels.Set(name, value);
  }
  return labels;
}

Result<std::vector<TargetGroupText>> ParseYaml(const std::string& path, std::string_view text) {
  Problems problems(path, text);
  const ConfigNode root = LoadYaml(text, problems);
  std::vector<TargetGroupText> groups;
  if (!root.is_null() && !root.is_sequence()) {
    problems.Error(root.place(), "", std::string(kWanted) + ", got " + std::string(root.KindName()),
                   root.is_map() ? "put '- ' before its first key" : "");
  }
  for (std::size_t i = 0; i < root.items().size() && !problems.has_errors(); ++i) {
    const ConfigNode& item = root.items()[i];
    const std::string where = "[" + std::to_string(i) + "]";
    if (item.is_null()) problems.Error(item.place(), where, "nil target group item found");
    FieldReader fields(item, where, problems);
    TargetGroupText group;
    group.addresses = fields.StringList("targets");
    group.labels = ReadYamlLabels(fields);
    fields.Finish();
    groups.push_back(std::move(group));
  }
  for (const Problem& problem : problems.all()) {
    if (problem.severity == Severity::kError) {
      return Error{ErrorCode::kInvalid, problems.FormatLine(problem)};
    }
  }
  return groups;
}

// --- JSON. The parser's texts live as long as the parser: all are copied.

class JsonGroups {
 public:
  explicit JsonGroups(const std::string& path) : path_(path) {}

  Result<std::vector<TargetGroupText>> Parse(std::string_view text) {
    simdjson::dom::parser parser;
    const simdjson::padded_string padded(text);
    simdjson::dom::element root;
    if (const auto error = parser.parse(padded).get(root)) {
      return Wrong("", simdjson::error_message(error));
    }
    std::vector<TargetGroupText> groups;
    if (root.is_null()) return groups;
    simdjson::dom::array items;
    if (root.get(items) != simdjson::SUCCESS) return Wrong("", std::string(kWanted));
    for (const simdjson::dom::element item : items) {
      TargetGroupText group;
      Status read = ReadGroup(item, "[" + std::to_string(groups.size()) + "]", group);
      if (!read) return std::move(read).error();
      groups.push_back(std::move(group));
    }
    return groups;
  }

 private:
  [[nodiscard]] Error Wrong(const std::string& where, const std::string& message) const {
    return {ErrorCode::kInvalid, path_ + ": " + where + (where.empty() ? "" : ": ") + message};
  }

  Status ReadGroup(const simdjson::dom::element& item, const std::string& where,
                   TargetGroupText& group) const {
    simdjson::dom::object fields;
    if (item.is_null()) return Wrong(where, "nil target group item found");
    if (item.get(fields) != simdjson::SUCCESS) return Wrong(where, "expected {targets, labels}");
    for (const simdjson::dom::key_value_pair field : fields) {
      Status read;
      if (field.key == "targets") {
        read = ReadAddresses(field.value, where + ".targets", group.addresses);
      } else if (field.key == "labels") {
        read = ReadLabels(field.value, where + ".labels", group.labels);
      } else {
        return Wrong(
            where, "unknown key '" + std::string(field.key) + "'; known keys: 'targets', 'labels'");
      }
      if (!read) return read;
    }
    return {};
  }

  Status ReadAddresses(const simdjson::dom::element& value, const std::string& where,
                       std::vector<std::string>& addresses) const {
    addresses.clear();
    if (value.is_null()) return {};
    simdjson::dom::array items;
    if (value.get(items) != simdjson::SUCCESS) return Wrong(where, "expected a list of strings");
    for (const simdjson::dom::element item : items) {
      std::string_view text;
      if (item.get(text) != simdjson::SUCCESS) {
        return Wrong(where + "[" + std::to_string(addresses.size()) + "]", "expected a string");
      }
      addresses.emplace_back(text);
    }
    return {};
  }

  Status ReadLabels(const simdjson::dom::element& value, const std::string& where,
                    Labels& labels) const {
    if (value.is_null()) return {};
    simdjson::dom::object fields;
    if (value.get(fields) != simdjson::SUCCESS) {
      return Wrong(where, "expected a map of names to strings");
    }
    for (const simdjson::dom::key_value_pair field : fields) {
      std::string_view text;
      if (!IsValidLabelName(field.key)) return Wrong(where, WrongName(field.key));
      if (field.value.get(text) != simdjson::SUCCESS) {
        return Wrong(where + "." + std::string(field.key), "expected a string");
      }
      labels.Set(field.key, text);
    }
    return {};
  }

  const std::string& path_;
};

}  // namespace

Result<std::vector<TargetGroupText>> ParseTargetGroups(const std::string& path,
                                                       std::string_view text) {
  return IsJsonPath(path) ? JsonGroups(path).Parse(text) : ParseYaml(path, text);
}

}  // namespace agent
