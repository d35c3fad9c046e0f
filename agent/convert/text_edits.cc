#include "agent/convert/text_edits.h"

#include <algorithm>

namespace agent::convert {
namespace {

constexpr std::size_t kStep = 2;

std::size_t IndentOf(std::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

// Nothing, or a comment.
bool IsBlank(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t\r");
  return begin == std::string_view::npos || line[begin] == '#';
}

bool IsItem(std::string_view line, std::size_t indent) {
  const std::string_view rest = line.substr(std::min(indent, line.size()));
  return rest == "-" || rest.starts_with("- ");
}

}  // namespace

TextEdits::TextEdits(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines_.push_back({std::string(text.substr(0, end)), "", false, std::nullopt});
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// Up to the first line that stands no deeper than `indent`; a list may stand as deep as its key.
LineRange TextEdits::Until(std::size_t begin, std::size_t indent, bool list_below) const {
  std::size_t end = begin + 1;  // Behind the last line that belongs to it.
  for (std::size_t next = begin + 1; next <= lines_.size(); ++next) {
    const std::string_view line = lines_[next - 1].text;
    if (IsBlank(line)) continue;
    const std::size_t depth = IndentOf(line);
    const bool inside = depth > indent || (list_below && depth == indent && IsItem(line, indent));
    if (!inside) break;
    end = next + 1;
  }
  return {begin, end};
}

std::optional<LineRange> TextEdits::BlockOf(const Place& key) const {
  if (key.line == 0 || key.line > lines_.size() || key.column == 0) return std::nullopt;
  const std::string_view line = lines_[key.line - 1].text;
  const std::size_t indent = key.column - 1;
  if (IndentOf(line) != indent) return std::nullopt;
  return Until(key.line, indent, /*list_below=*/true);
}

std::optional<LineRange> TextEdits::ItemOf(const Place& first_key) const {
  if (first_key.line == 0 || first_key.line > lines_.size()) return std::nullopt;
  std::size_t line = first_key.line;
  std::size_t dash = IndentOf(lines_[line - 1].text);
  // The dash may stand in a line of its own.
  while (line > 1 && !IsItem(lines_[line - 1].text, dash)) {
    --line;
    dash = IndentOf(lines_[line - 1].text);
    if (!IsBlank(lines_[line - 1].text) && lines_[line - 1].text.substr(dash) != "-") {
      return std::nullopt;
    }
  }
  if (!IsItem(lines_[line - 1].text, dash) || dash + 1 >= first_key.column) return std::nullopt;
  const std::string_view between =
      line == first_key.line
          ? std::string_view(lines_[line - 1].text).substr(dash + 1, first_key.column - dash - 2)
          : std::string_view();
  if (between.find_first_not_of(' ') != std::string_view::npos) return std::nullopt;
  return Until(line, dash, /*list_below=*/false);
}

std::size_t TextEdits::IndentBelow(const LineRange& block) const {
  for (std::size_t line = block.begin + 1; line < block.end; ++line) {
    if (!IsBlank(lines_[line - 1].text)) return IndentOf(lines_[line - 1].text);
  }
  return IndentOf(lines_[block.begin - 1].text) + kStep;
}

void TextEdits::Remove(const LineRange& range) {
  for (std::size_t line = range.begin; line < range.end; ++line)
    lines_[line - 1].removed = true;
  // What stood between two empty lines leaves one.
  const bool first = range.begin <= 1 || lines_[range.begin - 2].text.empty();
  if (first && range.end <= lines_.size() && lines_[range.end - 1].text.empty()) {
    lines_[range.end - 1].removed = true;
  }
}

void TextEdits::CommentOut(const LineRange& range, std::string_view reason) {
  const std::size_t column = IndentOf(lines_[range.begin - 1].text);
  InsertAbove(range.begin, std::string(column, ' ') + "# " + std::string(reason) + '\n');
  for (std::size_t line = range.begin; line < range.end; ++line)
    lines_[line - 1].comment = column;
}

void TextEdits::InsertAbove(std::size_t line, std::string_view text) {
  if (line > lines_.size()) {
    lines_.push_back({"", std::string(text), true, std::nullopt});
  } else {
    lines_[line - 1].above += text;
  }
}

void TextEdits::Replace(const Place& place, std::size_t length, std::string_view text) {
  std::string& line = lines_[place.line - 1].text;
  if (place.column == 0 || place.column - 1 + length > line.size()) return;
  line.replace(place.column - 1, length, text);
}

void TextEdits::Indent(const LineRange& range, std::size_t columns) {
  for (std::size_t line = range.begin; line < range.end; ++line) {
    std::string& text = lines_[line - 1].text;
    if (!text.empty()) text.insert(0, columns, ' ');
  }
}

std::string TextEdits::Result() const {
  std::string text;
  for (const Line& line : lines_) {
    text += line.above;
    if (line.removed) continue;
    if (line.comment && !line.text.empty()) {
      const std::size_t column = std::min(*line.comment, IndentOf(line.text));
      text += line.text.substr(0, column) + "# " + line.text.substr(column) + '\n';
    } else {
      text += line.text + '\n';
    }
  }
  return text;
}

}  // namespace agent::convert
