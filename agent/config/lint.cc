#include "agent/config/lint.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/lint_text.h"

namespace agent {
namespace {

constexpr std::size_t kMaxShown = 100;  // Bytes of an expression in a hint.
constexpr int kMaxDepth = 20;           // Of `match` within `match`.

// Stages match their keys in any case.
const ConfigNode* FindField(const ConfigNode& body, std::string_view key) {
  for (const auto& [name, value] : body.pairs()) {
    const std::string& text = name.text();
    const bool same =
        std::equal(text.begin(), text.end(), key.begin(), key.end(), [](char a, char b) {
          return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
        });
    if (same) return &value;
  }
  return nullptr;
}

// In double quotes two backslashes in the file are one in the text; elsewhere all of them stay.
bool KeepsBackslashes(const ConfigNode& scalar) {
  const bool block = scalar.quoted() && scalar.place().length == 1;
  return !scalar.quoted() || scalar.single_quoted() || block;
}

// The place of a byte of a scalar, where that can be told.
Place PlaceInside(const ConfigNode& scalar, std::size_t position, std::size_t length) {
  Place place = scalar.place();
  const std::size_t quote = scalar.single_quoted() ? 1 : 0;
  const bool as_written = place.length == scalar.text().size() + 2 * quote;
  if (!as_written) return place;
  place.column += static_cast<uint32_t>(position + quote);
  place.length = static_cast<uint32_t>(length);
  return place;
}

void LintExpression(const ConfigNode* node, const std::string& path, std::size_t backslashes,
                    Problems& problems) {
  if (node == nullptr || !node->is_scalar() || !KeepsBackslashes(*node)) return;
  const DoubledBackslash doubled = FindDoubledBackslash(node->text(), backslashes);
  if (doubled.position == std::string::npos) return;
  const std::string letter(1, node->text()[doubled.position + backslashes]);
  const std::string one(backslashes / 2, '\\');
  std::string hint = "write " + one + letter + " with half of the backslashes";
  if (doubled.single.size() <= kMaxShown && doubled.single.find('\n') == std::string::npos) {
    hint = "did you mean '" + doubled.single + "'?";
  }
  problems.Warning(PlaceInside(*node, doubled.position, backslashes + 1), path,
                   "backslashes are doubled: this matches a backslash and the letter " + letter,
                   std::move(hint));
}

void LintReplace(const ConfigNode& body, const std::string& path, Problems& problems) {
  const ConfigNode* expression = FindField(body, "expression");
  const ConfigNode* replace = FindField(body, "replace");
  if (expression == nullptr || replace == nullptr || !expression->is_scalar() ||
      !replace->is_scalar()) {
    return;
  }
  const RepeatedText repeated = FindRepeatedText(expression->text(), replace->text());
  if (!repeated.found) return;
  problems.Warning(
      replace->place(), path + ".replace",
      "only the group is replaced, the text around it stays: this gives " + repeated.result,
      "did you mean replace: '" + repeated.replacement + "'?");
}

// Walks the stages of one job in order, for what a stage means depends on those before it.
class StageLinter {
 public:
  explicit StageLinter(Problems& problems) : problems_(problems) {}

  void Lint(const ConfigNode& stages, const std::string& path, int depth) {
    if (depth > kMaxDepth) return;
    for (std::size_t i = 0; i < stages.items().size(); ++i) {
      for (const auto& [name, body] : stages.items()[i].pairs()) {
        LintStage(name.text(), body, path + "[" + std::to_string(i) + "]." + name.text(), depth);
      }
    }
  }

 private:
  void LintStage(const std::string& name, const ConfigNode& body, const std::string& path,
                 int depth) {
    if (!body.is_map()) return;
    if (name == "regex" || name == "replace" || name == "drop") {
      const ConfigNode* expression = FindField(body, "expression");
      LintExpression(expression, path + ".expression", 2, problems_);
      if (name == "regex" && expression != nullptr) AddNumbers(expression->text());
      if (name == "replace") LintReplace(body, path, problems_);
    } else if (name == "dedup") {
      LintExpression(FindField(body, "ignore"), path + ".ignore", 2, problems_);
    } else if (name == "grok") {
      LintGrok(body, path);
    } else if (name == "multiline") {
      LintExpression(FindField(body, "firstline"), path + ".firstline", 2, problems_);
      LintExpression(FindField(body, "continuation"), path + ".continuation", 2, problems_);
    } else if (name == "match") {
      // A selector's strings have escapes of their own: there two backslashes are right.
      LintExpression(FindField(body, "selector"), path + ".selector", 4, problems_);
      const ConfigNode* stages = FindField(body, "stages");
      if (stages != nullptr) Lint(*stages, path + ".stages", depth + 1);
    } else if (name == "labels") {
      LintLabels(body, path);
    }
  }

