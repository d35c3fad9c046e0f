#include "agent/config/expand_env.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/config/env_functions.h"

namespace agent {
namespace {

constexpr int kMaxDepth = 50;  // Of defaults within defaults.
constexpr std::size_t kMaxBytes = std::size_t{64} << 20U;

constexpr std::string_view kBadSubstitution = "bad substitution";
constexpr std::string_view kMissingBrace = "missing closing brace";
constexpr std::string_view kBadName = "unable to parse variable name";

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// Letters beyond ASCII are letters in Go.
bool IsNameByte(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::vector<std::size_t> LineStarts(std::string_view text) {
  std::vector<std::size_t> starts = {0};
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') starts.push_back(i + 1);
  }
  return starts;
}

Place PlaceOf(const std::vector<std::size_t>& starts, std::size_t offset, std::size_t length) {
  const auto after = std::upper_bound(starts.begin(), starts.end(), offset);
  const auto line = static_cast<std::size_t>(after - starts.begin());
  return {static_cast<uint32_t>(line), static_cast<uint32_t>(offset - starts[line - 1] + 1),
          static_cast<uint32_t>(std::max<std::size_t>(1, length))};
}

}  // namespace

class EnvExpander {
 public:
  EnvExpander(std::string_view text, const Environment& environment, Problems& problems)
      : in_(text), environment_(environment), problems_(problems) {
    result_.original_line_starts_ = LineStarts(text);
  }

  ExpandedText Expand();

 private:
  [[nodiscard]] char Peek(std::size_t ahead = 0) const {
    return at_ + ahead < in_.size() ? in_[at_ + ahead] : '\0';
  }
  [[nodiscard]] bool AtBrace() const { return Peek() == '$' && Peek(1) == '{'; }
  void Begin(bool verbatim, std::size_t original_length);
  void Substitute();
  // Each reads behind what came before it; false after `error_` was set.
  bool Function(std::string& value, int depth);  // From "${" to its "}".
  bool Name(std::string& name);
  bool Closing();
  bool Default(std::string& value, int depth);
  bool Substring(std::string& value, int depth);
  bool Casing(std::string& value);
  bool Strip(std::string& value, int depth);
  bool Replace(std::string& value, int depth);
  // A text up to one of `stops`, or one "${…}"; with `escapes` a backslash keeps a stop.
  bool Parameter(std::string_view stops, bool escapes, std::string& value, int depth);
  bool Fail(std::string_view error) {
    error_ = error;
    return false;
  }

