#include "pipeline/regex/to_pcre.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace agent {
namespace {

using Kind = RegexNode::Kind;

// How many characters the node always matches; nullopt when that varies.
std::optional<int> FixedLength(const RegexNode& node) {
  switch (node.kind) {
    case Kind::kLiteral:
    case Kind::kClass:
    case Kind::kOpaque:
      return 1;
    case Kind::kCapture:
      return FixedLength(node.children[0]);
    case Kind::kConcat: {
      int sum = 0;
      for (const RegexNode& child : node.children) {
        const std::optional<int> length = FixedLength(child);
        if (!length) return std::nullopt;
        sum += *length;
      }
      return sum;
    }
    case Kind::kAlternate: {
      const std::optional<int> first = FixedLength(node.children[0]);
      for (const RegexNode& child : node.children) {
        if (FixedLength(child) != first) return std::nullopt;
      }
      return first;
    }
    case Kind::kRepeat: {
      const std::optional<int> length = FixedLength(node.children[0]);
      if (!length || node.min != node.max) return std::nullopt;
      return *length * node.min;
    }
    default:
      return 0;
  }
}

// Branches of different length somewhere in it.
bool HasUnevenBranches(const RegexNode& node) {
  if (node.kind == Kind::kAlternate && !FixedLength(node)) return true;
  return std::any_of(node.children.begin(), node.children.end(), HasUnevenBranches);
}

class Writer {
 public:
  Writer(const std::vector<bool>& captured, PcreAlphabet alphabet)
      : captured_(captured), ascii_(alphabet == PcreAlphabet::kAscii) {}

  std::optional<std::string> Run(const RegexNode& root) {
    Write(root, Place::kTop);
    if (!possible_) return std::nullopt;
    return std::move(out_);
  }

 private:
  // What stands around a node, and so whether it needs parentheses.
  enum class Place : uint8_t { kTop, kInConcat, kRepeated };

  void Write(const RegexNode& node, Place place) {
    switch (node.kind) {
      case Kind::kEmpty:
        if (place == Place::kRepeated) out_ += "(?:)";
        return;
      case Kind::kLiteral:
        return WriteLiteral(node);
      case Kind::kClass:
        return WriteClass(node.set);
      case Kind::kOpaque:
        possible_ = false;
        return;
      case Kind::kCapture:
        return WriteCapture(node, place);
      case Kind::kConcat:
        return WriteConcat(node, place);
      case Kind::kAlternate:
        return WriteAlternate(node, place);
      case Kind::kRepeat:
        return WriteRepeat(node, place);
      default:
        return WriteAssertion(node.kind);
    }
  }

  void WriteRune(char32_t rune) {
    const char32_t lower = rune | 0x20;
    if ((lower >= 'a' && lower <= 'z') || (rune >= '0' && rune <= '9')) {
      out_ += static_cast<char>(rune);
      return;
    }
    std::array<char, 8> hex{};
    const auto end =
        std::to_chars(hex.data(), hex.data() + hex.size(), static_cast<uint32_t>(rune), 16);
    out_ += "\\x{";
    out_.append(hex.data(), end.ptr);
    out_ += '}';
  }

  void WriteNothing() { out_ += ascii_ ? "[^\\x{0}-\\x{ff}]" : "[^\\x{0}-\\x{10ffff}]"; }

  void WriteLiteral(const RegexNode& node) {
    if (ascii_ && node.rune > 0x7F) return WriteNothing();
    if (!node.fold) return WriteRune(node.rune);
    RuneSet both;
    both.Add(node.rune, node.rune);
    both.FoldCase();
    WriteClass(both);
  }

