// Reads the Markdown in which the documentation is written: headings, paragraphs, lists, tables,
// blocks of code. What GitHub shows is what is meant; what the pages do not use is not known here.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace agent::docs {

enum class BlockKind : uint8_t {
  kHeading,
  kParagraph,
  kItem,  // Of a list.
  kQuote,
  kCode,
  kTable,
  kComment,  // <!-- … -->, of one line.
  kRule,
};

struct Block {
  BlockKind kind = BlockKind::kParagraph;
  std::size_t line = 0;   // Where it begins, from 1.
  std::size_t level = 0;  // Of a heading 1 to 6; of everything else how many lists it stands in.
  std::string marker;     // Of an item: "-" or "3.".
  // Headings, paragraphs, items: one line with its marks (`code`, **bold**). Code: as it is, with
  // line feeds. Comments: what stands between the dashes.
  std::string text;
  std::string language;                        // Of code: "yaml".
  std::vector<std::vector<std::string>> rows;  // Of a table, the first is its head.
};

std::vector<Block> ParseMarkdown(std::string_view text);

// What a link calls a heading: "#templates-lifecycle-and-alias". One that comes twice in a page is
// numbered there, which is not done here.
std::string HeadingAnchor(std::string_view heading);

enum class SpanStyle : uint8_t { kPlain, kCode, kBold, kItalic, kLink };

struct Span {
  SpanStyle style = SpanStyle::kPlain;
  std::string text;
  std::string target;  // Of a link.
};

// The marks within a line. A link whose text is code is a link.
std::vector<Span> ParseSpans(std::string_view text);
// Without any marks.
std::string PlainText(std::string_view text);
// What stands in backticks.
std::vector<std::string> CodeSpans(std::string_view text);

}  // namespace agent::docs