  const std::string_view in_;
  const Environment& environment_;
  Problems& problems_;
  ExpandedText result_;
  std::size_t at_ = 0;
  std::string_view error_;
};

void EnvExpander::Begin(bool verbatim, std::size_t original_length) {
  result_.pieces_.push_back({result_.text_.size(), at_, original_length, verbatim});
}

ExpandedText EnvExpander::Expand() {
  Begin(/*verbatim=*/true, 0);
  while (at_ < in_.size()) {
    const char c = Peek();
    if (AtBrace()) {
      Substitute();
    } else if ((c == '$' && Peek(1) == '$') || (c == '\\' && (Peek(1) == '\\' || Peek(1) == '/'))) {
      result_.text_ += Peek(1);
      at_ += 2;
      Begin(/*verbatim=*/true, 0);
    } else {
      const std::size_t next = std::min(in_.find_first_of("$\\", at_ + 1), in_.size());
      result_.text_ += in_.substr(at_, next - at_);
      at_ = next;
    }
    if (result_.text_.size() > kMaxBytes) {
      problems_.Error({}, {}, "too large after environment expansion: more than 64 MiB");
      break;
    }
  }
  result_.line_starts_ = LineStarts(result_.text_);
  return std::move(result_);
}

void EnvExpander::Substitute() {
  const std::size_t begin = at_;
  std::string value;
  const bool ok = Function(value, 0);
  const std::string_view written = in_.substr(begin, at_ - begin);
  const Place place =
      PlaceOf(result_.original_line_starts_, begin, std::min(written.size(), written.find('\n')));
  if (!ok) {
    problems_.Error(place, {}, std::string(error_) + " in environment expansion",
                    "write $${ where ${ is meant as it stands");
    value = "${";
    at_ = begin + 2;
  } else if (written.size() > 3 && std::all_of(written.begin() + 2, written.end() - 1, IsDigit)) {
    problems_.Warning(place, {},
                      "with -config.expand-env this is the environment variable '" +
                          std::string(written.substr(2, written.size() - 3)) + "'",
                      "write $" + std::string(written) + " for the group of an expression");
  }
  const std::size_t end = at_;
  at_ = begin;
  Begin(/*verbatim=*/false, end - begin);
  result_.text_ += value;
  at_ = end;
  Begin(/*verbatim=*/true, 0);
}

bool EnvExpander::Function(std::string& value, int depth) {
  if (depth > kMaxDepth) return Fail("nested too deeply");
  at_ += 2;
  const bool length = Peek() == '#';
  if (length) ++at_;
  std::string name;
  if (!Name(name)) return false;
  value = environment_(name).value_or("");
  if (length) {
    value = std::to_string(value.size());
    return Closing();
  }
  switch (Peek()) {
    case ':':
      return std::string_view("=-?+").find(Peek(1)) != std::string_view::npos && Peek(1) != '\0'
                 ? Default(value, depth)
                 : Substring(value, depth);
    case '=':
      return Default(value, depth);
    case ',':
    case '^':
      return Casing(value);
    case '/':
      return Replace(value, depth);
    case '#':
    case '%':
      return Strip(value, depth);
    default:
      return Closing();
  }
}

bool EnvExpander::Name(std::string& name) {
  while (at_ < in_.size() && IsNameByte(Peek()))
    name += in_[at_++];
  return !name.empty() || Fail(kBadName);
}

bool EnvExpander::Closing() {
  if (Peek() != '}') return Fail(kMissingBrace);
  ++at_;
  return true;
}

bool EnvExpander::Default(std::string& value, int depth) {
  at_ += Peek() == '=' ? 1U : 2U;
  std::string text;
  while (Peek() != '}') {
    if (at_ >= in_.size()) return Fail(kMissingBrace);
    if (!Parameter("}", /*escapes=*/false, text, depth)) return false;
  }
  if (value.empty()) value = std::move(text);
  return Closing();
}

bool EnvExpander::Substring(std::string& value, int depth) {
  ++at_;
  std::string start;
  if (!Parameter(":}", /*escapes=*/false, start, depth)) return false;
  std::optional<std::string> length;
  if (Peek() == ':') {
    ++at_;
    if (!Parameter("}", /*escapes=*/false, length.emplace(), depth)) return false;
  }
  value = EnvSubstring(value, start, length);
  return Closing();
}

bool EnvExpander::Casing(std::string& value) {
  const char operation = in_[at_++];
  const bool all = Peek() == operation;
  if (all) ++at_;
  ChangeCase(operation == '^', all, value);
  return Closing();
}

bool EnvExpander::Strip(std::string& value, int depth) {
  const char operation = in_[at_++];
  const bool longest = Peek() == operation;
  if (longest) ++at_;
  std::string glob;
  if (!Parameter("}", /*escapes=*/false, glob, depth)) return false;
  value = operation == '#' ? StripPrefix(value, glob, longest) : StripSuffix(value, glob, longest);
  return Closing();
}

bool EnvExpander::Replace(std::string& value, int depth) {
  ++at_;
  EnvReplace where = EnvReplace::kFirst;
  if (Peek() == '/') where = EnvReplace::kAll;
  if (Peek() == '#') where = EnvReplace::kPrefix;
  if (Peek() == '%') where = EnvReplace::kSuffix;
  if (where != EnvReplace::kFirst) ++at_;
  std::string from;
  if (!Parameter("/\n", /*escapes=*/true, from, depth)) return false;
  if (Peek() != '/') return Fail(kBadSubstitution);
  ++at_;
  std::string to;
  if (Peek() != '}' && !Parameter("}", /*escapes=*/true, to, depth)) return false;
  value = ReplaceText(value, from, to, where);
  return Closing();
}

bool EnvExpander::Parameter(std::string_view stops, bool escapes, std::string& value, int depth) {
  if (AtBrace()) {
    std::string inner;
    if (!Function(inner, depth + 1)) return false;
    value += inner;
    return true;
  }
  const std::size_t begin = at_;
  while (at_ < in_.size() && !AtBrace()) {
    const char c = Peek();
    const bool escaped = escapes && ((c == '$' && Peek(1) == '$') ||
                                     (c == '\\' && (Peek(1) == '\\' || Peek(1) == '/')));
    if (escaped) ++at_;
    if (!escaped && stops.find(c) != std::string_view::npos) break;
    value += in_[at_++];
  }
  return at_ > begin || Fail(at_ >= in_.size() ? kMissingBrace : kBadSubstitution);
}

Place ExpandedText::Original(const Place& place) const {
  if (place.line == 0 || place.line > line_starts_.size()) return place;
  const std::size_t offset = line_starts_[place.line - 1] + std::max(1U, place.column) - 1;
  auto piece = std::upper_bound(pieces_.begin(), pieces_.end(), offset,
                                [](std::size_t o, const Piece& p) { return o < p.begin; });
  if (piece == pieces_.begin()) return place;
  --piece;
  // A value of an unset variable has no bytes: the text behind it begins at the same place.
  if (!piece->verbatim) {
    return PlaceOf(original_line_starts_, piece->original, piece->original_length);
  }
  return PlaceOf(original_line_starts_, piece->original + (offset - piece->begin), place.length);
}

ExpandedText ExpandEnv(std::string_view text, const Environment& environment, Problems& problems) {
  return EnvExpander(text, environment, problems).Expand();
}

}  // namespace agent
