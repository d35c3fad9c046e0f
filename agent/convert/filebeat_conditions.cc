// `when` of a processor: as a condition of a template, and in simpler forms where there are some.

#include <algorithm>
#include <array>

#include "agent/convert/filebeat_job.h"
#include "base/config/scalars.h"

namespace agent::convert {
namespace {

using enum FindingKind;

constexpr int kMaxDepth = 20;
constexpr std::string_view kDropped = "drop_event";

// As a text in a template, empty where there is none.
std::string InTemplate(const FieldValue& value) {
  if (value.constant) return GoQuoted(*value.constant);
  if (value.is_line) return ".Entry";
  return "(default \"\" (index . " + GoQuoted(value.extracted) + "))";
}

class ConditionReader {
 public:
  ConditionReader(Beat& beat, Job& job) : beat_(beat), job_(job) {}

  // All conditions of a map have to hold.
  std::optional<std::string> Read(const BeatNode& condition, int depth) {
    std::vector<std::string> parts;
    for (const BeatNode& node : condition.below()) {
      auto part = ReadOne(node, depth);
      if (!part) return std::nullopt;
      parts.push_back(std::move(*part));
    }
    if (parts.empty()) return std::nullopt;
    return Joined("and", parts);
  }

 private:
  using Make = std::string (*)(const std::string& value, const std::string& text);
  struct Operator {
    std::string_view name;
    Make make;
  };
  static constexpr std::array<Operator, 3> kOperators = {{
      {"equals", [](const std::string& value,
                    const std::string& text) { return "(eq " + value + ' ' + text + ')'; }},
      {"contains", [](const std::string& value,
                      const std::string& text) { return "(contains " + text + ' ' + value + ')'; }},
      {"regexp", [](const std::string& value,
                    const std::string& text) { return "(regexMatch " + text + ' ' + value + ')'; }},
  }};

  static std::string Joined(const std::string& word, const std::vector<std::string>& parts) {
    if (parts.size() == 1) return parts.front();
    std::string joined = '(' + word;
    for (const std::string& part : parts)
      joined += ' ' + part;
    return joined + ')';
  }

  std::optional<std::string> ReadOne(const BeatNode& node, int depth) {
    if (depth > kMaxDepth) return std::nullopt;
    const auto* const known = std::ranges::find(kOperators, node.name(), &Operator::name);
    if (known != kOperators.end()) return Compare(node, known->make);
    if (node.name() == "range") return Range(node);
    if (node.name() == "has_fields") return HasFields(node);
    if (node.name() == "not") {
      const auto inner = Read(node, depth + 1);
      return inner ? std::optional("(not " + *inner + ')') : std::nullopt;
    }
    if (node.name() == "or" || node.name() == "and") return Several(node, depth);
    node.UseAll();
    beat_.Say(kNoEquivalent, node, "a condition that is not known here");
    return std::nullopt;
  }

  std::optional<std::string> Several(const BeatNode& node, int depth) {
    std::vector<std::string> parts;
    for (const BeatNode& item : node.items()) {
      auto part = Read(item, depth + 1);
      if (!part) return std::nullopt;
      parts.push_back(std::move(*part));
    }
    if (parts.empty()) return std::nullopt;
    return Joined(node.name(), parts);
  }

  std::optional<std::string> Value(const BeatNode& leaf, const std::string& field) {
    const auto value = ExtractField(job_, field);
    if (value) return InTemplate(*value);
    beat_.Say(kNoEquivalent, leaf, "nothing here has the field " + field);
    return std::nullopt;
  }

  std::optional<std::string> Compare(const BeatNode& node, Make make) {
    std::vector<std::string> parts;
    bool known = true;
    node.ForEachLeaf([&](const std::string& field, const BeatNode& leaf) {
      leaf.UseAll();
      const auto value = Value(leaf, field);
      known = known && value;
      if (!value) return;
      std::vector<std::string> texts;
      // A list of texts: one of them.
      for (const BeatNode& item : leaf.items())
        texts.push_back(make(*value, GoQuoted(item.text())));
      if (leaf.is_scalar()) texts.push_back(make(*value, GoQuoted(leaf.text())));
      if (!texts.empty()) parts.push_back(Joined("or", texts));
    });
    if (!known || parts.empty()) return std::nullopt;
    return Joined("and", parts);
  }

