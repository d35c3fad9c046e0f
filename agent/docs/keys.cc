#include "agent/docs/keys.h"

#include <algorithm>

namespace agent::docs {
namespace {

constexpr std::string_view kComment = "keys:";

std::vector<std::string> SplitSections(std::string_view list) {
  std::vector<std::string> sections;
  while (true) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view one = list.substr(0, comma);
    while (one.starts_with(' '))
      one.remove_prefix(1);
    while (one.ends_with(' '))
      one.remove_suffix(1);
    sections.emplace_back(one == "top" ? "" : one);
    if (comma == list.size()) return sections;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace

std::string_view KeyRow::Cell(std::string_view title) const {
  const auto found = std::find(titles.begin(), titles.end(), title);
  const auto column = static_cast<std::size_t>(found - titles.begin());
  if (column >= cells.size()) return {};
  return cells[column];
}

std::vector<KeyRow> KeyRows(const std::vector<Block>& blocks) {
  std::vector<KeyRow> rows;
  std::string heading;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const Block& block = blocks[i];
    if (block.kind == BlockKind::kHeading) heading = PlainText(block.text);
    if (block.kind != BlockKind::kTable || block.rows.empty()) continue;
    const bool is_key = i > 0 && blocks[i - 1].kind == BlockKind::kComment &&
                        blocks[i - 1].text.starts_with(kComment);
    for (std::size_t row = 1; row < block.rows.size(); ++row) {
      if (block.rows[row].empty()) continue;
      KeyRow key;
      key.names = CodeSpans(block.rows[row].front());
      if (key.names.empty()) continue;
      if (is_key) key.sections = SplitSections(blocks[i - 1].text.substr(kComment.size()));
      key.is_key = is_key;
      key.heading = heading;
      key.block = i;
      key.line = block.line;
      key.titles = block.rows.front();
      key.cells = block.rows[row];
      rows.push_back(std::move(key));
    }
  }
  return rows;
}

bool IsSection(std::string_view pattern, std::string_view path) {
  if (!pattern.starts_with("*.")) return pattern == path;
  return path.ends_with(pattern.substr(1)) || path == pattern.substr(2);
}

}  // namespace agent::docs