  void WriteClass(const RuneSet& set) {
    const char32_t limit = ascii_ ? 0x7F : RuneSet::kMaxRune;
    std::vector<RuneSet::Range> ranges = set.Ranges();
    std::erase_if(ranges, [limit](const RuneSet::Range& range) { return range.first > limit; });
    if (!ranges.empty()) ranges.back().last = std::min(ranges.back().last, limit);
    if (ranges.empty() && !set.has_categories()) {
      if (set.negated()) {
        out_ += '.';
      } else {
        WriteNothing();
      }
      return;
    }
    out_ += set.negated() ? "[^" : "[";
    for (const RuneSet::Range& range : ranges) {
      WriteRune(range.first);
      if (range.last == range.first) continue;
      out_ += '-';
      WriteRune(range.last);
    }
    out_ += set.categories();
    out_ += ']';
  }

  void WriteAssertion(Kind kind) {
    switch (kind) {
      case Kind::kBeginText:
        out_ += "\\A";
        return;
      case Kind::kEndText:
        out_ += "\\z";
        return;
      case Kind::kBeginLine:
        out_ += "(?m:^)";
        return;
      case Kind::kEndLine:
        out_ += "(?m:$)";
        return;
      case Kind::kWordBoundary:
        out_ += "\\b";
        return;
      default:
        out_ += "\\B";
    }
  }

  void WriteCapture(const RegexNode& node, Place place) {
    if (captured_[node.group]) {
      out_ += '(';
      Write(node.children[0], Place::kTop);
      out_ += ')';
    } else {
      Write(node.children[0], place);
    }
  }

  void WriteConcat(const RegexNode& node, Place place) {
    const bool alone = node.children.size() == 1;
    const bool group = place == Place::kRepeated && !alone;
    if (group) out_ += "(?:";
    for (const RegexNode& child : node.children) {
      Write(child, alone ? place : Place::kInConcat);
      if (!alone && &child != &node.children.back()) WriteBarrier(child);
    }
    if (group) out_ += ')';
  }

  // PCRE2 10.42's compiler of machine code remembers how far a repeated character has run, and
  // takes it wrongly for a reason to fail when another branch before it begins the repetition
  // earlier:
  // `(?:a|)a*b` misses matches. It does not look past an assertion, and this one always holds.
  void WriteBarrier(const RegexNode& before) {
    if (HasUnevenBranches(before)) out_ += "(?=)";
  }

  void WriteAlternate(const RegexNode& node, Place place) {
    if (place != Place::kTop) out_ += "(?:";
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      if (i > 0) out_ += '|';
      Write(node.children[i], Place::kTop);
    }
    if (place != Place::kTop) out_ += ')';
  }

  void WriteRepeat(const RegexNode& node, Place place) {
    const RegexNode& body = node.children[0];
    // How often an empty body is repeated, and what its groups then hold, differs between engines.
    if (CanBeEmpty(body) && node.max != 1) {
      possible_ = false;
      return;
    }
    const bool group = place == Place::kRepeated;
    if (group) out_ += "(?:";
    // PCRE2 writes a counted body out several times, one behind the other.
    const bool barrier = (node.min > 1 || node.max > 1) && HasUnevenBranches(body);
    if (barrier) out_ += "(?:";
    Write(body, barrier ? Place::kInConcat : Place::kRepeated);
    if (barrier) out_ += "(?=))";
    WriteCounts(node);
    if (!node.greedy) out_ += '?';
    if (group) out_ += ')';
  }

  void WriteCounts(const RegexNode& node) {
    if (node.max == RegexNode::kUnlimited && node.min <= 1) {
      out_ += node.min == 0 ? '*' : '+';
    } else if (node.min == 0 && node.max == 1) {
      out_ += '?';
    } else {
      out_ += '{' + std::to_string(node.min) + ',';
      if (node.max != RegexNode::kUnlimited) out_ += std::to_string(node.max);
      out_ += '}';
    }
  }

  const std::vector<bool>& captured_;
  const bool ascii_;
  std::string out_;
  bool possible_ = true;
};

}  // namespace

std::optional<std::string> ToPcre(const RegexNode& root, const std::vector<bool>& captured,
                                  PcreAlphabet alphabet) {
  return Writer(captured, alphabet).Run(root);
}

}  // namespace agent
