#include "base/regex/dialect.h"

#include <algorithm>

#include "base/utf8.h"

namespace agent {
namespace {

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

class Scanner {
 public:
  Scanner(std::string_view pattern, GoPattern& scanned, RegexProblem& problem)
      : pattern_(pattern), scanned_(scanned), problem_(problem) {}

  bool Run() {
    scanned_.group_names.emplace_back();
    while (at_ < pattern_.size()) {
      if (!Step()) return false;
    }
    return true;
  }

 private:
  bool Step() {
    switch (pattern_[at_]) {
      case '\\':
        return Escape();
      case '[':
        at_ = EndOfClass(pattern_, at_);
        return true;
      case '(':
        return Open();
      case ')':
        if (!scanned_.unclosed.empty()) scanned_.unclosed.pop_back();
        [[fallthrough]];
      default:
        ++at_;
        return true;
    }
  }

  bool Escape() {
    const std::string_view rest = pattern_.substr(at_);
    if (rest.starts_with("\\Q")) {
      const std::size_t end = rest.find("\\E", 2);
      at_ = end == std::string_view::npos ? pattern_.size() : at_ + end + 2;
      return true;
    }
    if (rest.starts_with("\\C")) {
      return Fail("'\\C' is not known", "write '.' with (?s) for any character", 2);
    }
    at_ = std::min(at_ + 2, pattern_.size());
    return true;
  }

  bool Open() {
    const std::string_view rest = pattern_.substr(at_);
    scanned_.unclosed.push_back(at_);
    std::size_t name_at = 0;
    if (rest.starts_with("(?P<")) {
      name_at = 4;
    } else if (rest.starts_with("(?<") && !rest.starts_with("(?<=") && !rest.starts_with("(?<!")) {
      name_at = 3;
    } else if (rest.starts_with("(?")) {
      at_ += 2;
      return true;
    }
    std::size_t length = 1;
    std::string name;
    if (name_at > 0) {
      const std::size_t close = rest.find('>');
      const std::string_view text = rest.substr(name_at, close - name_at);
      if (close == std::string_view::npos || text.empty() ||
          !std::all_of(text.begin(), text.end(), IsNameByte)) {
        length = close == std::string_view::npos ? rest.size() : close + 1;
        return Fail("bad group name", "letters, digits and '_' make a name: (?P<name>...)", length);
      }
      name = text;
      length = close + 1;
    }
    scanned_.group_names.push_back(std::move(name));
    scanned_.openers.push_back({at_, at_ + length});
    at_ += length;
    return true;
  }

  bool Fail(std::string message, std::string hint, std::size_t length) {
    problem_ = {std::move(message), std::move(hint), at_, length};
    return false;
  }

  std::string_view pattern_;
  GoPattern& scanned_;
  RegexProblem& problem_;
  std::size_t at_ = 0;
};

}  // namespace

bool ScanGoPattern(std::string_view pattern, GoPattern& scanned, RegexProblem& problem) {
  if (!IsValidUtf8(pattern)) {
    // RE2 would take an encoded surrogate for a character.
    problem.message = "not valid UTF-8";
    return false;
  }
  return Scanner(pattern, scanned, problem).Run();
}

std::string RewriteForRe2(std::string_view pattern, const GoPattern& scanned,
                          const std::vector<bool>& captured) {
  std::string out;
  out.reserve(pattern.size() + 2 * scanned.openers.size());
  std::size_t copied = 0;
  for (std::size_t i = 0; i < scanned.openers.size(); ++i) {
    const GoPattern::Opener& opener = scanned.openers[i];
    out += pattern.substr(copied, opener.begin - copied);
    out += captured.empty() || captured[i + 1] ? "(" : "(?:";
    copied = opener.end;
  }
  out += pattern.substr(copied);
  return out;
}

std::size_t OriginalOffset(const GoPattern& scanned, std::size_t rewritten_offset) {
  std::size_t offset = rewritten_offset;
  for (const GoPattern::Opener& opener : scanned.openers) {
    if (offset <= opener.begin) break;
    offset += opener.end - opener.begin - 1;
  }
  return offset;
}

std::size_t EndOfClass(std::string_view pattern, std::size_t begin) {
  std::size_t at = begin + 1;
  if (at < pattern.size() && pattern[at] == '^') ++at;
  if (at < pattern.size() && pattern[at] == ']') ++at;
  while (at < pattern.size() && pattern[at] != ']') {
    if (pattern[at] == '\\') {
      at += 2;
      continue;
    }
    if (pattern.substr(at).starts_with("[:")) {
      const std::size_t close = pattern.find(":]", at + 2);
      if (close != std::string_view::npos) {
        at = close + 2;
        continue;
      }
    }
    ++at;
  }
  return std::min(at + 1, pattern.size());
}

}  // namespace agent
