// What yaml-cpp does not tell about the text it parses: how a scalar is written and where it ends,
// where an empty value stands, and whether the text can be given to it at all.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config/problems.h"

namespace agent {

// How a scalar stands in the text.
struct ScalarText {
  enum class Style : uint8_t { kPlain, kSingleQuoted, kDoubleQuoted, kBlock };

  Style style = Style::kPlain;
  Place place;            // Of its first line, quotes included, without anchor and tag.
  uint32_t end_line = 0;  // Where the closing quote stands; from 1.
  bool closed = true;     // False: the closing quote is missing.
};

// Lines and columns are counted from 0 here, as yaml-cpp's marks do, columns in bytes.
class YamlText {
 public:
  // `text` must outlive it. A byte order mark at its start is left out.
  explicit YamlText(std::string_view text);

  [[nodiscard]] std::string_view text() const { return text_; }
  // Offset of a line's first byte; the end of the text beyond the last line. Negative: 0.
  [[nodiscard]] std::size_t StartOf(int line) const;
  [[nodiscard]] std::string_view From(std::size_t offset) const { return text_.substr(offset); }

  [[nodiscard]] Place PlaceAt(int line, int column, std::size_t length) const;
  // Where the value starts behind "&anchor" and "!tag".
  [[nodiscard]] Place SkipProperties(int line, int column) const;
  // Bytes up to the next space, comma, bracket or end of line; at least 1.
  [[nodiscard]] std::size_t TokenLength(int line, int column) const;
  // Length of a null that is written out ("~", "null"); 0 when the value is just not there.
  [[nodiscard]] std::size_t ExplicitNull(int line, int column) const;
  // Of an empty item of a list: its "-". The mark of yaml-cpp is the token after it.
  [[nodiscard]] Place EmptyItem(int line, int column) const;
  [[nodiscard]] ScalarText Scalar(int line, int column, std::string_view value) const;
  // A tab in what indents a line (from 1, as in a Place).
  [[nodiscard]] std::optional<Place> IndentingTab(uint32_t line) const;

 private:
  [[nodiscard]] std::size_t Offset(int line, int column) const;
  [[nodiscard]] Place PlaceOf(std::size_t offset, std::size_t length) const;
  // Offset behind the closing quote; npos when there is none.
  [[nodiscard]] std::size_t EndOfQuoted(std::size_t offset) const;

  std::string_view text_;
  std::vector<std::size_t> starts_;  // Of all lines.
};

struct TextProblem {
  Place place;
  std::string message;
  std::string hint;
};

// Why a text cannot be YAML for us: not UTF-8, control characters, too large, absurdly nested.
std::optional<TextProblem> CheckYamlText(std::string_view text);

}  // namespace agent
