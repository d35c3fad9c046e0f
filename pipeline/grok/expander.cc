#include "pipeline/grok/expander.h"

#include <algorithm>
#include <utility>

#include "base/config/spelling.h"
#include "base/regex/dialect.h"
#include "pipeline/field_name.h"

namespace agent {
namespace {

constexpr std::size_t kMaxBytes = 128 << 10;
constexpr std::size_t kMaxDepth = 64;
constexpr std::string_view kHexDigits = "0-9A-Fa-f";

std::string Quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

std::string DidYouMean(const std::string& near) {
  return near.empty() ? std::string{} : "did you mean " + Quoted(near) + "?";
}

}  // namespace

bool GrokExpander::Run(std::string_view text) {
  // `^` and `$` are the ends of lines, as in Ruby.
  flat_ = "(?m:";
  if (!Expand(text)) return false;
  flat_ += ')';
  return true;
}

bool GrokExpander::IsNested(std::size_t offset) const {
  return std::ranges::any_of(pieces_, [offset](const Piece& piece) {
    return piece.nested && piece.begin <= offset && offset < piece.end;
  });
}

GrokExpander::SourceSpan GrokExpander::SourceOf(std::size_t offset) const {
  SourceSpan source;
  for (const Piece& piece : pieces_) {
    if (piece.begin > offset) break;
    source = piece.source;
  }
  return source;
}

bool GrokExpander::Fail(const Cursor& cursor, std::size_t position, std::size_t length,
                        std::string message, std::string hint) {
  problem_ = {stack_.empty() ? std::string{} : stack_.back(), std::move(message), std::move(hint),
              position, std::min(length, cursor.text.size() - position)};
  return false;
}

bool GrokExpander::Expand(std::string_view text) {
  Cursor cursor{text, 0, {}};
  while (cursor.at < text.size()) {
    if (!Step(cursor)) return false;
    if (flat_.size() > kMaxBytes) {
      return Fail(cursor, 0, 0, "the expression gets longer than 128 KiB with all its patterns");
    }
  }
  if (cursor.open.empty()) return true;
  return Fail(cursor, cursor.open.back(), 1, "missing closing ')'");
}

bool GrokExpander::Step(Cursor& cursor) {
  switch (cursor.text[cursor.at]) {
    case '\\':
      return CopyEscape(cursor);
    case '[':
      return CopyClass(cursor);
    case '(':
      return CopyOpening(cursor);
    case ')':
      return CopyClosing(cursor);
    case '*':
    case '+':
    case '?':
      CopyRepetition(cursor);
      return true;
    case '.':
      CopyAtom(cursor, 1);
      return true;
    default:
      if (cursor.rest().starts_with("%{")) return CopyReference(cursor);
      Copy(cursor, 1);
      return true;
  }
}

void GrokExpander::Emit(Cursor& cursor, std::size_t size, std::string_view replacement) {
  const std::size_t begin = flat_.size();
  flat_ += replacement;
  if (stack_.empty()) pieces_.push_back({begin, flat_.size(), {cursor.at, size}, false});
  cursor.at += size;
  loop_.reset();
  atom_.reset();
}

void GrokExpander::CopyAtom(Cursor& cursor, std::size_t size) {
  const std::size_t begin = flat_.size();
  Copy(cursor, size);
  atom_ = begin;
}

void GrokExpander::CopyRepetition(Cursor& cursor) {
  const std::string_view rest = cursor.rest();
  const bool lazy = rest.size() > 1 && rest[1] == '?';
  const bool possessive = rest.size() > 1 && rest[1] == '+';
  const std::optional<std::size_t> atom = atom_;
  const std::size_t end = flat_.size();
  Emit(cursor, lazy || possessive ? 2 : 1, rest.substr(0, lazy ? 2 : 1));
  if (atom && rest[0] != '?') loop_ = Loop{*atom, *atom, end - *atom, rest[0] == '+', lazy};
}

bool GrokExpander::CopyEscape(Cursor& cursor) {
  const std::string_view rest = cursor.rest();
  if (rest.starts_with("\\h")) {
    Emit(cursor, 2, "[" + std::string(kHexDigits) + "]");
  } else if (rest.starts_with("\\H")) {
    Emit(cursor, 2, "[^" + std::string(kHexDigits) + "]");
  } else if (rest.starts_with("\\Z")) {
    Emit(cursor, 2, "\\n?\\z");
  } else if (rest.starts_with("\\Q")) {
    const std::size_t end = rest.find("\\E", 2);
    Copy(cursor, end == std::string_view::npos ? rest.size() : end + 2);
  } else if (rest.starts_with("\\S")) {
    CopyAtom(cursor, 2);
  } else {
    Copy(cursor, std::min<std::size_t>(2, rest.size()));
  }
  return true;
}

bool GrokExpander::CopyClass(Cursor& cursor) {
  const std::size_t size = EndOfClass(cursor.text, cursor.at) - cursor.at;
  const std::string_view text = cursor.rest().substr(0, size);
  const std::size_t both = text.find("&&");
  if (both != std::string_view::npos) {
    return Fail(cursor, cursor.at + both, 2, "classes cannot be intersected",
                "write a class with just the characters that are in both");
  }
  std::string copy;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      copy += text[i + 1] == 'h' ? kHexDigits : text.substr(i, 2);
      ++i;
    } else {
      copy += text[i];
    }
  }
  Emit(cursor, size, copy);
  return true;
}

