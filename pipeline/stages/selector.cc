#include "pipeline/stages/selector.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/utf8.h"

namespace agent {

// Reads a selector from left to right; the first problem ends it.
class SelectorParser {
 public:
  explicit SelectorParser(std::string_view text) : text_(text) {}

  Result<std::unique_ptr<Selector>> Parse() {
    auto selector = std::make_unique<Selector>();
    ParseMatchers(*selector);
    while (!failed() && !AtEnd())
      ParseFilter(*selector);
    if (failed()) return Failure();
    return selector;
  }

  [[nodiscard]] std::size_t offset() const { return problem_at_; }

 private:
  void ParseMatchers(Selector& selector) {
    if (!Expect("{")) return;
    do {
      Selector::Condition matcher;
      matcher.name = Name();
      ParseMatcher(matcher);
      if (failed()) return;
      selector.matchers_.push_back(std::move(matcher));
    } while (Accept(","));
    Expect("}");
  }

  void ParseMatcher(Selector::Condition& matcher) {
    bool is_regex = false;
    if (Accept("=~")) {
      is_regex = true;
    } else if (Accept("!~")) {
      is_regex = matcher.negated = true;
    } else if (Accept("!=")) {
      matcher.negated = true;
    } else if (!Accept("=")) {
      return Fail(at_, "expected one of = != =~ !~");
    }
    ReadText(is_regex, /*anchored=*/true, matcher);
  }

  void ParseFilter(Selector& selector) {
    Selector::Condition filter;
    bool is_regex = false;
    if (Accept("|=")) {
    } else if (Accept("!=")) {
      filter.negated = true;
    } else if (Accept("|~")) {
      is_regex = true;
    } else if (Accept("!~")) {
      is_regex = filter.negated = true;
    } else {
      return Fail(at_, "expected one of |= != |~ !~, or the end");
    }
    ReadText(is_regex, /*anchored=*/false, filter);
    if (!failed()) selector.filters_.push_back(std::move(filter));
  }

  void ReadText(bool is_regex, bool anchored, Selector::Condition& condition) {
    SkipSpace();
    const std::size_t start = at_;
    condition.text = String();
    if (failed() || !is_regex) return;
    const std::string pattern = anchored ? "^(?s:" + condition.text + ")$" : condition.text;
    auto regex = Regex::Compile(pattern);
    if (!regex) return Fail(start, regex.error().message);
    condition.regex = std::move(*regex);
    condition.regex->Capture({});
  }

  // A name as Go's scanner has it: letters are those of any alphabet, and a number will do as well.
  std::string Name() {
    SkipSpace();
    const std::size_t start = at_;
    while (at_ < text_.size() && IsNameByte(text_[at_]))
      ++at_;
    if (at_ == start) {
      const bool closes = start < text_.size() && text_[start] == '}';
      Fail(start, closes ? "expected a label matcher before '}'" : "expected a label name");
    }
    return std::string(text_.substr(start, at_ - start));
  }

  static bool IsNameByte(char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           static_cast<unsigned char>(c) >= 0x80;
  }

  // A string in double quotes with Go's escapes.
  std::string String() {
    SkipSpace();
    if (at_ >= text_.size() || text_[at_] != '"') {
      Fail(at_, "expected a string in double quotes");
      return {};
    }
    const std::size_t start = at_++;
    std::string out;
    while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n' && !failed()) {
      if (text_[at_] != '\\') {
        out += text_[at_++];
      } else {
        Escape(out);
      }
    }
    if (at_ >= text_.size() || text_[at_] == '\n') Fail(start, "the string has no closing quote");
    ++at_;
    return out;
  }

  void Escape(std::string& out) {
    const std::size_t start = at_++;
    const char c = at_ < text_.size() ? text_[at_++] : '\0';
    constexpr std::string_view kEscapes = "abfnrtv\\\"";
    constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\\"";
    const std::size_t known = kEscapes.find(c);
    if (known != std::string_view::npos) {
      out += kMeanings[known];
    } else if (c == 'x') {
      if (const auto byte = Number(2, 16)) out += static_cast<char>(*byte);
    } else if (c == 'u' || c == 'U') {
      if (const auto rune = Number(c == 'u' ? 4 : 8, 16)) {
        const bool is_rune = *rune <= 0x10FFFF && (*rune < 0xD800 || *rune > 0xDFFF);
        if (!is_rune) return Fail(start, "the escape stands for no character");
        AppendUtf8(static_cast<char32_t>(*rune), out);
      }
    } else if (c >= '0' && c <= '7') {
      --at_;
      const auto byte = Number(3, 8);
      if (byte && *byte > 0xFF) return Fail(start, "the escape stands for no byte");
      if (byte) out += static_cast<char>(*byte);
    } else {
      Fail(start, "unknown escape in a string: write '\\\\' for a backslash");
    }
  }

  std::optional<uint32_t> Number(std::size_t digits, int base) {
    uint32_t value = 0;
    const std::string_view text = text_.substr(at_, digits);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc() || end != text.data() + digits) {
      Fail(at_, "the escape is not complete");
      return std::nullopt;
    }
    at_ += digits;
    return value;
  }

  // Blanks, and comments as Go writes them.
  void SkipSpace() {
    while (at_ < text_.size()) {
      const std::string_view rest = text_.substr(at_);
      if (rest.find_first_of(" \t\n\r") == 0) {
        ++at_;
      } else if (rest.starts_with("//")) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (rest.starts_with("/*") && rest.find("*/", 2) != std::string_view::npos) {
        at_ += rest.find("*/", 2) + 2;
      } else {
        return;
      }
    }
  }
  bool AtEnd() {
    SkipSpace();
    return at_ == text_.size();
  }
  bool Accept(std::string_view token) {
    SkipSpace();
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }
  bool Expect(std::string_view token) {
    if (failed() || Accept(token)) return !failed();
    Fail(at_, "expected '" + std::string(token) + "'");
    return false;
  }

  void Fail(std::size_t at, std::string message) {
    if (failed()) return;
    problem_at_ = at;
    problem_ = std::move(message);
  }
  [[nodiscard]] bool failed() const { return !problem_.empty(); }
  [[nodiscard]] Error Failure() const {
    const std::string_view before = text_.substr(0, problem_at_);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t column = problem_at_ - (before.rfind('\n') + 1) + 1;
    return {ErrorCode::kInvalid, "parse error at line " + std::to_string(line) + ", col " +
                                     std::to_string(column) + ": " + problem_};
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  std::size_t problem_at_ = 0;
  std::string problem_;
};

Result<std::unique_ptr<Selector>> Selector::Parse(std::string_view text, std::size_t* offset) {
  SelectorParser parser(text);
  auto selector = parser.Parse();
  if (!selector && offset != nullptr) *offset = parser.offset();
  return selector;
}

bool Selector::MatchesLabels(const Labels& labels) {
  return std::all_of(matchers_.begin(), matchers_.end(), [&](Condition& matcher) {
    // The expressions want readable bytes after their text.
    const std::string value = std::string(labels.Value(matcher.name)) + std::string(64, '\0');
    const std::string_view text(value.data(), value.size() - 64);
    const bool matches = matcher.regex ? matcher.regex->Matches(text) : text == matcher.text;
    return matches != matcher.negated;
  });
}

bool Selector::MatchesLine(std::string_view line) {
  return std::all_of(filters_.begin(), filters_.end(), [&](Condition& filter) {
    const bool matches = filter.regex ? filter.regex->Matches(line)
                                      : line.find(filter.text) != std::string_view::npos;
    return matches != filter.negated;
  });
}

}  // namespace agent
