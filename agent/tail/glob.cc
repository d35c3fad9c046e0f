#include "agent/tail/glob.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <unordered_set>
#include <utility>

namespace agent {
namespace {

constexpr std::size_t kMaxAlternatives = 1024;
constexpr std::size_t kMaxDepth = 64;

// Bytes of the UTF-8 character that starts at `at`; 1 where it is none.
std::size_t CharacterLength(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  std::size_t length = 1;
  if (lead >= 0xF0) {
    length = 4;
  } else if (lead >= 0xE0) {
    length = 3;
  } else if (lead >= 0xC0) {
    length = 2;
  }
  if (at + length > text.size()) return 1;
  for (std::size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[at + i]) & 0xC0) != 0x80) return 1;
  }
  return length;
}

// One character of a class or a pattern, a backslash resolved. Advances `at`.
std::string_view TakeCharacter(std::string_view pattern, std::size_t& at) {
  if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
  const std::size_t length = CharacterLength(pattern, at);
  const std::string_view character = pattern.substr(at, length);
  at += length;
  return character;
}

// `at` stands behind '['. Leaves it behind ']'. Equal-length UTF-8 compares like its code points,
// and a longer one is greater.
bool MatchClass(std::string_view pattern, std::size_t& at, std::string_view character) {
  const auto less_equal = [](std::string_view a, std::string_view b) {
    return a.size() != b.size() ? a.size() < b.size() : a <= b;
  };
  bool negated = false;
  if (at < pattern.size() && (pattern[at] == '^' || pattern[at] == '!')) {
    negated = true;
    ++at;
  }
  bool matched = false;
  bool first = true;
  while (at < pattern.size() && (first || pattern[at] != ']')) {
    first = false;
    const std::string_view low = TakeCharacter(pattern, at);
    std::string_view high = low;
    if (at + 1 < pattern.size() && pattern[at] == '-' && pattern[at + 1] != ']') {
      ++at;
      high = TakeCharacter(pattern, at);
    }
    if (less_equal(low, character) && less_equal(character, high)) matched = true;
  }
  if (at < pattern.size()) ++at;
  return matched != negated;
}

// Matches one element of `pattern` that is no star; advances both on success.
bool MatchOne(std::string_view pattern, std::size_t& p, std::string_view name, std::size_t& n) {
  const std::size_t length = CharacterLength(name, n);
  const std::string_view character = name.substr(n, length);
  std::size_t at = p;
  bool matched = true;
  if (pattern[at] == '?') {
    ++at;
  } else if (pattern[at] == '[') {
    ++at;
    matched = MatchClass(pattern, at, character);
  } else {
    matched = TakeCharacter(pattern, at) == character;
  }
  if (!matched) return false;
  p = at;
  n += length;
  return true;
}

// Where the brace group that opens at `open` ends; npos if it does not.
std::size_t ClosingBrace(std::string_view pattern, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      ++i;
    } else if (pattern[i] == '{') {
      ++depth;
    } else if (pattern[i] == '}' && --depth == 0) {
      return i;
    }
  }
  return std::string_view::npos;
}

std::size_t FindUnescaped(std::string_view text, char wanted) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == wanted) {
      return i;
    }
  }
  return std::string_view::npos;
}

std::vector<std::string_view> SplitChoices(std::string_view body) {
  std::vector<std::string_view> choices;
  int depth = 0;
  std::size_t start = 0;
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (body[i] == '\\') {
      ++i;
    } else if (body[i] == '{') {
      ++depth;
    } else if (body[i] == '}') {
      --depth;
    } else if (body[i] == ',' && depth == 0) {
      choices.push_back(body.substr(start, i - start));
      start = i + 1;
    }
  }
  choices.push_back(body.substr(start));
  return choices;
}

// Replaces the first brace group by each of its choices, again and again. False when there are too
// many, or a brace is not closed.
bool ExpandBraces(std::string_view pattern, std::vector<std::string>& expanded) {
  std::vector<std::string> open;
  open.emplace_back(pattern);
  while (!open.empty()) {
    const std::string next = std::move(open.back());
    open.pop_back();
    const std::size_t brace = FindUnescaped(next, '{');
    if (brace == std::string::npos) {
      expanded.push_back(next);
      continue;
    }
    const std::size_t end = ClosingBrace(next, brace);
    if (end == std::string::npos) return false;
    std::string_view body = next;
    body = body.substr(brace + 1, end - brace - 1);
    for (const std::string_view choice : SplitChoices(body)) {
      std::string& replaced = open.emplace_back(next, 0, brace);
      replaced += choice;
      replaced.append(next, end + 1);
    }
    if (open.size() + expanded.size() > kMaxAlternatives) return false;
  }
  return true;
}

