#include "base/config/yaml_text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/utf8.h"

namespace agent {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::size_t kMaxTextBytes = std::size_t{16} << 20U;
// Brackets that open more than close. yaml-cpp keeps a token for each before it parses any; quoted
// texts may have a few of their own, so this is far above what the tree may be nested.
constexpr int64_t kMaxOpenBrackets = 10'000;

bool IsBlank(char c) {
  return c == ' ' || c == '\t';
}
bool IsSpace(char c) {
  return IsBlank(c) || c == '\n' || c == '\r';
}

TextProblem At(std::string_view text, std::size_t offset, std::string message,
               std::string hint = {}) {
  const std::string_view before = text.substr(0, offset);
  const auto line = static_cast<uint32_t>(std::count(before.begin(), before.end(), '\n') + 1);
  const std::size_t start =
      before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  const Place place{line, static_cast<uint32_t>(offset - start + 1), 1};
  return {place, std::move(message), std::move(hint)};
}

std::optional<TextProblem> CheckEncoding(std::string_view text) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    return At(text, 0, "the file is UTF-16", "save it as UTF-8");
  }
  const std::size_t nul = text.find('\0');
  if (nul != std::string_view::npos) {
    return At(text, nul, "a NUL byte: this is no text file", "save it as UTF-8");
  }
  if (IsValidUtf8(text)) return std::nullopt;
  std::size_t offset = 0;
  while (offset < text.size()) {
    const DecodedRune rune = DecodeRune(text.substr(offset));
    if (!rune.valid) break;
    offset += rune.size;
  }
  return At(text, offset, "a byte that is not UTF-8", "save the file as UTF-8");
}

std::optional<TextProblem> CheckCharacters(std::string_view text) {
  int64_t open = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '[' || c == '{') ++open;
    if (c == ']' || c == '}') --open;
    if (open > kMaxOpenBrackets) return At(text, i, "nested more than 100 levels deep");
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    if (!control || c == '\n' || c == '\t') continue;
    if (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    if (c == '\r' && i + 1 == text.size()) continue;
    return At(text, i, "a control character", "in double quotes it can be written as an escape");
  }
  return std::nullopt;
}

}  // namespace

std::optional<TextProblem> CheckYamlText(std::string_view text) {
  if (text.size() > kMaxTextBytes) {
    return TextProblem{{}, "too large: more than 16 MiB of text", {}};
  }
  if (auto problem = CheckEncoding(text)) return problem;
  return CheckCharacters(text);
}

YamlText::YamlText(std::string_view text) : text_(text) {
  if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
  starts_.push_back(0);
  for (std::size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\n') starts_.push_back(i + 1);
  }
}

std::size_t YamlText::StartOf(int line) const {
  if (line < 0) return 0;
  const auto index = static_cast<std::size_t>(line);
  return index < starts_.size() ? starts_[index] : text_.size();
}

std::size_t YamlText::Offset(int line, int column) const {
  return std::min(text_.size(), StartOf(line) + static_cast<std::size_t>(std::max(0, column)));
}

Place YamlText::PlaceOf(std::size_t offset, std::size_t length) const {
  const auto after = std::upper_bound(starts_.begin(), starts_.end(), offset);
  const auto line = static_cast<std::size_t>(after - starts_.begin());
  return {static_cast<uint32_t>(line), static_cast<uint32_t>(offset - starts_[line - 1] + 1),
          static_cast<uint32_t>(std::max<std::size_t>(1, length))};
}

Place YamlText::PlaceAt(int line, int column, std::size_t length) const {
  return PlaceOf(Offset(line, column), length);
}

Place YamlText::SkipProperties(int line, int column) const {
  std::size_t at = Offset(line, column);
  while (at < text_.size() && (text_[at] == '&' || text_[at] == '!')) {
    std::size_t next = at;
    while (next < text_.size() && !IsSpace(text_[next]))
      ++next;
    while (next < text_.size() && IsSpace(text_[next]))
      ++next;
    if (next >= text_.size()) break;
    at = next;
  }
  return PlaceOf(at, 1);
}

std::size_t YamlText::TokenLength(int line, int column) const {
  const std::size_t begin = Offset(line, column);
  const std::size_t end = text_.find_first_of(" \t\r\n,]}", begin);
  return std::max<std::size_t>(1, std::min(end, text_.size()) - begin);
}

std::size_t YamlText::ExplicitNull(int line, int column) const {
  static constexpr std::array<std::string_view, 4> kNulls = {"~", "null", "Null", "NULL"};
  const std::string_view rest = From(Offset(line, column));
  for (const std::string_view null : kNulls) {
    if (!rest.starts_with(null)) continue;
    if (rest.size() == null.size()) return null.size();
    const char next = rest[null.size()];
    if (IsSpace(next) || next == ',' || next == ']' || next == '}') return null.size();
  }
  return 0;
}

Place YamlText::EmptyItem(int line, int column) const {
  const std::size_t mark = Offset(line, column);
  std::size_t at = mark;
  while (at > 0 && IsSpace(text_[at - 1]))
    --at;
  if (at > 0 && text_[at - 1] == '-') return PlaceOf(at - 1, 1);
  return PlaceOf(mark, 1);
}

std::size_t YamlText::EndOfQuoted(std::size_t offset) const {
  const char quote = text_[offset];
  for (std::size_t i = offset + 1; i < text_.size(); ++i) {
    if (quote == '"' && text_[i] == '\\') {
      ++i;
    } else if (text_[i] == quote) {
      if (quote == '"' || i + 1 == text_.size() || text_[i + 1] != quote) return i + 1;
      ++i;
    }
  }
  return std::string_view::npos;
}

ScalarText YamlText::Scalar(int line, int column, std::string_view value) const {
  using enum ScalarText::Style;
  ScalarText scalar;
  scalar.place = SkipProperties(line, column);
  const std::size_t begin = starts_[scalar.place.line - 1] + scalar.place.column - 1;
  const std::size_t line_end = std::min(text_.find('\n', begin), text_.size());
  const char first = begin < text_.size() ? text_[begin] : ' ';
  scalar.end_line = scalar.place.line;
  if (first == '\'' || first == '"') {
    scalar.style = first == '"' ? kDoubleQuoted : kSingleQuoted;
    const std::size_t end = EndOfQuoted(begin);
    scalar.closed = end != std::string_view::npos;
    if (scalar.closed) scalar.end_line = PlaceOf(end - 1, 1).line;
    scalar.place = PlaceOf(begin, std::min(end, line_end) - begin);
  } else if (first == '|' || first == '>') {
    scalar.style = kBlock;
  } else {
    // A plain text over several lines is joined; its first line ends with the line.
    const std::string_view rest = text_.substr(begin, line_end - begin);
    std::size_t length = value.size();
    if (!rest.starts_with(value)) {
      length = rest.size();
      while (length > 0 && IsSpace(rest[length - 1]))
        --length;
    }
    scalar.place = PlaceOf(begin, length);
  }
  return scalar;
}

std::optional<Place> YamlText::IndentingTab(uint32_t line) const {
  if (line == 0 || line > starts_.size()) return std::nullopt;
  std::size_t at = starts_[line - 1];
  while (at < text_.size() && (text_[at] == ' ' || text_[at] == '-'))
    ++at;
  if (at >= text_.size() || text_[at] != '\t') return std::nullopt;
  return PlaceOf(at, 1);
}

}  // namespace agent