  void LintGrok(const ConfigNode& body, const std::string& path) {
    LintExpression(FindField(body, "pattern"), path + ".pattern", 2, problems_);
    const ConfigNode* match = FindField(body, "match");
    LintExpression(match, path + ".match", 2, problems_);
    if (match == nullptr) return;
    for (std::size_t i = 0; i < match->items().size(); ++i) {
      LintExpression(&match->items()[i], path + ".match[" + std::to_string(i) + "]", 2, problems_);
    }
  }

  void AddNumbers(const std::string& expression) {
    for (std::string& name : NumericGroups(expression))
      numbers_.push_back(std::move(name));
  }

  void LintLabels(const ConfigNode& body, const std::string& path) {
    for (const auto& [label, value] : body.pairs()) {
      const bool renamed = value.is_scalar() && !value.text().empty();
      const std::string& source = renamed ? value.text() : label.text();
      const bool number = std::find(numbers_.begin(), numbers_.end(), source) != numbers_.end();
      if (!number && !IsUnboundedName(source) && !IsUnboundedName(label.text())) continue;
      problems_.Warning(label.place(), path,
                        "label '" + label.text() + "' " +
                            (number ? "is a number" : "has a new value with nearly every line") +
                            ": each value is a stream of its own",
                        "leave it in the line, or use structured_metadata");
    }
  }

