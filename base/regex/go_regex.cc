#include "base/regex/go_regex.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

#include <re2/re2.h>

#include "base/utf8.h"

namespace agent {
namespace {

// RE2's own default is enough for every sane expression; only what does not fit gets more.
constexpr int64_t kMemory = 8 << 20;
constexpr int64_t kLargeMemory = 64 << 20;

constexpr std::string_view kWholeTextPrefix = "^(?s:";
constexpr std::string_view kWholeTextSuffix = ")$";

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

struct Explanation {
  RE2::ErrorCode code;
  const char* message;
  const char* hint;
};

constexpr std::array<Explanation, 13> kExplanations = {{
    {RE2::ErrorBadEscape, "unknown escape sequence", "write '\\\\' for a backslash"},
    {RE2::ErrorBadCharClass, "bad character class", ""},
    {RE2::ErrorBadCharRange, "bad character range", ""},
    {RE2::ErrorMissingBracket, "missing closing ']'", ""},
    {RE2::ErrorMissingParen, "missing closing ')'", ""},
    {RE2::ErrorUnexpectedParen, "')' without '('", "write '\\)' for the character"},
    {RE2::ErrorTrailingBackslash, "a backslash at the end", "write '\\\\' for a backslash"},
    {RE2::ErrorRepeatArgument, "nothing to repeat",
     "write a backslash before it for the character"},
    {RE2::ErrorRepeatSize, "too many repetitions", "at most 1000, nested ones multiplied"},
    {RE2::ErrorRepeatOp, "a repetition of a repetition",
     "use one, or a group around the inner one"},
    {RE2::ErrorBadPerlOp, "unknown syntax after '(?'", ""},
    {RE2::ErrorBadUTF8, "not valid UTF-8", ""},
    {RE2::ErrorPatternTooLarge, "the expression is too large", "use smaller repetition counts"},
}};

RE2::Options MakeOptions(int64_t memory) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(memory);
  return options;
}

std::unique_ptr<RE2> MakeRe2(const std::string& pattern) {
  auto re2 = std::make_unique<RE2>(pattern, MakeOptions(kMemory));
  if (re2->error_code() == RE2::ErrorPatternTooLarge) {
    re2 = std::make_unique<RE2>(pattern, MakeOptions(kLargeMemory));
  }
  return re2;
}

std::string Wrap(std::string inner, RegexScope scope) {
  if (scope == RegexScope::kAnywhere) return inner;
  inner.insert(0, kWholeTextPrefix);
  inner += kWholeTextSuffix;
  return inner;
}

// The part of the expression that RE2 complains of, as offsets in the original.
void Locate(const RE2& re2, std::string_view rewritten, const GoPattern& scanned,
            RegexProblem& problem) {
  if (re2.error_code() == RE2::ErrorMissingParen && !scanned.unclosed.empty()) {
    problem.position = scanned.unclosed.back();
    problem.length = 1;
    return;
  }
  const std::string& part = re2.error_arg();
  const std::size_t at = part.empty() ? std::string_view::npos : rewritten.find(part);
  if (at == std::string_view::npos) return;
  const std::size_t end = OriginalOffset(scanned, at + part.size());
  problem.position = OriginalOffset(scanned, at);
  problem.length = std::max<std::size_t>(end, problem.position + 1) - problem.position;
}

RegexProblem Explain(const RE2& re2, std::string_view rewritten, const GoPattern& scanned) {
  RegexProblem problem;
  problem.message = re2.error();
  for (const Explanation& known : kExplanations) {
    if (known.code != re2.error_code()) continue;
    problem.message = known.message;
    problem.hint = known.hint;
  }
  Locate(re2, rewritten, scanned, problem);
  const std::string& part = re2.error_arg();
  if (part.starts_with("(?=") || part.starts_with("(?!") || part.starts_with("(?<")) {
    problem.hint = "looking ahead and behind is not possible here";
  } else if (part.size() == 2 && part[0] == '\\' && part[1] >= '1' && part[1] <= '9') {
    problem.hint = "references back to a group are not possible here";
  }
  if (!part.empty() && part.size() < rewritten.size() && part.size() <= 20) {
    problem.message += " '" + part + "'";
  }
  return problem;
}

}  // namespace

