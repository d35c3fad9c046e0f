#include "pipeline/regex/rune_set.h"

#include <algorithm>
#include <array>

namespace agent {
namespace {

constexpr char32_t kLongS = 0x17F;        // Folds to s.
constexpr char32_t kKelvinSign = 0x212A;  // Folds to k.

struct NamedClass {
  std::string_view name;
  std::string_view ranges;  // Pairs of first and last.
};

constexpr std::array<NamedClass, 14> kPosixClasses = {{
    {"alnum", "09AZaz"},
    {"alpha", "AZaz"},
    {"ascii", std::string_view("\0\x7f", 2)},
    {"blank", "\t\t  "},
    {"cntrl", std::string_view("\0\x1f\x7f\x7f", 4)},
    {"digit", "09"},
    {"graph", "!~"},
    {"lower", "az"},
    {"print", " ~"},
    {"punct", "!/:@[`{~"},
    {"space", "\t\r  "},
    {"upper", "AZ"},
    {"word", "09AZaz__"},
    {"xdigit", "09AFaf"},
}};

RuneSet FromPairs(std::string_view pairs) {
  RuneSet set;
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
    set.Add(static_cast<unsigned char>(pairs[i]), static_cast<unsigned char>(pairs[i + 1]));
  }
  return set;
}

}  // namespace

void RuneSet::Add(const RuneSet& other) {
  ranges_.insert(ranges_.end(), other.ranges_.begin(), other.ranges_.end());
}

void RuneSet::AddComplementOf(const RuneSet& other) {
  char32_t next = 0;
  for (const Range& range : other.Ranges()) {
    if (range.first > next) Add(next, range.first - 1);
    next = range.last + 1;
  }
  if (next <= kMaxRune) Add(next, kMaxRune);
}

void RuneSet::AddCategory(std::string_view name, bool negated) {
  categories_ += negated ? "\\P{" : "\\p{";
  categories_ += name;
  categories_ += '}';
}

bool RuneSet::FoldCase() {
  if (has_categories()) return false;
  const std::vector<Range> ranges = Ranges();
  for (const Range& range : ranges) {
    // A complement such as \D or [^[:alpha:]]: its other case would need the tables as well.
    if (range.last > 0x7F) return false;
    for (char32_t c = range.first; c <= range.last; ++c) {
      const char32_t lower = c | 0x20;
      if (lower < 'a' || lower > 'z') continue;
      Add(c ^ 0x20, c ^ 0x20);
      if (lower == 'k') Add(kKelvinSign, kKelvinSign);
      if (lower == 's') Add(kLongS, kLongS);
    }
  }
  return true;
}

std::vector<RuneSet::Range> RuneSet::Ranges() const {
  std::vector<Range> sorted = ranges_;
  std::sort(sorted.begin(), sorted.end(),
            [](const Range& a, const Range& b) { return a.first < b.first; });
  std::vector<Range> merged;
  for (const Range& range : sorted) {
    if (!merged.empty() && range.first <= merged.back().last + 1) {
      merged.back().last = std::max(merged.back().last, range.last);
    } else {
      merged.push_back(range);
    }
  }
  return merged;
}

RuneSet PerlClass(char name) {
  switch (name) {
    case 'd':
      return FromPairs("09");
    case 's':
      return FromPairs("\t\n\f\r  ");
    default:
      return FromPairs("09AZaz__");
  }
}

RuneSet PosixClass(std::string_view name) {
  for (const NamedClass& known : kPosixClasses) {
    if (known.name == name) return FromPairs(known.ranges);
  }
  return {};
}

}  // namespace agent
