#include "pipeline/regex/syntax.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/utf8.h"

namespace agent {
namespace {

using Kind = RegexNode::Kind;

constexpr std::string_view kRepetitions = "*+?{";
constexpr std::string_view kEscapedClasses = "dDsSwWpP";

struct Flags {
  bool fold = false;
  bool multi_line = false;
  bool dot_all = false;
  bool swap_greed = false;
};

RegexNode Node(Kind kind) {
  RegexNode node;
  node.kind = kind;
  return node;
}

// General categories that mean the same to Go and to PCRE2. Not "C", which for Go leaves out the
// unassigned, and no scripts, which for PCRE2 include characters shared between scripts.
bool IsSharedCategory(std::string_view name) {
  constexpr std::array<std::string_view, 31> kNames = {
      "L",  "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N",  "Nd", "Nl", "No", "P", "Pc",
      "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z",  "Zl", "Zp", "Zs"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

class Parser {
 public:
  explicit Parser(std::string_view pattern) : rest_(pattern) {}

  std::optional<RegexNode> Run() {
    RegexNode node = ParseAlternate();
    if (failed_ || !rest_.empty()) return std::nullopt;
    return node;
  }

 private:
  bool Take(std::string_view prefix) {
    if (!rest_.starts_with(prefix)) return false;
    rest_.remove_prefix(prefix.size());
    return true;
  }

  char32_t TakeRune() {
    if (rest_.empty()) {
      failed_ = true;
      return 0;
    }
    const DecodedRune decoded = DecodeRune(rest_);
    rest_.remove_prefix(decoded.size);
    return decoded.rune;
  }

  // Up to the end or an unmatched ")". Flags set inside hold until there, also across "|".
  RegexNode ParseAlternate() {
    const Flags outer = flags_;
    RegexNode alternate = Node(Kind::kAlternate);
    alternate.children.push_back(ParseConcat());
    while (!failed_ && Take("|"))
      alternate.children.push_back(ParseConcat());
    flags_ = outer;
    if (alternate.children.size() > 1) return alternate;
    RegexNode only = std::move(alternate.children.front());
    return only;
  }

  RegexNode ParseConcat() {
    RegexNode concat = Node(Kind::kConcat);
    while (!failed_ && !rest_.empty() && rest_.front() != '|' && rest_.front() != ')') {
      if (Take("\\Q")) {
        ParseQuoted(concat);
        continue;
      }
      std::optional<RegexNode> atom = ParseAtom();
      if (!atom) {  // Only flags; a repetition after them would be of what stands before.
        if (!rest_.empty() && kRepetitions.find(rest_.front()) != std::string_view::npos) {
          failed_ = true;
        }
        continue;
      }
      concat.children.push_back(std::move(*atom));
      ParseRepeat(concat.children.back());
    }
    return concat;
  }

  // \Q...\E: what follows repeats its last character.
  void ParseQuoted(RegexNode& concat) {
    const std::size_t end = std::min(rest_.find("\\E"), rest_.size());
    std::string_view quoted = rest_.substr(0, end);
    rest_.remove_prefix(end);
    Take("\\E");
    while (!quoted.empty()) {
      const DecodedRune decoded = DecodeRune(quoted);
      concat.children.push_back(Literal(decoded.rune));
      quoted.remove_prefix(decoded.size);
    }
    if (!concat.children.empty()) ParseRepeat(concat.children.back());
  }

  [[nodiscard]] RegexNode Literal(char32_t rune) const {
    const bool letter = (rune | 0x20) >= 'a' && (rune | 0x20) <= 'z';
    if (flags_.fold && rune > 0x7F) return Node(Kind::kOpaque);
    RegexNode node = Node(Kind::kLiteral);
    node.rune = rune;
    node.fold = flags_.fold && letter;
    return node;
  }

  std::optional<RegexNode> ParseAtom() {
    switch (rest_.front()) {
      case '(':
        return ParseGroup();
      case '[':
        return ParseClass();
      case '\\':
        return ParseEscape();
      case '.':
        rest_.remove_prefix(1);
        return AnyRune();
      case '^':
        rest_.remove_prefix(1);
        return Node(flags_.multi_line ? Kind::kBeginLine : Kind::kBeginText);
      case '$':
        rest_.remove_prefix(1);
        return Node(flags_.multi_line ? Kind::kEndLine : Kind::kEndText);
      default:
        return Literal(TakeRune());
    }
  }

  RegexNode AnyRune() const {
    RegexNode node = Node(Kind::kClass);
    if (!flags_.dot_all) node.set.Add('\n', '\n');
    node.set.Negate();
    return node;
  }

  std::optional<RegexNode> ParseGroup() {
    Take("(");
    if (!rest_.starts_with("?")) return ParseCapture();
    if (rest_.starts_with("?P<") || rest_.starts_with("?<")) {
      rest_.remove_prefix(std::min(rest_.find('>'), rest_.size() - 1) + 1);
      return ParseCapture();
    }
    Take("?");
    const Flags outer = flags_;
    bool on = true;
    while (!failed_) {
      if (Take(")")) return std::nullopt;
      if (Take(":")) break;
      if (Take("-")) {
        on = false;
      } else {
        SetFlag(TakeRune(), on);
      }
    }
    RegexNode inner = ParseAlternate();
    flags_ = outer;
    if (!Take(")")) failed_ = true;
    // A concat of its own, so that a repetition takes it as a whole.
    RegexNode group = Node(Kind::kConcat);
    group.children.push_back(std::move(inner));
    return group;
  }

  RegexNode ParseCapture() {
    RegexNode node = Node(Kind::kCapture);
    node.group = ++groups_;
    node.children.push_back(ParseAlternate());
    if (!Take(")")) failed_ = true;
    return node;
  }

  void SetFlag(char32_t name, bool on) {
    switch (name) {
      case 'i':
        flags_.fold = on;
        break;
      case 'm':
        flags_.multi_line = on;
        break;
      case 's':
        flags_.dot_all = on;
        break;
      case 'U':
        flags_.swap_greed = on;
        break;
      default:
        failed_ = true;
    }
  }

  // Wraps `atom` when a repetition follows.
  void ParseRepeat(RegexNode& atom) {
    int min = 0;
    int max = RegexNode::kUnlimited;
    if (Take("*")) {
    } else if (Take("+")) {
      min = 1;
    } else if (Take("?")) {
      max = 1;
    } else if (!TakeCounts(min, max)) {
      return;
    }
    RegexNode repeat = Node(Kind::kRepeat);
    repeat.min = min;
    repeat.max = max;
    repeat.greedy = Take("?") == flags_.swap_greed;
    repeat.children.push_back(std::move(atom));
    atom = std::move(repeat);
  }

  // "{2}", "{2,}" or "{2,5}"; anything else in braces is ordinary text.
  bool TakeCounts(int& min, int& max) {
    std::string_view rest = rest_;
    if (!rest.starts_with("{")) return false;
    rest.remove_prefix(1);
    if (!TakeNumber(rest, min)) return false;
    max = min;
    if (rest.starts_with(",")) {
      rest.remove_prefix(1);
      max = RegexNode::kUnlimited;
      if (!rest.starts_with("}") && !TakeNumber(rest, max)) return false;
    }
    if (!rest.starts_with("}")) return false;
    rest.remove_prefix(1);
    rest_ = rest;
    return true;
  }

  // Digits without a leading zero.
  static bool TakeNumber(std::string_view& rest, int& number) {
    const std::size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
    if (digits == 0 || (digits > 1 && rest.front() == '0')) return false;
    const auto parsed = std::from_chars(rest.data(), rest.data() + digits, number);
    if (parsed.ec != std::errc()) return false;
    rest.remove_prefix(digits);
    return true;
  }

  RegexNode ParseEscape() {
    if (AtEscapedClass()) {
      RegexNode node = Node(Kind::kClass);
      if (!AddEscapedClass(node.set)) return Node(Kind::kOpaque);
      return node;
    }
    if (Take("\\A")) return Node(Kind::kBeginText);
    if (Take("\\z")) return Node(Kind::kEndText);
    if (Take("\\b")) return Node(Kind::kWordBoundary);
    if (Take("\\B")) return Node(Kind::kNoWordBoundary);
    return Literal(EscapedRune());
  }

  // A character behind a backslash.
  char32_t EscapedRune() {
    Take("\\");
    const char32_t c = TakeRune();
    switch (c) {
      case 'a':
        return '\a';
      case 'f':
        return '\f';
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      case 'v':
        return '\v';
      case 'x':
        return HexRune();
      default:
        if (c >= '0' && c <= '7') return OctalRune(c - '0');
        return c;
    }
  }

  char32_t HexRune() {
    std::string_view digits = rest_.substr(0, 2);
    if (Take("{")) digits = rest_.substr(0, rest_.find('}'));
    uint32_t rune = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), rune, 16);
    if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) failed_ = true;
    rest_.remove_prefix(digits.size());
    Take("}");
    return rune;
  }

