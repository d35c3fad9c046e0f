#include "discovery/relabel.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <utility>

#include "base/regex/go_regex.h"
#include "discovery/letter_case.h"
#include "discovery/md5.h"

namespace agent {
namespace {

using enum RelabelAction;

const RelabelRule& DefaultRule() {
  static const RelabelRule kDefault;
  return kDefault;
}

bool HasReference(std::string_view text) {
  return text.find('$') != std::string_view::npos;
}

// A label name in which parts may be `$1`, `$name` or `${name}`.
bool IsNameTemplate(std::string_view text) {
  static const std::unique_ptr<GoRegex> kTemplate =
      GoRegex::Compile(R"((?:(?:[a-zA-Z_]|\$(?:\{\w+\}|\w+))+\w*)+)", RegexScope::kWholeText)
          .value();
  return kTemplate->Matches(text);
}

bool NeedsTarget(RelabelAction action) {
  return action == kReplace || action == kHashMod || action == kLowercase || action == kUppercase ||
         action == kKeepEqual || action == kDropEqual;
}

RelabelProblem Wrong(std::string_view field, std::string message, std::string hint = {}) {
  return {.field = field, .message = std::move(message), .hint = std::move(hint)};
}

std::string Action(const RelabelRule& rule) {
  return "action '" + std::string(RelabelActionName(rule.action)) + "'";
}

std::optional<RelabelProblem> CheckTarget(const RelabelRule& rule) {
  if (!NeedsTarget(rule.action)) return std::nullopt;
  if (rule.target_label.empty()) return Wrong("target_label", Action(rule) + " needs it");
  const bool references = rule.action == kReplace && HasReference(rule.target_label);
  const bool valid =
      references ? IsNameTemplate(rule.target_label) : IsValidLabelName(rule.target_label);
  if (valid) return std::nullopt;
  return Wrong("target_label", "'" + rule.target_label + "' is not a label name",
               "letters, digits and '_', not beginning with a digit");
}

// The first field that was set and must not be, out of those that the action has no use for.
std::optional<RelabelProblem> CheckUnused(const RelabelRule& rule) {
  const RelabelRule& plain = DefaultRule();
  const bool equal = rule.action == kKeepEqual || rule.action == kDropEqual;
  const bool names = rule.action == kLabelDrop || rule.action == kLabelKeep;
  const bool letters = rule.action == kLowercase || rule.action == kUppercase;
  struct Field {
    std::string_view name;
    bool forbidden;
    bool set;
  };
  const std::array<Field, 6> fields = {{
      {"source_labels", names, rule.source_labels != plain.source_labels},
      {"target_label", names, rule.target_label != plain.target_label},
      {"regex", equal, rule.regex != plain.regex},
      {"separator", equal || names, rule.separator != plain.separator},
      {"replacement", equal || names || letters, rule.replacement != plain.replacement},
      {"modulus", equal || names, rule.modulus != plain.modulus},
  }};
  for (const Field& field : fields) {
    if (field.forbidden && field.set) {
      return Wrong(field.name, Action(rule) + " has no use for it", "leave it out");
    }
  }
  return std::nullopt;
}

}  // namespace

std::string_view RelabelActionName(RelabelAction action) {
  switch (action) {
    case kReplace:
      return "replace";
    case kKeep:
      return "keep";
    case kDrop:
      return "drop";
    case kKeepEqual:
      return "keepequal";
    case kDropEqual:
      return "dropequal";
    case kHashMod:
      return "hashmod";
    case kLabelMap:
      return "labelmap";
    case kLabelDrop:
      return "labeldrop";
    case kLabelKeep:
      return "labelkeep";
    case kLowercase:
      return "lowercase";
    case kUppercase:
      break;
  }
  return "uppercase";
}

std::optional<RelabelProblem> CheckRelabelRule(const RelabelRule& rule) {
  RegexProblem regex_problem;
  if (!GoRegex::Compile(rule.regex, RegexScope::kWholeText, &regex_problem).ok()) {
    RelabelProblem problem =
        Wrong("regex", "could not compile regular expression: " + regex_problem.message,
              regex_problem.hint);
    problem.position = regex_problem.position;
    problem.length = regex_problem.length;
    return problem;
  }
  if (auto problem = CheckUnused(rule)) return problem;
  if (auto problem = CheckTarget(rule)) return problem;
  if (rule.action == kHashMod && rule.modulus == 0) {
    return Wrong("modulus", Action(rule) + " needs a modulus above 0");
  }
  if (rule.action == kLabelMap && !IsNameTemplate(rule.replacement)) {
    return Wrong("replacement", "'" + rule.replacement + "' does not give a label name");
  }
  return std::nullopt;
}

class Relabeling::Rule {
 public:
  explicit Rule(const RelabelRule& rule)
      : rule_(rule),
        regex_(GoRegex::Compile(rule.regex, RegexScope::kWholeText).value()),
        is_default_regex_(rule.regex == DefaultRule().regex),
        is_constant_(!HasReference(rule.target_label) && !HasReference(rule.replacement)) {}

