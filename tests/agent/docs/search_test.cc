#include "agent/docs/search.h"

#include <array>
#include <string>

#include <catch2/catch.hpp>

#include "agent/docs/library_text.h"

namespace agent::docs {
namespace {

constexpr std::array kPages = std::to_array<Page>({
    {"agent", "agent/README.md",
     "# Agent\n"
     "## Flags\n"
     "| flag | default |\n|---|---|\n| `-log.level` | `info` |\n"
     "## clients\n"
     "Receivers.\n"
     "<!-- keys: clients[], client -->\n"
     "| key | type | default | meaning |\n|---|---|---|---|\n"
     "| `batchwait` | duration | `1s` | How old. |\n"
     "| `buffer` | map | none | [Disk buffer](../outputs/README.md#disk-buffer) |\n"},
    {"outputs", "outputs/README.md",
     "# Outputs\n"
     "## Disk buffer\n"
     "Where batches wait for their zebra.\n"
     "### Its size\n"
     "Much.\n"
     "## Files\n"
     "<!-- keys: outputs[].file -->\n"
     "| key | type | default | meaning |\n|---|---|---|---|\n"
     "| `path` | text | required | Where. |\n"
     "| `json` | boolean | `false` | Whether. |\n"},
    {"json", "pipeline/stages/json.md", "# json\n\nTakes JSON apart.\n\n[All](../README.md)\n"},
    {"pipeline", "pipeline/README.md",
     "# Pipeline\n"
     "| stage | |\n|---|---|\n| [json](stages/json.md) | Reads JSON. |\n"},
});

const Library& TestLibrary() {
  static const Library kLibrary(kPages);
  return kLibrary;
}

std::string Shown(std::string_view query) {
  return ResultText(TestLibrary(), TestLibrary().Find(query), query, {.width = 80});
}

}  // namespace

TEST_CASE("docs search: a page, by its name or its path", "[docs]") {
  for (const char* const query : {"json", "JSON", "pipeline/stages/json.md"}) {
    const SearchResult result = TestLibrary().Find(query);
    INFO(query);
    REQUIRE(result.page != nullptr);
    CHECK(result.page->page.name == "json");
  }
}

TEST_CASE("docs search: a page says what else is called so, and where it belongs", "[docs]") {
  CHECK(Shown("json") ==
        "json\n"
        "\n"
        "  Takes JSON apart.\n"
        "\n"
        "All: agent docs pipeline\n"
        "\n"
        "  Also called so:\n"
        "\n"
        "  - key in outputs, Files: `agent docs file.json`\n");
}

TEST_CASE("docs search: a section has what is below it, and no more", "[docs]") {
  for (const char* const query : {"disk buffer", "Disk-Buffer", "outputs disk-buffer"}) {
    const SearchResult result = TestLibrary().Find(query);
    INFO(query);
    REQUIRE(result.sections.size() == 1);
    const std::string text = Shown(query);
    CHECK(text.find("Much.") != std::string::npos);
    CHECK(text.find("Files") == std::string::npos);
  }
}

TEST_CASE("docs search: a key by its name, or the end of its path", "[docs]") {
  for (const char* const query :
       {"batchwait", "BatchWait", "clients.batchwait", "clients[].batchwait", "client.batchwait"}) {
    INFO(query);
    CHECK(Shown(query) ==
          "agent, clients\n"
          "  batchwait\n"
          "      duration; default `1s`\n"
          "      How old.\n"
          "      In: `clients[].batchwait`, `client.batchwait`\n");
  }
  CHECK_FALSE(TestLibrary().Find("outputs.batchwait").found());
}

TEST_CASE("docs search: what a key's row links to is said as a command", "[docs]") {
  CHECK(Shown("buffer").find("agent docs outputs disk-buffer\n") != std::string::npos);
}

TEST_CASE("docs search: a flag without its dash, dashes for underscores", "[docs]") {
  for (const char* const query : {"log.level", "-log.level"}) {
    const SearchResult result = TestLibrary().Find(query);
    INFO(query);
    REQUIRE(result.rows.size() == 1);
    CHECK(result.rows[0].name == "-log.level");
  }
}

TEST_CASE("docs search: parts of names, then words of the text, then nothing", "[docs]") {
  const SearchResult part = TestLibrary().Find("batch");
  CHECK_FALSE(part.exact);
  REQUIRE(part.rows.size() == 1);

  const SearchResult word = TestLibrary().Find("zebra");
  REQUIRE(word.texts.size() == 1);
  CHECK(word.texts[0].heading == "Disk buffer");

  const SearchResult nothing = TestLibrary().Find("batchwiat");
  CHECK_FALSE(nothing.found());
  CHECK(nothing.nearest == "batchwait");
}

TEST_CASE("docs search: the list has what the overview says of a stage", "[docs]") {
  const std::string list = ListText(TestLibrary(), {.width = 80});

  CHECK(list.find("json      Reads JSON.\n") != std::string::npos);
}

}  // namespace agent::docs