struct GoRegex::Engine {
  std::unique_ptr<RE2> re2;
};

GoRegex::GoRegex() = default;
GoRegex::~GoRegex() = default;

Result<std::unique_ptr<GoRegex>> GoRegex::Compile(std::string_view pattern, RegexScope scope,
                                                  RegexProblem* problem) {
  RegexProblem local;
  RegexProblem& found = problem != nullptr ? *problem : local;
  const auto fail = [&found] {
    return Error{ErrorCode::kInvalid, "could not compile regular expression: " + found.message};
  };
  std::unique_ptr<GoRegex> regex(new GoRegex());
  regex->pattern_ = pattern;
  regex->scope_ = scope;
  if (!ScanGoPattern(pattern, regex->scanned_, found)) return fail();
  const std::string rewritten = RewriteForRe2(pattern, regex->scanned_, {});
  auto engine = std::make_unique<Engine>();
  engine->re2 = MakeRe2(Wrap(rewritten, scope));
  if (!engine->re2->ok()) {
    // Again without what we put around it, so that the complaint is about the user's text.
    const std::unique_ptr<RE2> bare = MakeRe2(rewritten);
    found = Explain(bare->ok() ? *engine->re2 : *bare, rewritten, regex->scanned_);
    return fail();
  }
  regex->engine_ = std::move(engine);
  regex->names_ = regex->scanned_.group_names;
  regex->splits_runes_ = pattern.find("\\B") != std::string_view::npos;
  for (std::size_t i = 0; i < regex->names_.size(); ++i)
    regex->engine_group_.push_back(i);
  return regex;
}

std::unique_ptr<GoRegex> GoRegex::WithGroups(const std::vector<bool>& captured) const {
  std::unique_ptr<GoRegex> regex(new GoRegex());
  regex->pattern_ = pattern_;
  regex->scanned_ = scanned_;
  regex->scope_ = scope_;
  regex->names_ = names_;
  regex->splits_runes_ = splits_runes_;
  regex->engine_ = std::make_unique<Engine>();
  regex->engine_->re2 = MakeRe2(Wrap(RewriteForRe2(pattern_, scanned_, captured), scope_));
  CHECK(regex->engine_->re2->ok());  // It was valid with all groups.
  std::size_t next = 0;
  regex->engine_group_.assign(names_.size(), 0);
  for (std::size_t i = 1; i < names_.size(); ++i) {
    if (captured[i]) regex->engine_group_[i] = ++next;
  }
  return regex;
}

bool GoRegex::Search(std::string_view text, std::size_t from, std::span<TextSpan> groups) const {
  if (!splits_runes_) return SearchOnce(text, from, groups);
  TextSpan whole;
  const std::span<TextSpan> wanted = groups.empty() ? std::span(&whole, 1) : groups;
  const auto inside_rune = [&text](std::size_t at) {
    return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
  };
  while (SearchOnce(text, from, wanted)) {
    from = wanted[0].begin;
    if (!inside_rune(from)) return true;
    while (inside_rune(from))
      ++from;
  }
  return false;
}

bool GoRegex::SearchOnce(std::string_view text, std::size_t from,
                         std::span<TextSpan> groups) const {
  constexpr std::size_t kFew = 16;
  std::array<re2::StringPiece, kFew> few;
  std::vector<re2::StringPiece> many;
  std::size_t wanted = 0;
  for (std::size_t i = 0; i < std::min(groups.size(), names_.size()); ++i) {
    if (i == 0 || engine_group_[i] != 0) wanted = engine_group_[i] + 1;
  }
  re2::StringPiece* pieces = few.data();
  if (wanted > kFew) {
    many.resize(wanted);
    pieces = many.data();
  }
  // RE2 tells an unmatched group by a null pointer, so the text must not have one itself.
  const re2::StringPiece subject(text.data() == nullptr ? "" : text.data(), text.size());
  if (!engine_->re2->Match(subject, from, text.size(), RE2::UNANCHORED, pieces,
                           static_cast<int>(wanted))) {
    return false;
  }
  for (std::size_t i = 0; i < groups.size(); ++i) {
    groups[i] = {};
    if (i >= names_.size() || (i > 0 && engine_group_[i] == 0)) continue;
    const re2::StringPiece& piece = pieces[engine_group_[i]];
    if (piece.data() == nullptr) continue;
    groups[i].begin = static_cast<std::size_t>(piece.data() - subject.data());
    groups[i].end = groups[i].begin + piece.size();
  }
  return true;
}

