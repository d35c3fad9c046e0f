// Shows Markdown in a terminal: headings at the left and everything else indented below them, as
// manual pages do, paragraphs wrapped, tables aligned.

#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "agent/docs/keys.h"
#include "agent/docs/markdown.h"

namespace agent::docs {

struct RenderOptions {
  std::size_t width = 80;  // Columns.
  // Bold, underlined and coloured by escape sequences. Without it the text has none of these: code
  // stands in backticks, items begin with a dash.
  bool styled = false;
};

std::string Render(std::span<const Block> blocks, const RenderOptions& options);

// One row of a table, as a paragraph of its own.
std::string RenderRow(const KeyRow& row, const RenderOptions& options);

// Bold where there are styles.
std::string Emphasized(const std::string& text, const RenderOptions& options);

}  // namespace agent::docs
