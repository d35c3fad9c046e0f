#include "agent/tail/positions_file.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>

#include "tests/support/temp_dir.h"

namespace agent {
namespace {

TEST_CASE("positions file: reads what Promtail writes", "[tail][positions]") {
  const std::string long_path = "/var/log/" + std::string(150, 'p') + "/0.log";
  const ParsedPositions parsed = ParsePositions(
      "positions:\n"
      "  /var/log/a.log: \"1234\"\n"
      "  '/var/log/with: colon.log': \"5\"\n"
      "  \"/var/log/tab\\tx.log\": \"6\"\n"
      "  ? " +
      long_path +
      "\n"
      "  : \"7\"\n"
      "  cursor-journal: s=ab;i=3f\n"
      "  journal-old: '8'\n");
  CHECK(parsed.bad_lines == 0);
  CHECK(parsed.entries == PositionEntries{{"/var/log/a.log", "1234"},
                                          {"/var/log/with: colon.log", "5"},
                                          {"/var/log/tab\tx.log", "6"},
                                          {long_path, "7"},
                                          {"cursor-journal", "s=ab;i=3f"},
                                          {"journal-old", "8"}});
}

TEST_CASE("positions file: what is written is read back", "[tail][positions]") {
  const PositionEntries entries = {
      {"/a b.log", "1"},       {"/a: b #c.log", "2"},
      {"/it's.log", "3"},      {"/new\nline\x01.log", "4"},
      {"/\xc3\xa4.log", "5"},  {"/" + std::string(200, 'x'), "18446744073709551615"},
      {"cursor-x", "s=1;t=2"}, {"- odd", "yes"}};
  const std::string text = FormatPositions(entries);
  const ParsedPositions parsed = ParsePositions(text);
  CHECK(parsed.bad_lines == 0);
  CHECK(parsed.entries == entries);
}

TEST_CASE("positions file: has Promtail's form to the byte", "[tail][positions]") {
  CHECK(FormatPositions({}) == "positions: {}\n");
  CHECK(FormatPositions({{"/b.log", "2"}, {"/a.log", "1"}, {"cursor-j", "s=1"}}) ==
        "positions:\n  /a.log: \"1\"\n  /b.log: \"2\"\n  cursor-j: s=1\n");
}

TEST_CASE("positions file: damage costs the lines that are damaged", "[tail][positions]") {
  struct Case {
    const char* name;
    std::string text;
    std::size_t entries;
    bool damaged;
  };
  const auto c = GENERATE(values<Case>({
      {"empty", "", 0, false},
      {"no entries", "positions: {}\n", 0, false},
      {"null", "positions:\n", 0, false},
      {"NULs", std::string(64, '\0'), 0, true},
      {"torn in a value", "positions:\n  /a: \"1\"\n  /b: \"2", 1, true},
      {"torn in a key", "positions:\n  /a: \"1\"\n  /b", 1, true},
      {"NULs at the end", "positions:\n  /a: \"1\"\n" + std::string(10, '\0'), 1, true},
      {"another document", "other:\n  /a: \"1\"\n", 0, true},
      {"carriage returns", "positions:\r\n  /a: \"1\"\r\n", 1, false},
      {"comments", "# x\n---\npositions: # y\n  /a: \"1\" # z\n", 1, false},
  }));
  INFO(c.name);
  const ParsedPositions parsed = ParsePositions(c.text);
  CHECK(parsed.entries.size() == c.entries);
  CHECK((parsed.bad_lines > 0) == c.damaged);
}

TEST_CASE("positions file: offsets are decimal digits and nothing else", "[tail][positions]") {
  CHECK(ParseOffset("12") == 12U);
  CHECK(!ParseOffset("").has_value());
  CHECK(!ParseOffset("-1").has_value());
  CHECK(!ParseOffset("12x").has_value());
  CHECK(!ParseOffset("99999999999999999999").has_value());
}

TEST_CASE("positions file: is replaced whole, or stays as it was", "[tail][positions]") {
  TempDir dir;
  const std::string path = dir.path() + "/positions.yaml";
  REQUIRE(ReplaceFile(path, "old").ok());
  REQUIRE(ReplaceFile(path, "new").ok());
  CHECK(*ReadWholeFile(path, 100) == "new");
  CHECK(!std::filesystem::exists(path + ".tmp"));

  std::filesystem::create_directory(path + ".tmp");
  CHECK(!ReplaceFile(path, "newer").ok());
  CHECK(*ReadWholeFile(path, 100) == "new");
  CHECK(ReadWholeFile(path, 2).error().code == ErrorCode::kInvalid);
  CHECK(ReadWholeFile(dir.path() + "/none", 2).error().code == ErrorCode::kNotFound);
}

}  // namespace
}  // namespace agent
