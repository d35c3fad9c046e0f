#include "agent/convert/filebeat_job.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>

#include "base/config/scalars.h"

namespace agent::convert {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

// What documents call labels that are there under other names.
struct KnownField {
  std::string_view field;
  std::string_view label;
};
constexpr std::array kKnownFields = std::to_array<KnownField>({
    {"log.file.path", "filename"},
    {"source", "filename"},
    {"stream", "stream"},
    {"container.name", "container_name"},
    {"container.id", "container_id"},
    {"docker.container.name", "container_name"},
    {"kubernetes.namespace", "namespace"},
    {"kubernetes.pod.name", "pod"},
    {"kubernetes.container.name", "container"},
    {"kubernetes.node.name", "node_name"},
});

bool IsName(std::string_view text) {
  return !text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) == 0 &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
         });
}

// "a"."b-c" of a.b-c.
std::string JsonPath(std::string_view field) {
  std::string path;
  while (!field.empty()) {
    const std::size_t dot = std::min(field.find('.'), field.size());
    const std::string_view name = field.substr(0, dot);
    path += path.empty() ? "" : ".";
    path += IsName(name) ? std::string(name) : GoQuoted(name);
    field.remove_prefix(std::min(dot + 1, field.size()));
  }
  return path;
}

bool HasLabel(const Job& job, std::string_view label) {
  if (label == "filename") return job.source_key == "static_configs";
  return std::any_of(job.label_paths.begin(), job.label_paths.end(),
                     [label](const auto& pair) { return pair.first == label; });
}

}  // namespace

std::string UnusedJobName(const Beat& beat, const std::string& base) {
  std::string name = base;
  for (int number = 2; std::any_of(beat.jobs.begin(), beat.jobs.end(),
                                   [&name](const Job& job) { return job.name == name; });
       ++number) {
    name = base + '-' + std::to_string(number);
  }
  return name;
}

bool Job::Extracts(std::string_view field) const {
  return std::find(extracted.begin(), extracted.end(), field) != extracted.end();
}

std::string LabelName(std::string_view text) {
  std::string name(text);
  std::replace_if(
      name.begin(), name.end(),
      [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name.front())) != 0) {
    name.insert(0, 1, '_');
  }
  // Those that begin so are removed before the pipeline.
  if (name.starts_with("__")) name.insert(0, "field");
  return name;
}

std::string QuoteExpression(std::string_view text) {
  constexpr std::string_view kSpecial = R"(\.+*?()|[]{}^$)";
  std::string quoted;
  for (const char c : text) {
    if (kSpecial.find(c) != std::string_view::npos) quoted += '\\';
    quoted += c;
  }
  return quoted;
}

std::string GoQuoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool variable = c == kVariableBegin || c == kVariableEnd;
    if (c == '"' || c == '\\') {
      quoted += {'\\', c};
    } else if ((byte < ' ' && !variable) || byte == 0x7f) {
      quoted += {'\\', 'x', kHex[byte >> 4U], kHex[byte & 0xfU]};
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

Constant ToConstant(std::string path, const BeatNode& value) {
  value.Use();
  Constant constant{std::move(path), value.text(), ""};
  if (value.is_quoted()) return constant;
  if (ParseYamlInt(constant.text)) {
    constant.type = "int";
  } else if (ParseYamlFloat(constant.text)) {
    constant.type = "float";
  } else if (const auto boolean = ParseYamlBool(constant.text)) {
    constant.type = "bool";
    constant.text = *boolean ? "true" : "false";
  }
  return constant;
}

std::optional<FieldValue> ExtractField(Job& job, const std::string& field) {
  FieldValue value;
  for (const Constant& constant : job.constants) {
    if (constant.path != field) continue;
    value.constant = constant.text;
    return value;
  }
  // At the root the line's own `message` takes its place.
  const bool replaced = job.json_target && job.json_target->empty() && job.document.json &&
                        (job.document.json->overwrite || job.document.json->drop_line);
  if (field == "message" && !replaced) {
    value.is_line = true;
    return value;
  }
  if (job.Extracts(field)) {
    value.extracted = field;
    return value;
  }
  for (const KnownField& known : kKnownFields) {
    if (known.field != field || !HasLabel(job, known.label)) continue;
    value.extracted = known.label;
    return value;
  }
  if (!job.json_target) return std::nullopt;
  std::string_view member = field;
  if (!job.json_target->empty()) {
    if (!member.starts_with(*job.json_target + '.')) return std::nullopt;
    member.remove_prefix(job.json_target->size() + 1);
  }
  // One pass over the line for all that are wanted at one place.
  const bool again = !job.stages.empty() && job.stages.items().back().Has("json");
  if (!again) job.AddStage("json", YamlOut());
  job.stages.items().back()["json"]["expressions"].Put(field, YamlOut::Text(JsonPath(member)));
  job.extracted.push_back(field);
  value.extracted = field;
  if (field == "message") {
    // Of a line that is no JSON it is the line.
    job.AddStage("template",
                 YamlOut::Map({{"source", YamlOut::Text(field)},
                               {"template", YamlOut::Text("{{ default .Entry "
                                                          "(index . \"message\") }}")}}));
  }
  return value;
}

}  // namespace agent::convert
