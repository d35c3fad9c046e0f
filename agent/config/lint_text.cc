#include "agent/config/lint_text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace agent {
namespace {

bool IsWordByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

template <std::size_t kCount>
bool IsOneOf(std::string_view text, const std::array<std::string_view, kCount>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

// The end of the class that begins at `begin` with "[": behind its "]".
std::size_t EndOfSet(std::string_view expression, std::size_t begin) {
  std::size_t at = begin + 1;
  if (at < expression.size() && expression[at] == '^') ++at;
  if (at < expression.size() && expression[at] == ']') ++at;
  while (at < expression.size() && expression[at] != ']')
    at += expression[at] == '\\' ? 2U : 1U;
  return std::min(at + 1, expression.size());
}

// The end of the group that begins at `begin` with "(": behind its ")".
std::size_t EndOfGroup(std::string_view expression, std::size_t begin) {
  std::size_t at = begin;
  int depth = 0;
  while (at < expression.size()) {
    if (expression[at] == '[') {
      at = EndOfSet(expression, at);
      continue;
    }
    if (expression[at] == '\\') {
      ++at;
    } else if (expression[at] == '(') {
      ++depth;
    } else if (expression[at] == ')' && --depth == 0) {
      return at + 1;
    }
    ++at;
  }
  return expression.size();
}

bool Captures(std::string_view group) {
  return !group.starts_with("(?") || group.starts_with("(?P<") || group.starts_with("(?<");
}

// Where the capturing groups of the outermost level begin.
std::vector<std::size_t> Groups(std::string_view expression) {
  std::vector<std::size_t> groups;
  for (std::size_t at = 0; at < expression.size();) {
    if (expression[at] == '[') {
      at = EndOfSet(expression, at);
    } else if (expression[at] == '\\') {
      at += 2;
    } else {
      if (expression[at] == '(' && Captures(expression.substr(at))) groups.push_back(at);
      ++at;
    }
  }
  return groups;
}

// One element of an expression: a character, a class, a group, an assertion, with what repeats it.
struct Element {
  std::size_t end = 0;  // Behind it.
  std::optional<char> literal;
  bool blank = false;  // Blanks, or nothing at all.
};

Element ReadElement(std::string_view part, std::size_t at) {
  Element element{at + 1, std::nullopt, false};
  if (part[at] == '\\' && at + 1 < part.size()) {
    element.end = at + 2;
    element.blank = part[at + 1] == 's';
    if (!IsWordByte(part[at + 1])) element.literal = part[at + 1];
  } else if (part[at] == '[') {
    element.end = EndOfSet(part, at);
  } else if (part[at] == '(') {
    element.end = EndOfGroup(part, at);
    element.blank = part.substr(at).starts_with("(?i)") || part.substr(at).starts_with("(?s)");
  } else if (std::string_view(".^$|)*+?{").find(part[at]) == std::string_view::npos) {
    element.literal = part[at];
  } else {
    element.blank = part[at] == '^' || part[at] == '$';
  }
  const bool repeated = element.end < part.size() &&
                        std::string_view("*+?{").find(part[element.end]) != std::string_view::npos;
  if (repeated) {
    element.blank = element.blank || element.literal == ' ';
    element.literal.reset();
    ++element.end;
  }
  return element;
}

// The text that a part of an expression stands for, optional blanks left out. Where a part is no
// plain text, what is literal next to the group is kept: the end when `keep_end`, else the
// beginning.
std::string Literal(std::string_view part, bool keep_end) {
  std::string literal;
  for (std::size_t at = 0; at < part.size();) {
    const Element element = ReadElement(part, at);
    at = element.end;
    if (element.blank) continue;
    if (element.literal) {
      literal += *element.literal;
    } else if (keep_end) {
      literal.clear();
    } else {
      break;
    }
  }
  return literal;
}

std::string WithoutBlanks(std::string_view text) {
  std::string out(text);
  std::erase(out, ' ');
  return out;
}

// How many bytes at the beginning of `text` are `prefix`, blanks aside; 0 when they are not.
std::size_t PrefixLength(std::string_view text, std::string_view prefix) {
  const std::string wanted = WithoutBlanks(prefix);
  std::size_t matched = 0;
  for (std::size_t i = 0; i < text.size() && matched < wanted.size(); ++i) {
    if (text[i] == ' ') continue;
    if (text[i] != wanted[matched]) return 0;
    if (++matched == wanted.size()) return i + 1;
  }
  return 0;
}

void RemoveAll(std::string& text, std::string_view what, bool& had) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
    text.erase(at, what.size());
    had = true;
  }
}

