#include "agent/config/env_functions.h"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace agent {
namespace {

// Go's strconv.Atoi, for what fits into a string's size.
std::optional<int64_t> ParseOffset(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop != text.data() + text.size() || text.empty()) {
    return std::nullopt;
  }
  return number;
}

// Whether the set behind '[' has `c`; moves `glob` behind its ']'. False when there is none.
bool TakeSet(std::string_view& glob, char c, bool& has) {
  glob.remove_prefix(1);
  const bool negated = glob.starts_with('^') || glob.starts_with('!');
  if (negated) glob.remove_prefix(1);
  bool found = false;
  bool first = true;
  while (!glob.empty() && (first || glob[0] != ']')) {
    first = false;
    const char low = glob[0];
    char high = low;
    glob.remove_prefix(1);
    if (glob.size() > 1 && glob[0] == '-' && glob[1] != ']') {
      high = glob[1];
      glob.remove_prefix(2);
    }
    found = found || (c >= low && c <= high);
  }
  if (glob.empty()) return false;
  glob.remove_prefix(1);
  has = found != negated;
  return true;
}

// Matches one byte; moves `glob` behind what stood for it.
bool MatchOne(std::string_view& glob, char c) {
  if (glob[0] == '[') {
    bool has = false;
    return TakeSet(glob, c, has) && has;
  }
  if (glob[0] == '?') {
    glob.remove_prefix(1);
    return true;
  }
  if (glob[0] == '\\' && glob.size() > 1) glob.remove_prefix(1);
  const bool same = glob[0] == c;
  glob.remove_prefix(1);
  return same;
}

char ToUpper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
char ToLower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::string EnvSubstring(const std::string& value, const std::string& start,
                         const std::optional<std::string>& length) {
  const auto size = static_cast<int64_t>(value.size());
  std::optional<int64_t> from = ParseOffset(start);
  if (!from) return value;
  if (*from < 0) *from = *from < -size ? 0 : size + *from;
  if (*from >= size) return {};
  if (!length) return value.substr(static_cast<std::size_t>(*from));
  const std::optional<int64_t> count = ParseOffset(*length);
  if (!count) return value;
  if (*count <= 0) return {};
  return value.substr(static_cast<std::size_t>(*from), static_cast<std::size_t>(*count));
}

void ChangeCase(bool upper, bool all, std::string& value) {
  const std::size_t count = all ? value.size() : value.empty() ? 0 : 1;
  for (std::size_t i = 0; i < count; ++i)
    value[i] = upper ? ToUpper(value[i]) : ToLower(value[i]);
}

bool EnvGlobMatches(std::string_view glob, std::string_view text) {
  // Where to go on when what follows the last '*' does not fit: one byte further.
  std::string_view retry_glob;
  std::string_view retry_text;
  bool can_retry = false;
  while (!text.empty() || !glob.empty()) {
    if (glob.starts_with('*')) {
      glob.remove_prefix(1);
      retry_glob = glob;
      retry_text = text;
      can_retry = true;
      continue;
    }
    if (!glob.empty() && !text.empty() && MatchOne(glob, text[0])) {
      text.remove_prefix(1);
      continue;
    }
    if (!can_retry || retry_text.empty()) return false;
    retry_text.remove_prefix(1);
    glob = retry_glob;
    text = retry_text;
  }
  return true;
}

std::string StripPrefix(const std::string& value, const std::string& glob, bool longest) {
  const std::string_view text = value;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const std::size_t length = longest ? text.size() - i : i;
    if (EnvGlobMatches(glob, text.substr(0, length))) return value.substr(length);
  }
  return value;
}

std::string StripSuffix(const std::string& value, const std::string& glob, bool longest) {
  const std::string_view text = value;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const std::size_t keep = longest ? i : text.size() - i;
    if (EnvGlobMatches(glob, text.substr(keep))) return value.substr(0, keep);
  }
  return value;
}

std::string ReplaceText(const std::string& value, const std::string& from, const std::string& to,
                        EnvReplace where) {
  if (from.empty()) return value;
  if (where == EnvReplace::kPrefix) {
    return value.starts_with(from) ? to + value.substr(from.size()) : value;
  }
  if (where == EnvReplace::kSuffix) {
    return value.ends_with(from) ? value.substr(0, value.size() - from.size()) + to : value;
  }
  std::string out;
  std::size_t begin = 0;
  while (true) {
    const std::size_t found = value.find(from, begin);
    if (found == std::string::npos) break;
    out += value.substr(begin, found - begin) + to;
    begin = found + from.size();
    if (where == EnvReplace::kFirst) break;
  }
  return out + value.substr(begin);
}

}  // namespace agent