std::vector<std::string> SplitPath(std::string_view path) {
  std::vector<std::string> components;
  std::size_t start = 0;
  while (true) {
    const std::size_t slash = path.find('/', start);
    if (slash == std::string_view::npos) break;
    components.emplace_back(path.substr(start, slash - start));
    start = slash + 1;
  }
  components.emplace_back(path.substr(start));
  return components;
}

bool HasMeta(std::string_view component) {
  return component.find_first_of("*?[\\") != std::string_view::npos;
}

// Where the class that opens at `open` ends; npos if it does not.
std::size_t ClosingBracket(std::string_view pattern, std::size_t open) {
  std::size_t end = open + 1;
  if (end < pattern.size() && (pattern[end] == '^' || pattern[end] == '!')) ++end;
  if (end < pattern.size() && pattern[end] == ']') ++end;
  while (end < pattern.size() && pattern[end] != ']')
    end += pattern[end] == '\\' ? 2U : 1U;
  return end < pattern.size() ? end : std::string_view::npos;
}

bool ClosedClasses(std::string_view pattern) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\' && ++i >= pattern.size()) return false;
    if (pattern[i] != '[' || (i > 0 && pattern[i - 1] == '\\')) continue;
    i = ClosingBracket(pattern, i);
    if (i == std::string_view::npos) return false;
  }
  return true;
}

}  // namespace

std::string AbsolutePath(std::string_view path) {
  std::string whole;
  if (path.empty() || path.front() != '/') {
    std::array<char, PATH_MAX> here{};
    if (::getcwd(here.data(), here.size()) != nullptr) whole = here.data();
    whole += '/';
  }
  whole += path;
  std::vector<std::string> kept;
  for (std::string& component : SplitPath(whole)) {
    if (component.empty() || component == ".") continue;
    if (component != "..") {
      kept.push_back(std::move(component));
    } else if (!kept.empty()) {
      kept.pop_back();
    }
  }
  std::string clean;
  for (const std::string& component : kept)
    clean += '/' + component;
  return clean.empty() ? "/" : clean;
}

std::string_view DirName(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? path.substr(0, 1) : path.substr(0, slash);
}

