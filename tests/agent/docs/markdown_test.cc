#include "agent/docs/markdown.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace agent::docs {
namespace {

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("markdown: headings, paragraphs over several lines, items", "[docs]") {
  const auto blocks = ParseMarkdown(
      "# Title\n"
      "one\n"
      "two\n"
      "\n"
      "## Below `it`\n"
      "- first\n"
      "  goes on\n"
      "- second\n"
      "  1. inner\n");

  REQUIRE(blocks.size() == 6);
  CHECK(blocks[0].kind == BlockKind::kHeading);
  CHECK(blocks[0].level == 1);
  CHECK(blocks[1].kind == BlockKind::kParagraph);
  CHECK(blocks[1].text == "one two");
  CHECK(blocks[2].level == 2);
  CHECK(blocks[2].line == 5);
  CHECK(blocks[3].kind == BlockKind::kItem);
  CHECK(blocks[3].text == "first goes on");
  CHECK(blocks[4].level == 1);
  CHECK(blocks[5].level == 2);
  CHECK(blocks[5].marker == "1.");
}

TEST_CASE("markdown: code stays as it is, also within an item", "[docs]") {
  const auto blocks = ParseMarkdown(
      "```yaml\n"
      "# no heading\n"
      "\n"
      "a: |\n"
      "```\n"
      "- x\n"
      "  ```\n"
      "  b\n"
      "    c\n"
      "  ```\n");

  REQUIRE(blocks.size() == 3);
  CHECK(blocks[0].kind == BlockKind::kCode);
  CHECK(blocks[0].language == "yaml");
  CHECK(blocks[0].text == "# no heading\n\na: |\n");
  CHECK(blocks[2].text == "b\n  c\n");
}

TEST_CASE("markdown: bars in code, or behind a backslash, part no cells", "[docs]") {
  const auto blocks = ParseMarkdown(
      "<!-- keys: a[] -->\n"
      "| key | meaning |\n"
      "|---|---|\n"
      "| `a|b` | c \\| d |\n"
      "| | empty |\n"
      "text\n");

  REQUIRE(blocks.size() == 3);
  CHECK(blocks[0].kind == BlockKind::kComment);
  CHECK(blocks[0].text == "keys: a[]");
  REQUIRE(blocks[1].kind == BlockKind::kTable);
  CHECK(blocks[1].rows ==
        std::vector<Texts>{{"key", "meaning"}, {"`a|b`", "c | d"}, {"", "empty"}});
  CHECK(blocks[2].text == "text");
}

TEST_CASE("markdown: anchors are those that GitHub makes", "[docs]") {
  struct Case {
    const char* heading;
    const char* anchor;
  };
  const auto c = GENERATE(values<Case>({
      {"Templates, lifecycle and alias", "templates-lifecycle-and-alias"},
      {"`json` and more", "json-and-more"},
      {"docker_sd_configs", "docker_sd_configs"},
      {"Files that are not UTF-8", "files-that-are-not-utf-8"},
  }));

  CHECK(HeadingAnchor(c.heading) == c.anchor);
}

TEST_CASE("markdown: marks within a line", "[docs]") {
  const auto spans = ParseSpans("a **b `c`** *d* [e `f`](g.md#h) 2 * 3 * 4 \\* &#124;");

  Texts texts;
  for (const Span& span : spans)
    texts.push_back(std::to_string(static_cast<int>(span.style)) + span.text);
  CHECK(texts == Texts{"0a ", "2b ", "1c", "0 ", "3d", "0 ", "4e f", "0 2 * 3 * 4 * |"});
  CHECK(spans[6].target == "g.md#h");
}

TEST_CASE("markdown: marks that do not end are text", "[docs]") {
  const auto text = GENERATE(as<std::string>(), "a `b", "**", "[x", "[x](y", "*", "`", "<code>");

  CHECK(PlainText(text) == text);
}

TEST_CASE("markdown: code spans of a cell", "[docs]") {
  CHECK(CodeSpans("`a`, `b|c` and <code>d &#124; e</code>") == Texts{"a", "b|c", "d | e"});
}

}  // namespace agent::docs