  char32_t OctalRune(char32_t first) {
    char32_t rune = first;
    for (int i = 0; i < 2 && !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '7'; ++i) {
      rune = rune * 8 + (TakeRune() - '0');
    }
    return rune;
  }

  [[nodiscard]] bool AtEscapedClass() const {
    return rest_.size() > 1 && rest_[0] == '\\' &&
           kEscapedClasses.find(rest_[1]) != std::string_view::npos;
  }

  // \d, \PL, \p{Greek} and so on. False when only RE2 knows the class.
  bool AddEscapedClass(RuneSet& set) {
    Take("\\");
    const char name = rest_.front();
    rest_.remove_prefix(1);
    if (name == 'p' || name == 'P') return AddCategory(set, name == 'P');
    RuneSet perl = PerlClass(static_cast<char>(name | 0x20));
    if (flags_.fold && name != 'd' && name != 'D') perl.FoldCase();
    if (name >= 'a') {
      set.Add(perl);
    } else {
      set.AddComplementOf(perl);
    }
    return true;
  }

  bool AddCategory(RuneSet& set, bool negated) {
    std::string_view name;
    if (Take("{")) {
      name = rest_.substr(0, rest_.find('}'));
      rest_.remove_prefix(std::min(name.size() + 1, rest_.size()));
    } else {
      name = rest_.substr(0, DecodeRune(rest_.empty() ? " " : rest_).size);
      rest_.remove_prefix(name.size());
    }
    if (name.starts_with("^")) {
      negated = !negated;
      name.remove_prefix(1);
    }
    if (flags_.fold || !IsSharedCategory(name)) return false;
    set.AddCategory(name, negated);
    return true;
  }