std::string_view BaseName(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

bool MatchComponent(std::string_view pattern, std::string_view name) {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_name = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_name = n;
    } else if (p < pattern.size() && MatchOne(pattern, p, name, n)) {
      continue;
    } else if (star != std::string_view::npos) {
      // The latest star takes one character more; earlier ones never need to.
      p = star + 1;
      star_name += CharacterLength(name, star_name);
      n = star_name;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*')
    ++p;
  return p == pattern.size();
}

Result<Glob> Glob::Compile(std::string_view pattern) {
  Glob glob;
  glob.pattern_ = pattern;
  std::vector<std::string> expanded;
  if (!ClosedClasses(pattern)) {
    return Error{ErrorCode::kInvalid,
                 "glob '" + glob.pattern_ + "': a '[' without ']', or '\\' at the end"};
  }
  if (!ExpandBraces(pattern, expanded)) {
    return Error{ErrorCode::kInvalid,
                 "glob '" + glob.pattern_ + "': a '{' without '}', or too many combinations"};
  }
  std::sort(expanded.begin(), expanded.end());
  expanded.erase(std::unique(expanded.begin(), expanded.end()), expanded.end());
  const auto both_double = [](const std::string& a, const std::string& b) {
    return a == "**" && b == "**";
  };
  for (const std::string& one : expanded) {
    Components components = SplitPath(one);
    // Two in a row mean what one does, and would look like a circle to the walk.
    components.erase(std::unique(components.begin(), components.end(), both_double),
                     components.end());
    glob.alternatives_.push_back(std::move(components));
  }
  return glob;
}

bool Glob::Match(std::string_view path) const {
  const std::vector<std::string> names = SplitPath(path);
  const auto matches = [&names](const Components& pattern) {
    std::size_t p = 0;
    std::size_t n = 0;
    std::size_t star = std::string::npos;
    std::size_t star_name = 0;
    while (n < names.size()) {
      if (p < pattern.size() && pattern[p] == "**") {
        star = p++;
        star_name = n;
      } else if (p < pattern.size() && MatchComponent(pattern[p], names[n])) {
        ++p;
        ++n;
      } else if (star != std::string::npos) {
        p = star + 1;
        n = ++star_name;
      } else {
        return false;
      }
    }
    while (p < pattern.size() && pattern[p] == "**")
      ++p;
    return p == pattern.size();
  };
  return std::any_of(alternatives_.begin(), alternatives_.end(), matches);
}

// One expansion: carries the bound and what was already seen.
class Glob::Walk {
 public:
  // `unique`: no path can be met twice.
  Walk(const Visitor& visitor, FileTree& tree, std::size_t max_entries, bool unique)
      : visitor_(visitor), tree_(tree), unique_(unique), entries_left_(max_entries) {}

  // Goes on in `directory` (without a slash at its end; "" is the root) with component `index`.
  void Descend(const Components& pattern, std::size_t index, const std::string& directory) {
    if (depth_ >= kMaxDepth || entries_left_ == 0) return;
    ++depth_;
    const std::string& component = pattern[index];
    if (component == "**") {
      DoubleStar(pattern, index, directory);
    } else if (HasMeta(component)) {
      ForEachMatch(pattern, index, directory);
    } else {
      Literal(pattern, index, directory);
    }
    --depth_;
  }

  [[nodiscard]] bool complete() const { return entries_left_ > 0; }

 private:
  // Copied out of the listing, which may be another one's by the time that it is descended into.
  struct Found {
    std::string path;
    bool directory = false;
  };

  static std::string Named(const std::string& directory) {
    return directory.empty() ? "/" : directory;
  }

  // What `component` means in `directory`.
  std::vector<Found> Matches(const std::string& directory, const std::string& component) {
    std::vector<Found> found;
    Listing& listing = tree_.List(Named(directory));
    for (const uint32_t index : listing.Candidates(component)) {
      if (entries_left_ == 0) break;
      --entries_left_;
      Listing::Entry& entry = listing.entries()[index];
      if (!MatchComponent(component, entry.name)) continue;
      std::string path = directory + '/' + entry.name;
      if (!entry.kind) entry.kind = tree_.KindOf(path);
      found.push_back({std::move(path), *entry.kind == FileKind::kDirectory});
    }
    return found;
  }

  void Match(const std::string& path) {
    if (unique_ || seen_matches_.insert(path).second) visitor_.match(path);
  }

  void Directory(const std::string& directory) {
    if (visitor_.directory && seen_directories_.insert(directory).second) {
      visitor_.directory(Named(directory));
    }
  }

  void Literal(const Components& pattern, std::size_t index, const std::string& directory) {
    const std::string path = directory + '/' + pattern[index];
    const bool last = index + 1 == pattern.size();
    const FileKind kind = tree_.KindOf(path);
    if (last) {
      Directory(directory);
      if (kind == FileKind::kOther) Match(path);
    } else if (kind == FileKind::kDirectory) {
      Descend(pattern, index + 1, path);
    } else {
      Directory(directory);
    }
  }

  void ForEachMatch(const Components& pattern, std::size_t index, const std::string& directory) {
    const bool last = index + 1 == pattern.size();
    Directory(directory);
    for (const Found& found : Matches(directory, pattern[index])) {
      if (last && !found.directory) Match(found.path);
      if (!last && found.directory) Descend(pattern, index + 1, found.path);
    }
  }

  void DoubleStar(const Components& pattern, std::size_t index, const std::string& directory) {
    // A link to a directory above would lead round and round.
    const auto here = tree_.Identity(Named(directory));
    if (!here || std::find(trail_.begin(), trail_.end(), *here) != trail_.end()) return;
    trail_.push_back(*here);
    Directory(directory);
    const bool last = index + 1 == pattern.size();
    if (!last) Descend(pattern, index + 1, directory);
    for (const Found& found : Matches(directory, "*")) {
      if (found.directory) {
        Descend(pattern, index, found.path);
      } else if (last) {
        Match(found.path);
      }
    }
    trail_.pop_back();
  }

  const Visitor& visitor_;
  FileTree& tree_;
  const bool unique_;
  std::size_t entries_left_;
  std::size_t depth_ = 0;
  std::vector<std::pair<dev_t, ino_t>> trail_;
  std::unordered_set<std::string> seen_matches_;
  std::unordered_set<std::string> seen_directories_;
};

bool Glob::Expand(const Visitor& visitor, std::size_t max_entries) const {
  DiskTree tree;
  return Expand(visitor, tree, max_entries);
}

bool Glob::Expand(const Visitor& visitor, FileTree& tree, std::size_t max_entries) const {
  if (tree.KindOf(pattern_) == FileKind::kOther) {
    if (visitor.directory) visitor.directory(std::string(DirName(pattern_)));
    visitor.match(pattern_);
    return true;
  }
  // Two combinations of braces may meet, and so may two `**`.
  const bool unique = alternatives_.size() == 1 &&
                      std::count(alternatives_[0].begin(), alternatives_[0].end(), "**") <= 1;
  Walk walk(visitor, tree, max_entries, unique);
  for (const Components& alternative : alternatives_) {
    // The first component is what stands before the first slash: nothing.
    if (alternative.size() > 1) walk.Descend(alternative, 1, "");
  }
  return walk.complete();
}

}  // namespace agent