bool GoRegex::SearchBytes(std::string_view text, std::span<TextSpan> groups) const {
  if (IsValidUtf8(text)) return Search(text, 0, groups);
  SanitizedText sanitized;
  sanitized.Assign(text);
  if (!Search(sanitized.text(), 0, groups)) return false;
  for (TextSpan& span : groups)
    span = sanitized.ToOriginal(span);
  return true;
}

void GoRegex::AppendGroup(std::string_view name, std::string_view text,
                          std::span<const TextSpan> groups, std::string& out) const {
  std::size_t number = 0;
  const char* const end = name.data() + name.size();
  const auto parsed = std::from_chars(name.data(), end, number);
  const bool is_number =
      parsed.ec == std::errc() && parsed.ptr == end && (name.size() == 1 || name[0] != '0');
  if (is_number) {
    if (number < groups.size()) out += groups[number].In(text);
    return;
  }
  // Of several groups with the name, the first one that took part counts.
  for (std::size_t i = 1; i < groups.size(); ++i) {
    if (names_[i] != name || !groups[i].matched()) continue;
    out += groups[i].In(text);
    return;
  }
}

void GoRegex::Expand(std::string_view replacement, std::string_view text,
                     std::span<const TextSpan> groups, std::string& out) const {
  std::size_t at = 0;
  while (at < replacement.size()) {
    const std::size_t dollar = std::min(replacement.find('$', at), replacement.size());
    out += replacement.substr(at, dollar - at);
    if (dollar == replacement.size()) return;
    at = dollar + 1;
    if (at < replacement.size() && replacement[at] == '$') {
      out += '$';
      ++at;
      continue;
    }
    const bool braces = at < replacement.size() && replacement[at] == '{';
    const std::size_t begin = braces ? at + 1 : at;
    std::size_t end = begin;
    while (end < replacement.size() && IsNameByte(replacement[end]))
      ++end;
    const bool closed = !braces || (end < replacement.size() && replacement[end] == '}');
    if (end == begin || !closed) {
      out += '$';  // Not a reference: stays as it is.
      continue;
    }
    AppendGroup(replacement.substr(begin, end - begin), text, groups, out);
    at = braces ? end + 1 : end;
  }
}

void SanitizedText::Assign(std::string_view text) {
  copy_.clear();
  replaced_.clear();
  while (!text.empty()) {
    const DecodedRune rune = DecodeRune(text);
    if (rune.valid) {
      copy_ += text.substr(0, rune.size);
    } else {
      replaced_.push_back(copy_.size());
      copy_ += "\xEF\xBF\xBD";
    }
    text.remove_prefix(rune.size);
  }
}

std::size_t SanitizedText::ToOriginal(std::size_t offset) const {
  const auto before = std::lower_bound(replaced_.begin(), replaced_.end(), offset);
  return offset - 2 * static_cast<std::size_t>(before - replaced_.begin());
}

TextSpan SanitizedText::ToOriginal(const TextSpan& span) const {
  if (!span.matched()) return span;
  return {ToOriginal(span.begin), ToOriginal(span.end)};
}

void ReportRegexProblem(FieldReader& fields, std::string_view key, const ConfigNode& value,
                        const RegexProblem& problem) {
  fields.problems().Error(value.PlaceWithin(problem.position, problem.length), fields.PathOf(key),
                          "could not compile regular expression: " + problem.message, problem.hint);
}

}  // namespace agent
