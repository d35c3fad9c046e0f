// Lines of text as wide as the terminal, with the style of each piece.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "agent/docs/markdown.h"

namespace agent::docs {

// Spans without line feeds.
using TextLine = std::vector<Span>;

// Columns that a text takes: its characters, each counted as one.
std::size_t Columns(std::string_view text);
std::size_t Columns(const TextLine& line);

// Breaks at blanks, in code as well; what has none for a whole line is cut. At least one line.
// `width` is at least 1.
std::vector<TextLine> Wrap(const std::vector<Span>& spans, std::size_t width);

}  // namespace agent::docs