bool GrokExpander::CopyOpening(Cursor& cursor) {
  const std::string_view rest = cursor.rest();
  if (rest.starts_with("(?#")) {
    const std::size_t close = rest.find(')');
    if (close == std::string_view::npos) {
      return Fail(cursor, cursor.at, rest.size(), "missing closing ')' of a comment");
    }
    Emit(cursor, close + 1, "");
    return true;
  }
  cursor.open.push_back(cursor.at);
  if (rest.starts_with("(?>")) {
    Emit(cursor, 3, "(?:");
    return true;
  }
  if (rest.starts_with("(?P") || rest.starts_with("(?<")) {
    Copy(cursor, 3);
    return true;
  }
  if (rest.starts_with("(?")) return CopyFlags(cursor);
  Copy(cursor, 1);
  return true;
}

// Ruby's `m` is RE2's `s`.
bool GrokExpander::CopyFlags(Cursor& cursor) {
  const std::string_view rest = cursor.rest();
  std::string flags = "(?";
  std::size_t size = 2;
  for (; size < rest.size() && (rest[size] == '-' || (rest[size] >= 'a' && rest[size] <= 'z'));
       ++size) {
    if (rest[size] == 'x') {
      return Fail(cursor, cursor.at + size, 1, "the flag 'x' is not known",
                  "write the expression without blanks and comments");
    }
    flags += rest[size] == 'm' ? 's' : rest[size];
    if (flags.back() == 's') dot_is_everything_ = true;
  }
  Emit(cursor, size, flags);
  return true;
}

bool GrokExpander::CopyClosing(Cursor& cursor) {
  if (cursor.open.empty()) return Fail(cursor, cursor.at, 1, "unexpected ')'");
  cursor.open.pop_back();
  Copy(cursor, 1);
  return true;
}

bool GrokExpander::CopyReference(Cursor& cursor) {
  const std::size_t close = cursor.rest().find('}');
  if (close == std::string_view::npos) {
    return Fail(cursor, cursor.at, cursor.text.size(), "'%{' without '}'",
                "write %{PATTERN:field}, or \\%\\{ for the characters themselves");
  }
  const std::size_t size = close + 1;
  Parts parts;
  if (!ReadParts(cursor, size, parts)) return false;
  const std::optional<GrokPattern> pattern = patterns_.Find(parts.name);
  if (!pattern) {
    return Fail(cursor, cursor.at + 2, parts.name.size(), "unknown pattern " + Quoted(parts.name),
                DidYouMean(patterns_.Nearest(parts.name)));
  }
  if (stack_.empty()) outermost_ = {cursor.at, size};
  const std::string_view not_after = NotAfter(*pattern);
  if (!not_after.empty()) KeepLoopOff(not_after);

  const std::size_t begin = flat_.size();
  if (!OpenReference(cursor, size, parts)) return false;
  const std::size_t inside = flat_.size();
  loop_.reset();
  atom_.reset();
  if (!ExpandPattern(cursor, parts, pattern->text)) return false;
  flat_ += ')';
  // What is repeated is the group; the loop is still at the end if it is all that is in the group.
  atom_.reset();
  if (loop_ && loop_->edge != inside) loop_.reset();
  if (loop_) loop_->edge = begin;
  if (stack_.empty()) pieces_.push_back({begin, flat_.size(), {cursor.at, size}, true});
  cursor.at += size;
  return true;
}

