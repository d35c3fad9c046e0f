#include "pipeline/regex/regex.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/utf8.h"
#include "pipeline/regex/to_pcre.h"

namespace agent {
namespace {

constexpr uint32_t kLongestRest = 4096;     // Lines.
constexpr uint32_t kLiteralWindow = 512;    // Lines.
constexpr uint32_t kLiteralPause = 16'384;  // Lines.

bool IsAscii(std::string_view text) {
  constexpr uint64_t kHighBits = 0x8080808080808080ULL;
  const auto word = [&text](std::size_t at) {
    uint64_t bytes = 0;
    std::memcpy(&bytes, text.data() + at, sizeof bytes);
    return bytes;
  };
  std::size_t at = 0;
  uint64_t seen = 0;
  for (; at + 32 <= text.size(); at += 32) {
    seen |= word(at) | word(at + 8) | word(at + 16) | word(at + 24);
  }
  for (; at + 8 <= text.size(); at += 8)
    seen |= word(at);
  for (; at < text.size(); ++at)
    seen |= static_cast<unsigned char>(text[at]);
  return (seen & kHighBits) == 0;
}

}  // namespace

Regex::Regex(std::unique_ptr<GoRegex> go) : go_(std::move(go)) {
  for (std::size_t i = 0; i <= go_->group_count(); ++i)
    captured_.push_back(i);
}

Regex::~Regex() = default;

Result<std::unique_ptr<Regex>> Regex::Compile(std::string_view pattern, RegexProblem* problem) {
  Result<std::unique_ptr<GoRegex>> go = GoRegex::Compile(pattern, RegexScope::kAnywhere, problem);
  if (!go.ok()) return std::move(go).error();
  std::unique_ptr<Regex> regex(new Regex(std::move(go).value()));
  regex->tree_ = ParseGoRegex(pattern);
  if (regex->tree_) {
    std::string literal = RequiredLiteral(*regex->tree_);
    if (!literal.empty()) regex->literal_.emplace(std::move(literal));
  }
  return regex;
}

void Regex::Capture(std::vector<std::size_t> groups) {
  captured_ = std::move(groups);
  built_ = false;
}

bool Regex::uses_jit() {
  if (!built_) Build();
  return ascii_ != nullptr;
}

void Regex::Build() {
  built_ = true;
  std::vector<bool> wanted(group_count() + 1, false);
  for (const std::size_t group : captured_) {
    CHECK(group < wanted.size());
    wanted[group] = true;
  }
  wanted[0] = false;
  engine_groups_ = {0};
  std::vector<std::size_t> place(wanted.size(), 0);
  for (std::size_t group = 1; group < wanted.size(); ++group) {
    if (!wanted[group]) continue;
    place[group] = engine_groups_.size();
    engine_groups_.push_back(group);
  }
  found_at_.clear();
  for (const std::size_t group : captured_)
    found_at_.push_back(place[group]);
  found_.assign(engine_groups_.size(), {});
  re2_groups_.assign(engine_groups_.back() + 1, {});
  pruned_ = go_->WithGroups(wanted);
  ascii_ = nullptr;
  unicode_ = nullptr;
  if (!tree_) return;
  const std::size_t groups = engine_groups_.size() - 1;
  if (const auto ascii = ToPcre(*tree_, wanted, PcreAlphabet::kAscii)) {
    ascii_ = JitProgram::Compile(*ascii, PcreAlphabet::kAscii, groups);
  }
  if (const auto unicode = ToPcre(*tree_, wanted, PcreAlphabet::kUnicode)) {
    unicode_ = JitProgram::Compile(*unicode, PcreAlphabet::kUnicode, groups);
  }
}

void Regex::SetSubject(std::string_view text) {
  if (!built_) Build();
  subject_ = text;
  is_copy_ = false;
  alphabet_ = IsAscii(text) ? Alphabet::kAscii : Alphabet::kUnicode;
  if (alphabet_ == Alphabet::kAscii || IsValidUtf8(text)) return;
  copy_.Assign(text);
  subject_ = copy_.text();
  is_copy_ = true;
}

// Finds the first match from `from` on, in offsets of subject_.
bool Regex::SearchSubject(std::size_t from) {
  JitProgram* const program = alphabet_ == Alphabet::kAscii ? ascii_.get() : unicode_.get();
  if (program == nullptr) return SearchRe2(from);
  if (rest_lines_ > 0) {
    --rest_lines_;
    return SearchRe2(from);
  }
  switch (program->Search(subject_, from, found_)) {
    case JitProgram::Outcome::kMatch:
      backoff_ -= backoff_ > 0 ? 1 : 0;
      return true;
    case JitProgram::Outcome::kNoMatch:
      backoff_ -= backoff_ > 0 ? 1 : 0;
      return false;
    default:
      ++gave_up_;
      backoff_ = std::min(2 * backoff_ + 1, kLongestRest);
      rest_lines_ = backoff_;
      return SearchRe2(from);
  }
}

bool Regex::SearchRe2(std::size_t from) {
  // Without groups to report nor a need for the place, RE2 only has to say yes or no.
  if (captured_.empty() && next_ == TextSpan::kNone) return pruned_->Search(subject_, from, {});
  if (!pruned_->Search(subject_, from, re2_groups_)) return false;
  for (std::size_t i = 0; i < found_.size(); ++i)
    found_[i] = re2_groups_[engine_groups_[i]];
  return true;
}

bool Regex::Rejected(std::string_view text) {
  if (!literal_) return false;
  if (literal_pause_ > 0) {
    --literal_pause_;
    return false;
  }
  const bool rejected = !literal_->In(text);
  literal_rejected_ += rejected ? 1 : 0;
  if (++literal_seen_ == kLiteralWindow) {
    if (literal_rejected_ < kLiteralWindow / 16) literal_pause_ = kLiteralPause;
    literal_seen_ = 0;
    literal_rejected_ = 0;
  }
  return rejected;
}

void Regex::CopyGroups(std::span<TextSpan> groups) const {
  for (std::size_t i = 0; i < captured_.size(); ++i) {
    const TextSpan& found = found_[found_at_[i]];
    groups[i] = is_copy_ ? copy_.ToOriginal(found) : found;
  }
}

bool Regex::Matches(std::string_view text) {
  if (Rejected(text)) return false;
  SetSubject(text);
  next_ = TextSpan::kNone;
  return SearchSubject(0);
}

bool Regex::Search(std::string_view text, std::span<TextSpan> groups) {
  if (!Matches(text)) return false;
  CopyGroups(groups);
  return true;
}

void Regex::Begin(std::string_view text) {
  next_ = 0;
  previous_end_ = TextSpan::kNone;
  if (Rejected(text)) {
    next_ = TextSpan::kNone;
    return;
  }
  SetSubject(text);
}

bool Regex::Next(std::span<TextSpan> groups) {
  while (next_ != TextSpan::kNone && next_ <= subject_.size()) {
    if (literal_ && next_ > 0 && Rejected(subject_.substr(next_))) break;
    if (!SearchSubject(next_)) break;
    const TextSpan whole = found_[0];
    bool counts = true;
    if (whole.end == next_) {
      counts = whole.begin != previous_end_;
      next_ += next_ < subject_.size() ? DecodeRune(subject_.substr(next_)).size : 1;
    } else {
      next_ = whole.end;
    }
    previous_end_ = whole.end;
    if (!counts) continue;
    CopyGroups(groups);
    return true;
  }
  next_ = TextSpan::kNone;
  return false;
}

std::unique_ptr<Regex> ReadRegex(FieldReader& fields, std::string_view key) {
  const ConfigNode* const value = fields.Node(key);
  if (value == nullptr || value->is_null()) return nullptr;
  const std::size_t errors = fields.problems().error_count();
  const std::string text = fields.String(key);
  if (fields.problems().error_count() > errors) return nullptr;
  RegexProblem problem;
  Result<std::unique_ptr<Regex>> regex = Regex::Compile(text, &problem);
  if (regex.ok()) return std::move(regex).value();
  ReportRegexProblem(fields, key, *value, problem);
  return nullptr;
}

std::unique_ptr<Regex> ReadRequiredRegex(FieldReader& fields, std::string_view key) {
  if (fields.RequiredString(key).empty()) return nullptr;
  return ReadRegex(fields, key);
}

}  // namespace agent
