#include "agent/docs/render.h"

#include <algorithm>
#include <sstream>
#include <string>

#include <catch2/catch.hpp>

#include "agent/docs/pages.h"
#include "agent/docs/wrap.h"

namespace agent::docs {
namespace {

std::string Show(const std::string& markdown, std::size_t width, bool styled = false) {
  return Render(ParseMarkdown(markdown), {.width = width, .styled = styled});
}

constexpr const char* kTable =
    "| key | type | default | meaning |\n"
    "|---|---|---|---|\n"
    "| `alpha` | text | none | What it is. |\n"
    "| `beta`, `b` | size | `4MiB` | Longer: a sentence that has to be wrapped somewhere. |\n";

}  // namespace

TEST_CASE("render: headings stand at the left, text is indented and wrapped", "[docs]") {
  CHECK(Show("# Title\n\nSome `code` in a text that is wrapped.\n\n- an item\n- another\n", 24) ==
        "Title\n"
        "\n"
        "  Some `code` in a text\n"
        "  that is wrapped.\n"
        "\n"
        "  - an item\n"
        "  - another\n");
}

TEST_CASE("render: a table that fits has columns", "[docs]") {
  CHECK(Show(kTable, 67) ==
        "  key      type  default  meaning\n"
        "  alpha    text  none     What it is.\n"
        "  beta, b  size  4MiB     Longer: a sentence that has to be wrapped\n"
        "                          somewhere.\n");
}

TEST_CASE("render: where columns would be torn, cells stand below one another", "[docs]") {
  CHECK(Show(kTable, 40) ==
        "  alpha\n"
        "      text\n"
        "      What it is.\n"
        "\n"
        "  beta, b\n"
        "      size; default `4MiB`\n"
        "      Longer: a sentence that has to be\n"
        "      wrapped somewhere.\n");
}

TEST_CASE("render: code is not wrapped, comments are not shown", "[docs]") {
  CHECK(Show("<!-- keys: x -->\n```\na long line of code\n\n  b\n```\n", 20) ==
        "    a long line of code\n"
        "\n"
        "      b\n");
}

TEST_CASE("render: styles are escape sequences, and only where they are wanted", "[docs]") {
  CHECK(Show("## H\n\n`c` **b** [l](x.md)\n", 40, /*styled=*/true) ==
        "\033[1mH\033[0m\n"
        "\n"
        "  \033[36mc\033[0m \033[1mb\033[0m \033[4ml\033[0m\n");
  CHECK(Show("## H\n\n`c` **b** [l](x.md)\n", 40).find('\033') == std::string::npos);
}

TEST_CASE("render: addresses of other sites are written out", "[docs]") {
  CHECK(Show("[RE2](https://re2.org) here", 60) == "  RE2 (https://re2.org) here\n");
}

TEST_CASE("render: every page fits, but for its code", "[docs]") {
  const auto width = GENERATE(40U, 80U, 120U);
  for (const Page& page : AllPages()) {
    for (const Block& block : ParseMarkdown(page.text)) {
      if (block.kind == BlockKind::kCode) continue;
      std::istringstream lines(Render({&block, 1}, {.width = width}));
      for (std::string line; std::getline(lines, line);) {
        INFO(page.path << ":" << block.line << "\n" << line);
        CHECK(Columns(line) <= width);
      }
    }
  }
}

}  // namespace agent::docs