  RegexNode ParseClass() {
    Take("[");
    RegexNode node = Node(Kind::kClass);
    const bool negated = Take("^");
    RuneSet folded;  // Ranges and characters, in both cases with (?i).
    bool known = true;
    for (bool first = true; !failed_ && (first || !rest_.starts_with("]")); first = false) {
      known = ParseClassItem(node.set, folded) && known;
    }
    Take("]");
    if (flags_.fold && !folded.FoldCase()) known = false;
    if (!known) return Node(Kind::kOpaque);
    node.set.Add(folded);
    if (negated) node.set.Negate();
    return node;
  }

  bool ParseClassItem(RuneSet& set, RuneSet& folded) {
    if (rest_.starts_with("[:")) {
      const std::size_t close = rest_.find(":]", 2);
      if (close != std::string_view::npos) return AddPosixClass(close, set, folded);
    }
    if (AtEscapedClass()) {
      return AddEscapedClass(set);
    }
    const char32_t first = ClassRune();
    char32_t last = first;
    if (rest_.size() >= 2 && rest_[0] == '-' && rest_[1] != ']') {
      Take("-");
      last = ClassRune();
    }
    folded.Add(first, last);
    return true;
  }

  char32_t ClassRune() { return rest_.starts_with("\\") ? EscapedRune() : TakeRune(); }

  bool AddPosixClass(std::size_t close, RuneSet& set, RuneSet& folded) {
    std::string_view name = rest_.substr(2, close - 2);
    rest_.remove_prefix(close + 2);
    const bool negated = name.starts_with("^");
    if (negated) name.remove_prefix(1);
    const RuneSet posix = PosixClass(name);
    if (!negated) {
      folded.Add(posix);
      return true;
    }
    RuneSet both_cases = posix;
    if (flags_.fold && !both_cases.FoldCase()) return false;
    set.AddComplementOf(both_cases);
    return true;
  }

  std::string_view rest_;
  Flags flags_;
  std::size_t groups_ = 0;
  bool failed_ = false;
};

}  // namespace

std::optional<RegexNode> ParseGoRegex(std::string_view pattern) {
  return Parser(pattern).Run();
}

bool CanBeEmpty(const RegexNode& node) {
  switch (node.kind) {
    case Kind::kLiteral:
    case Kind::kClass:
    case Kind::kOpaque:
      return false;
    case Kind::kCapture:
      return CanBeEmpty(node.children[0]);
    case Kind::kConcat:
      return std::all_of(node.children.begin(), node.children.end(), CanBeEmpty);
    case Kind::kAlternate:
      return std::any_of(node.children.begin(), node.children.end(), CanBeEmpty);
    case Kind::kRepeat:
      return node.min == 0 || CanBeEmpty(node.children[0]);
    default:
      return true;
  }
}

}  // namespace agent
