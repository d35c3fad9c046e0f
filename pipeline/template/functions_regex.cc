// Functions with regular expressions, which are Go's. The two that Promtail has as well are the
// same.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/template/functions.h"

namespace agent {
namespace {

// The whole match, then the groups.
using Groups = std::vector<TextSpan>;

bool IsNameChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// A group by number or name; empty for one that does not exist.
std::string_view GroupText(std::string_view name, const Regex& regex, const Groups& groups,
                           std::string_view text) {
  std::size_t number = 0;
  bool is_number = !name.empty() && (name.size() == 1 || name[0] != '0');
  for (const char c : name) {
    is_number = is_number && c >= '0' && c <= '9' && number < 100'000;
    number = number * 10 + static_cast<std::size_t>(c - '0');
  }
  if (is_number) return number < groups.size() ? groups[number].In(text) : std::string_view();
  // Of several groups with one name the first that took part.
  for (std::size_t i = 0; i < groups.size() && i < regex.group_names().size(); ++i) {
    if (regex.group_names()[i] == name && groups[i].matched()) return groups[i].In(text);
  }
  return {};
}

// `$1`, `${1}`, `$name`, `$$` in a replacement.
void Expand(std::string_view replacement, const Regex& regex, const Groups& groups,
            std::string_view text, std::string& out) {
  while (!replacement.empty()) {
    const std::size_t dollar = std::min(replacement.find('$'), replacement.size());
    out += replacement.substr(0, dollar);
    replacement.remove_prefix(dollar);
    if (replacement.empty()) return;
    replacement.remove_prefix(1);
    if (replacement.starts_with('$')) {
      out += '$';
      replacement.remove_prefix(1);
      continue;
    }
    const bool braces = replacement.starts_with('{');
    const std::size_t begin = braces ? 1 : 0;
    std::size_t end = begin;
    while (end < replacement.size() && IsNameChar(replacement[end]))
      ++end;
    const bool good = end > begin && (!braces || replacement.substr(end).starts_with('}'));
    if (!good) {
      out += '$';
      continue;
    }
    out += GroupText(replacement.substr(begin, end - begin), regex, groups, text);
    replacement.remove_prefix(end + (braces ? 1 : 0));
  }
}

enum class Replacement : uint8_t { kExpanded, kLiteral };

Datum ReplaceAll(Call& call, Replacement mode) {
  Regex* regex = call.FindRegex(call.Text(0));
  if (regex == nullptr) return {};
  const std::string_view text = call.Text(1);
  Groups groups(regex->captured());
  std::string result;
  std::size_t pos = 0;
  regex->Begin(text);
  while (regex->Next(groups)) {
    result += text.substr(pos, groups[0].begin - pos);
    if (mode == Replacement::kLiteral) {
      result += call.Text(2);
    } else {
      Expand(call.Text(2), *regex, groups, text, result);
    }
    pos = groups[0].end;
    if (result.size() > DatumPool::kMaxBytes) return call.Fail("too much memory");
  }
  result += text.substr(pos);
  return call.Keep(std::move(result));
}

Datum ReplaceExpanded(Call& call) {
  return ReplaceAll(call, Replacement::kExpanded);
}
Datum ReplaceLiteral(Call& call) {
  return ReplaceAll(call, Replacement::kLiteral);
}

// A wrong expression matches nothing.
Datum Match(Call& call) {
  std::string ignored;
  Regex* regex = call.runtime().FindRegex(call.Text(0), ignored);
  return Datum::Bool(regex != nullptr && regex->Matches(call.Text(1)));
}

Datum MustMatch(Call& call) {
  Regex* regex = call.FindRegex(call.Text(0));
  return Datum::Bool(regex != nullptr && regex->Matches(call.Text(1)));
}

Datum Find(Call& call) {
  Regex* regex = call.FindRegex(call.Text(0));
  if (regex == nullptr) return {};
  Groups groups(regex->captured());
  return Datum::String(regex->Search(call.Text(1), groups) ? groups[0].In(call.Text(1)) : "");
}

Datum FindAll(Call& call) {
  Regex* regex = call.FindRegex(call.Text(0));
  if (regex == nullptr) return {};
  const int64_t limit = call.Int(2);
  Groups groups(regex->captured());
  DatumList* list = call.NewList(DatumList::Type::kString);
  regex->Begin(call.Text(1));
  while ((limit < 0 || static_cast<int64_t>(list->items.size()) < limit) && regex->Next(groups)) {
    if (!call.Charge(sizeof(Datum))) return {};
    list->items.push_back(Datum::String(groups[0].In(call.Text(1))));
  }
  return Datum::List(list);
}

Datum Split(Call& call) {
  Regex* regex = call.FindRegex(call.Text(0));
  if (regex == nullptr) return {};
  const std::string_view text = call.Text(1);
  const int64_t limit = call.Int(2);
  DatumList* list = call.NewList(DatumList::Type::kString);
  if (limit == 0) return Datum::List(list);
  const auto add = [&](std::size_t begin, std::size_t end) {
    list->items.push_back(Datum::String(text.substr(begin, end - begin)));
    return call.Charge(sizeof(Datum));
  };
  if (!call.Text(0).empty() && text.empty()) {
    add(0, 0);
    return Datum::List(list);
  }
  Groups groups(regex->captured());
  std::size_t begin = 0;
  std::size_t end = 0;
  regex->Begin(text);
  while ((limit < 0 || static_cast<int64_t>(list->items.size()) + 1 < limit) &&
         regex->Next(groups)) {
    end = groups[0].begin;
    if (groups[0].end != 0 && !add(begin, end)) return {};  // Not before an empty match at 0.
    begin = groups[0].end;
  }
  if (end != text.size()) add(begin, text.size());
  return Datum::List(list);
}

Datum QuoteMeta(Call& call) {
  std::string quoted;
  for (const char c : call.Text(0)) {
    if (std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos) quoted += '\\';
    quoted += c;
  }
  return call.Keep(std::move(quoted));
}

constexpr TemplateFunction kFunctions[] = {
    {"mustRegexFind", "ss", Find},
    {"mustRegexFindAll", "ssi", FindAll},
    {"mustRegexMatch", "ss", MustMatch},
    {"mustRegexReplaceAll", "sss", ReplaceExpanded},
    {"mustRegexReplaceAllLiteral", "sss", ReplaceLiteral},
    {"mustRegexSplit", "ssi", Split},
    {"regexFind", "ss", Find},
    {"regexFindAll", "ssi", FindAll},
    {"regexMatch", "ss", Match},
    {"regexQuoteMeta", "s", QuoteMeta},
    {"regexReplaceAll", "sss", ReplaceExpanded},
    {"regexReplaceAllLiteral", "sss", ReplaceLiteral},
    {"regexSplit", "ssi", Split},
};

}  // namespace

std::span<const TemplateFunction> RegexFunctions() {
  return kFunctions;
}

}  // namespace agent