  [[nodiscard]] RelabelAction action() const { return rule_.action; }

  // False: the target is dropped.
  bool Apply(Labels& labels) const {
    switch (rule_.action) {
      case kLabelMap:
        MapNames(labels);
        return true;
      case kLabelDrop:
      case kLabelKeep:
        RemoveNames(labels);
        return true;
      default:
        return ApplyToSource(SourceText(labels), labels);
    }
  }

 private:
  [[nodiscard]] std::string SourceText(const Labels& labels) const {
    std::string text;
    for (std::size_t i = 0; i < rule_.source_labels.size(); ++i) {
      if (i > 0) text += rule_.separator;
      text += labels.Value(rule_.source_labels[i]);
    }
    return text;
  }

  bool ApplyToSource(const std::string& text, Labels& labels) const {
    switch (rule_.action) {
      case kKeep:
        return regex_->Matches(text);
      case kDrop:
        return !regex_->Matches(text);
      case kKeepEqual:
        return labels.Value(rule_.target_label) == text;
      case kDropEqual:
        return labels.Value(rule_.target_label) != text;
      case kHashMod:
        SetOrRemove(labels, rule_.target_label, HashOf(text));
        return true;
      case kLowercase:
        SetOrRemove(labels, rule_.target_label, ToLowercase(text));
        return true;
      case kUppercase:
        SetOrRemove(labels, rule_.target_label, ToUppercase(text));
        return true;
      default:
        Replace(text, labels);
        return true;
    }
  }

  // An empty label is the same as none.
  static void SetOrRemove(Labels& labels, std::string_view name, std::string_view value) {
    if (value.empty()) {
      labels.Remove(name);
    } else {
      labels.Set(name, value);
    }
  }

  void Replace(const std::string& text, Labels& labels) const {
    if (is_constant_ && is_default_regex_) {
      SetOrRemove(labels, rule_.target_label, rule_.replacement);
      return;
    }
    std::vector<TextSpan> groups(regex_->group_count() + 1);
    if (!regex_->SearchBytes(text, groups)) return;
    const std::string target = Expand(rule_.target_label, text, groups);
    if (!IsValidLabelName(target)) return;
    SetOrRemove(labels, target, Expand(rule_.replacement, text, groups));
  }

  [[nodiscard]] std::string Expand(std::string_view replacement, std::string_view text,
                                   std::span<const TextSpan> groups) const {
    std::string out;
    regex_->Expand(replacement, text, groups, out);
    return out;
  }

  [[nodiscard]] std::string HashOf(std::string_view text) const {
    const std::array<uint8_t, 16> digest = Md5(text);
    uint64_t number = 0;
    for (std::size_t i = 8; i < digest.size(); ++i)
      number = (number << 8) | digest[i];
    return std::to_string(number % rule_.modulus);
  }

  void MapNames(Labels& labels) const {
    const Labels before = labels;
    std::vector<TextSpan> groups(regex_->group_count() + 1);
    for (const Label& label : before) {
      if (!regex_->SearchBytes(label.name, groups)) continue;
      SetOrRemove(labels, Expand(rule_.replacement, label.name, groups), label.value);
    }
  }

  void RemoveNames(Labels& labels) const {
    const Labels before = labels;
    for (const Label& label : before) {
      if (regex_->Matches(label.name) == (rule_.action == kLabelDrop)) labels.Remove(label.name);
    }
  }

  const RelabelRule rule_;
  const std::unique_ptr<GoRegex> regex_;
  const bool is_default_regex_;
  const bool is_constant_;
};

Relabeling::Relabeling() = default;
Relabeling::~Relabeling() = default;

Result<std::unique_ptr<Relabeling>> Relabeling::Compile(const std::vector<RelabelRule>& rules) {
  std::unique_ptr<Relabeling> relabeling(new Relabeling());
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (const auto problem = CheckRelabelRule(rules[i])) {
      return Error{ErrorCode::kInvalid, "relabel_configs[" + std::to_string(i) + "]." +
                                            std::string(problem->field) + ": " + problem->message};
    }
    relabeling->rules_.push_back(std::make_unique<Rule>(rules[i]));
  }
  return relabeling;
}

std::optional<std::size_t> Relabeling::Apply(Labels& labels) const {
  const auto is_empty = [](const Label& label) { return label.value.empty(); };
  if (std::any_of(labels.begin(), labels.end(), is_empty)) {
    const Labels before = labels;
    for (const Label& label : before) {
      if (is_empty(label)) labels.Remove(label.name);
    }
  }
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (!rules_[i]->Apply(labels)) return i;
  }
  return std::nullopt;
}

std::string Relabeling::Describe(std::size_t rule) const {
  CHECK(rule < rules_.size());
  return "relabel_configs[" + std::to_string(rule) + "] (action " +
         std::string(RelabelActionName(rules_[rule]->action())) + ")";
}

}  // namespace agent