bool GrokExpander::ReadParts(const Cursor& cursor, std::size_t size, Parts& parts) {
  const std::string_view body = cursor.text.substr(cursor.at + 2, size - 3);
  const std::size_t colon = std::min(body.find(':'), body.size());
  parts.name = body.substr(0, colon);
  if (!IsGrokPatternName(parts.name)) {
    return Fail(cursor, cursor.at, size, Quoted(parts.name) + " is no name of a pattern",
                "write %{PATTERN}, %{PATTERN:field} or %{PATTERN:field:int}");
  }
  if (colon == body.size()) return true;
  const std::string_view rest = body.substr(colon + 1);
  const std::size_t second = std::min(rest.find(':'), rest.size());
  parts.field = rest.substr(0, second);
  if (parts.field.empty()) {
    return Fail(cursor, cursor.at, size, "the field has no name", "write %{PATTERN:field}");
  }
  if (second == rest.size()) return true;
  parts.type = rest.substr(second + 1);
  if (ConversionNamed(parts.type)) return true;
  return Fail(cursor, cursor.at + 2 + colon + 1 + second + 1, parts.type.size(),
              "unknown type " + Quoted(parts.type) +
                  ": expected int, long, float, double, bool, boolean or string",
              DidYouMean(NearestSpelling(parts.type, ConversionNames())));
}

bool GrokExpander::OpenReference(const Cursor& cursor, std::size_t size, const Parts& parts) {
  if (parts.field.empty()) {
    flat_ += "(?:";
    return true;
  }
  std::optional<std::string> field = ReadFieldName(parts.field);
  if (!field) {
    return Fail(cursor, cursor.at, size, Quoted(parts.field) + " is no name of a field",
                "write name, a.b or [a][b]");
  }
  const Conversion type = ConversionNamed(parts.type).value_or(Conversion::kString);
  references_.push_back(
      {flat_.size(), *std::move(field), type, outermost_.begin, outermost_.length, stack_.empty()});
  flat_ += '(';
  return true;
}

bool GrokExpander::ExpandPattern(const Cursor& cursor, const Parts& parts, std::string_view text) {
  const std::string name(parts.name);
  if (std::ranges::find(stack_, name) != stack_.end()) {
    std::string way;
    for (const std::string& outer : stack_)
      way += outer + " > ";
    return Fail(cursor, cursor.at, parts.name.size() + 2,
                "pattern " + Quoted(name) + " refers to itself: " + way + name);
  }
  if (stack_.size() == kMaxDepth) {
    return Fail(cursor, cursor.at, parts.name.size() + 2, "patterns are nested more than 64 deep");
  }
  stack_.push_back(name);
  if (!Expand(text)) return false;
  stack_.pop_back();
  const bool builtin = patterns_.Find(name)->builtin;
  if (!builtin && std::ranges::find(used_, name) == used_.end()) used_.push_back(name);
  return true;
}

// A pattern that is nothing but a reference is as its target.
std::string_view GrokExpander::NotAfter(const GrokPattern& pattern) const {
  GrokPattern target = pattern;
  for (std::size_t depth = 0; depth < kMaxDepth && target.not_after.empty(); ++depth) {
    const std::string_view text = target.text;
    const std::size_t end = text.find('}');
    if (!text.starts_with("%{") || end + 1 != text.size()) break;
    const std::string_view name = text.substr(2, std::min(text.find(':'), end) - 2);
    const std::optional<GrokPattern> next = patterns_.Find(name);
    if (!next) break;
    target = *next;
  }
  return target.not_after;
}

// `.*` in front of a number must not take the number's first digits: it gets a last character that
// is none of those excluded. This is what a look-behind would do, of which RE2 has none.
void GrokExpander::KeepLoopOff(std::string_view excluded) {
  if (!loop_) return;
  const Loop loop = *loop_;
  const std::string atom = flat_.substr(loop.begin, loop.atom_size);
  const std::string_view never = atom != "." ? "\\s" : dot_is_everything_ ? "" : "\\n";
  std::string text = atom + (loop.lazy ? "*?" : "*");
  text.append("[^").append(never).append(excluded).append("]");
  if (!loop.at_least_once) text = "(?:" + text + (loop.lazy ? ")??" : ")?");
  const std::size_t before = flat_.size();
  flat_.replace(loop.begin, loop.atom_size + (loop.lazy ? 2 : 1), text);
  if (!pieces_.empty() && pieces_.back().end == before) pieces_.back().end = flat_.size();
  loop_.reset();
}

}  // namespace agent