  Problems& problems_;
  std::vector<std::string> numbers_;  // Extracted fields that are numbers.
};

std::string RoughDuration(double seconds) {
  const auto text = [](double amount, const char* unit) {
    const auto whole = static_cast<uint64_t>(std::max(1.0, amount + 0.5));
    return std::to_string(whole) + " " + unit + (whole == 1 ? "" : "s");
  };
  if (seconds < 90) return text(seconds, "second");
  if (seconds < 7200) return text(seconds / 60, "minute");
  return text(seconds / 3600, "hour");
}

// How long the delays of all attempts last.
double SecondsOfRetries(const BackoffConfig& backoff) {
  constexpr uint32_t kFew = 64;  // By then every delay is the longest one.
  const double longest = std::chrono::duration<double>(backoff.max_period).count();
  double delay = std::chrono::duration<double>(backoff.min_period).count();
  double sum = 0;
  for (uint32_t i = 0; i < std::min(backoff.max_retries, kFew); ++i) {
    sum += std::min(delay, longest);
    delay *= 2;
  }
  if (backoff.max_retries > kFew) sum += longest * (backoff.max_retries - kFew);
  return sum;
}

// `max_retries` of the client at this index, to point at; clients of flags have none.
const ConfigNode* FindRetries(const ConfigNode& root, std::size_t index) {
  const ConfigNode* clients = root.Find("clients");
  const std::size_t listed = clients == nullptr ? 0 : clients->items().size();
  const ConfigNode* client = index < listed ? &clients->items()[index] : nullptr;
  if (index == listed) client = root.Find("client");
  const ConfigNode* backoff = client == nullptr ? nullptr : client->Find("backoff_config");
  return backoff == nullptr ? nullptr : backoff->Find("max_retries");
}

void LintRetries(const ConfigNode& root, const Config& config, Problems& problems) {
  for (std::size_t i = 0; i < config.clients.size(); ++i) {
    const BackoffConfig& backoff = config.clients[i].backoff;
    if (!backoff.max_retries_given || backoff.max_retries == 0) continue;
    const ConfigNode* node = FindRetries(root, i);
    const std::string path = node == nullptr
                                 ? "-client.max-retries"
                                 : "clients[" + std::to_string(i) + "].backoff_config.max_retries";
    problems.Warning(node == nullptr ? Place{} : node->place(), path,
                     "after about " + RoughDuration(SecondsOfRetries(backoff)) +
                         " of outage each batch is moved to the dead letter",
                     "leave max_retries out, or 0, to wait for the receiver for ever");
  }
}

void LintRateLimit(const ConfigNode& root, const Config& config, Problems& problems) {
  const ConfigNode* limits = root.Find("limits_config");
  if (limits == nullptr || config.limits.readline_rate_enabled ||
      limits->Find("readline_rate_enabled") != nullptr) {
    return;
  }
  for (const std::string_view key : {"readline_rate", "readline_burst"}) {
    const ConfigNode* node = limits->Find(key);
    if (node == nullptr || node->is_null()) continue;
    problems.Warning(node->place(), "limits_config." + std::string(key),
                     "has no effect without readline_rate_enabled: true");
    return;
  }
}

bool IsNameByte(char c, bool first) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  return letter || (!first && c >= '0' && c <= '9');
}

// The length of the first "${NAME}" or "${NAME:…}" in `text`, and where it begins.
std::size_t FindVariable(std::string_view text, std::size_t& position) {
  for (position = text.find("${"); position != std::string_view::npos;
       position = text.find("${", position + 2)) {
    std::size_t at = position + 2;
    while (at < text.size() && IsNameByte(text[at], at == position + 2))
      ++at;
    const bool named = at > position + 2 && at < text.size();
    if (named && std::string_view("}:=#%/^,").find(text[at]) != std::string_view::npos) {
      const std::size_t close = text.find('}', at);
      if (close != std::string_view::npos) return close + 1 - position;
    }
  }
  return 0;
}

// Keys where "${name}" is a group, or part of an expression or template.
bool HasOwnDollars(std::string_view key) {
  static constexpr std::array<std::string_view, 8> kKeys = {
      "replacement", "regex",    "expression", "replace",
      "template",    "selector", "firstline",  "target_label"};
  return std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end();
}

const ConfigNode* FindUnexpanded(const ConfigNode& node) {
  std::size_t position = 0;
  if (node.is_scalar()) return FindVariable(node.text(), position) > 0 ? &node : nullptr;
  for (const ConfigNode& item : node.items()) {
    if (const ConfigNode* found = FindUnexpanded(item)) return found;
  }
  for (const auto& [key, value] : node.pairs()) {
    if (HasOwnDollars(key.text())) continue;
    if (const ConfigNode* found = FindUnexpanded(value)) return found;
  }
  return nullptr;
}

// Lines over a connection are acknowledged by nobody.
void LintBestEffort(const ConfigNode& root, const Config& config, Problems& problems) {
  const ConfigNode* outputs = root.Find("outputs");
  for (std::size_t i = 0; i < config.outputs.size(); ++i) {
    const OutputConfig& output = config.outputs[i];
    if (!output.logstash || output.logstash->protocol != "json_lines" || !output.required) continue;
    const bool answers =
        output.logstash->transport == "tcp" && output.logstash->ack_by_close_interval.count() > 0;
    if (answers) continue;
    const ConfigNode* item =
        outputs != nullptr && i < outputs->items().size() ? &outputs->items()[i] : nullptr;
    const ConfigNode* logstash = item == nullptr ? nullptr : item->Find("logstash");
    const ConfigNode* protocol = logstash == nullptr ? nullptr : logstash->Find("protocol");
    problems.Warning(
        protocol == nullptr ? Place{} : protocol->place(),
        "outputs[" + std::to_string(i) + "].logstash.protocol",
        "json_lines is best effort: Logstash acknowledges nothing, and what it has "
        "received and not processed is lost when it dies",
        "protocol: lumberjack has acknowledgements; required: false if a loss is fine");
  }
}

}  // namespace

void LintStages(const ConfigNode& stages, const std::string& path, Problems& problems) {
  StageLinter(problems).Lint(stages, path, 0);
}

void LintRelabelRules(const ConfigNode& rules, const std::string& path, Problems& problems) {
  for (std::size_t i = 0; i < rules.items().size(); ++i) {
    LintExpression(rules.items()[i].Find("regex"), path + "[" + std::to_string(i) + "].regex", 2,
                   problems);
  }
}

void LintSettings(const ConfigNode& root, const Config& config, Problems& problems) {
  LintRetries(root, config, problems);
  LintRateLimit(root, config, problems);
  LintBestEffort(root, config, problems);
}

void WarnOfUnexpanded(const ConfigNode& root, Problems& problems) {
  const ConfigNode* node = FindUnexpanded(root);
  if (node == nullptr) return;
  std::size_t position = 0;
  const std::size_t length = FindVariable(node->text(), position);
  problems.Warning(PlaceInside(*node, position, length), {},
                   "'" + node->text().substr(position, length) +
                       "' stays as it is: environment expansion is off",
                   "start with -config.expand-env=true to put the variable's value there");
}

}  // namespace agent