  // http.code: {gte: 400, lt: 500}, also as http.code.gte: 400.
  std::optional<std::string> Range(const BeatNode& node) {
    std::vector<std::string> parts;
    bool known = true;
    node.ForEachLeaf([&](const std::string& path, const BeatNode& leaf) {
      leaf.UseAll();
      const std::size_t dot = path.rfind('.');
      const std::string op = dot == std::string::npos ? "" : path.substr(dot + 1);
      const std::string go = op == "gte" ? "ge" : op == "lte" ? "le" : op;
      const auto number = ParseYamlFloat(leaf.text());
      if (!number || (go != "ge" && go != "le" && go != "gt" && go != "lt")) {
        known = false;
        return beat_.Say(kNoEquivalent, leaf, "expected gte, gt, lte or lt and a number");
      }
      const auto value = Value(leaf, path.substr(0, dot));
      known = known && value;
      if (!value) return;
      parts.push_back("(ne " + *value + " \"\")");
      parts.push_back('(' + go + " (float64 " + *value + ") (float64 " + GoQuoted(leaf.text()) +
                      "))");
    });
    if (!known || parts.empty()) return std::nullopt;
    return Joined("and", parts);
  }

  std::optional<std::string> HasFields(const BeatNode& node) {
    node.UseAll();
    std::vector<std::string> parts;
    for (const BeatNode& item : node.items()) {
      const auto value = Value(item, item.text());
      if (!value) return std::nullopt;
      parts.push_back("(ne " + *value + " \"\")");
    }
    if (parts.empty()) return std::nullopt;
    return Joined("and", parts);
  }

  Beat& beat_;
  Job& job_;
};

struct Simple {
  std::string source;  // Empty: the line.
  std::string text;
  bool is_expression = false;
};

// One comparison of one field that `drop` knows itself.
std::optional<Simple> SimpleDrop(const BeatNode& condition, Job& job) {
  if (condition.below().size() != 1) return std::nullopt;
  const BeatNode& node = condition.below().front();
  const std::string& op = node.name();
  if (op != "equals" && op != "contains" && op != "regexp") return std::nullopt;
  std::vector<std::pair<std::string, const BeatNode*>> leaves;
  node.ForEachLeaf([&leaves](const std::string& field, const BeatNode& leaf) {
    leaves.emplace_back(field, &leaf);
  });
  if (leaves.size() != 1 || !leaves.front().second->is_scalar()) return std::nullopt;
  const auto value = ExtractField(job, leaves.front().first);
  if (!value || value->constant) return std::nullopt;
  const std::string& text = leaves.front().second->text();
  if (op == "equals" && value->is_line) {
    return Simple{"", '^' + QuoteExpression(text) + '$', true};
  }
  condition.UseAll();
  if (op == "equals") return Simple{value->extracted, text, false};
  const std::string expression = op == "contains" ? QuoteExpression(text) : text;
  return Simple{value->extracted, expression, true};
}

void AddDrop(Job& job, const Simple& simple) {
  YamlOut body;
  if (!simple.source.empty()) body.Put("source", YamlOut::Text(simple.source));
  body.Put(simple.is_expression ? "expression" : "value", YamlOut::Text(simple.text));
  body.Put("drop_counter_reason", YamlOut::Text(kDropped));
  job.AddStage("drop", std::move(body));
}

// What is dropped when one of several holds.
bool DropAnyOf(const BeatNode& condition, Job& job) {
  const bool is_or = condition.below().size() == 1 && condition.below().front().name() == "or";
  if (!is_or) return false;
  std::vector<Simple> all;
  for (const BeatNode& item : condition.below().front().items()) {
    const auto simple = SimpleDrop(item, job);
    if (!simple) return false;
    all.push_back(*simple);
  }
  condition.UseAll();
  for (const Simple& simple : all)
    AddDrop(job, simple);
  return !all.empty();
}

}  // namespace

std::optional<std::string> TemplateCondition(Beat& beat, const BeatNode& condition, Job& job) {
  return ConditionReader(beat, job).Read(condition, 0);
}

void ConvertDropEvent(Beat& beat, const BeatNode& condition, Job& job) {
  if (const auto simple = SimpleDrop(condition, job)) {
    condition.UseAll();
    return AddDrop(job, *simple);
  }
  if (DropAnyOf(condition, job)) return;
  const auto text = TemplateCondition(beat, condition, job);
  if (!text) {
    condition.UseAll();
    return beat.Say(kNoEquivalent, condition, "the events that it drops are shipped");
  }
  job.AddStage("template",
               YamlOut::Map({{"source", YamlOut::Text(kDropped)},
                             {"template", YamlOut::Text("{{ if " + *text + " }}yes{{ end }}")}}));
  AddDrop(job, {std::string(kDropped), "yes", false});
}

}  // namespace agent::convert