// "\d+", "[\d.]+", "-?[0-9]+\.[0-9]*": digits and what goes with them, without a bound.
bool IsNumberExpression(std::string_view body) {
  std::string rest(body);
  bool digits = false;
  bool other = false;
  RemoveAll(rest, "\\\\d", digits);
  RemoveAll(rest, "\\d", digits);
  RemoveAll(rest, "0-9", digits);
  RemoveAll(rest, "\\.", other);
  const bool open = rest.find_first_of("+*") != std::string::npos;
  return digits && open && rest.find_first_not_of("[].+*?-,()") == std::string::npos;
}

}  // namespace

DoubledBackslash FindDoubledBackslash(std::string_view expression, std::size_t backslashes) {
  DoubledBackslash result;
  for (std::size_t at = 0; at < expression.size();) {
    if (expression[at] != '\\') {
      result.single += expression[at++];
      continue;
    }
    std::size_t end = at;
    while (end < expression.size() && expression[end] == '\\')
      ++end;
    const bool letter =
        end < expression.size() &&
        std::string_view("dDwWsSbB").find(expression[end]) != std::string_view::npos;
    const bool alone = end + 1 >= expression.size() || !IsWordByte(expression[end + 1]);
    const bool doubled = end - at == backslashes && letter && alone;
    if (doubled && result.position == std::string::npos) result.position = at;
    result.single.append((end - at) / (doubled ? 2 : 1), '\\');
    at = end;
  }
  return result;
}

RepeatedText FindRepeatedText(std::string_view expression, std::string_view replacement) {
  RepeatedText result;
  const std::vector<std::size_t> groups = Groups(expression);
  if (groups.size() != 1 || replacement.find("{{") != std::string_view::npos) return result;
  const std::string before = Literal(expression.substr(0, groups[0]), /*keep_end=*/true);
  const std::string after =
      Literal(expression.substr(EndOfGroup(expression, groups[0])), /*keep_end=*/false);
  const std::size_t prefix = PrefixLength(replacement, before);
  if (WithoutBlanks(before).size() < 2 || prefix == 0) return result;
  std::string_view middle = replacement.substr(prefix);
  while (middle.starts_with(' '))
    middle.remove_prefix(1);
  if (!after.empty() && middle.ends_with(after)) middle.remove_suffix(after.size());
  result.found = true;
  result.result = before + std::string(replacement) + after;
  result.replacement = middle;
  return result;
}

std::vector<std::string> NumericGroups(std::string_view expression) {
  std::vector<std::string> names;
  for (const std::size_t begin : Groups(expression)) {
    const std::string_view group = expression.substr(begin, EndOfGroup(expression, begin) - begin);
    const std::size_t open = group.find('<');
    const std::size_t close = group.find('>');
    if (!group.starts_with("(?") || open == std::string_view::npos ||
        close == std::string_view::npos || close < open || !group.ends_with(')')) {
      continue;
    }
    const std::string_view body = group.substr(close + 1, group.size() - close - 2);
    if (IsNumberExpression(body)) names.emplace_back(group.substr(open + 1, close - open - 1));
  }
  return names;
}

bool IsUnboundedName(std::string_view name) {
  static constexpr std::array<std::string_view, 25> kUnbounded = {
      "id",        "uuid",        "guid",    "traceid",   "spanid", "requestid", "userid",
      "sessionid", "ip",          "time",    "timestamp", "ts",     "loss",      "latency",
      "duration",  "elapsed",     "message", "msg",       "email",  "username",  "client_ip",
      "clientip",  "remote_addr", "offset",  "accuracy"};
  // Identifiers of which there are few.
  static constexpr std::array<std::string_view, 14> kBounded = {
      "gpu_id",    "node_id", "shard_id",   "zone_id", "region_id", "cluster_id", "worker_id",
      "tenant_id", "app_id",  "service_id", "host_id", "model_id",  "team_id",    "env_id"};
  std::string lower(name);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (IsOneOf(lower, kBounded)) return false;
  if (IsOneOf(lower, kUnbounded)) return true;
  for (const std::string_view end :
       {"_id", "_uuid", "_ip", "_ms", "_seconds", "_timestamp", "_latency", "_duration", "_loss"}) {
    if (lower.ends_with(end)) return true;
  }
  return lower.starts_with("latency_") || lower.starts_with("duration_");
}

}  // namespace agent
