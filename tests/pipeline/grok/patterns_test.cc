// The built-in patterns one by one: what each accepts and refuses is in patterns.tsv.

#include "pipeline/grok/patterns.h"

#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "pipeline/grok/builtin.h"
#include "pipeline/grok/compiler.h"
#include "tests/support/temp_dir.h"

namespace agent {
namespace {

struct Row {
  int line = 0;
  bool accepted = false;
  std::string text;
};

std::string Unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    ++i;
    out += text[i] == 'n' ? '\n' : text[i] == 't' ? '\t' : text[i];
  }
  return out;
}

std::map<std::string, std::vector<Row>> ReadTable() {
  std::map<std::string, std::vector<Row>> rows;
  std::ifstream file(AGENT_GROK_TABLE);
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.empty() || line[0] == '#') continue;
    const std::size_t tab = line.find('\t');
    REQUIRE(line.substr(tab).size() >= 3);
    rows[line.substr(0, tab)].push_back(
        {number, line[tab + 1] == '+', Unescape(std::string_view(line).substr(tab + 3))});
  }
  return rows;
}

// A file in `dir` with that text.
std::string WriteFile(const TempDir& dir, std::string_view text) {
  std::string path = dir.path() + "/x.grok";
  std::ofstream(path) << text;
  return path;
}

std::vector<BuiltinPattern> AllBuiltin() {
  std::vector<BuiltinPattern> all(BasicPatterns().begin(), BasicPatterns().end());
  all.insert(all.end(), FormatPatterns().begin(), FormatPatterns().end());
  return all;
}

}  // namespace

TEST_CASE("grok patterns: each accepts and refuses what the table says, in machine code",
          "[grok][patterns]") {
  const auto table = ReadTable();
  const GrokPatterns patterns;

  for (const BuiltinPattern& pattern : AllBuiltin()) {
    INFO(pattern.name);
    GrokProblem problem;
    const std::string text = "\\A%{" + std::string(pattern.name) + "}\\z";
    const auto compiled = CompileGrok(text, patterns, problem);
    INFO(problem.message);
    REQUIRE(compiled.has_value());
    CHECK(compiled->regex->uses_jit());
    const auto rows = table.find(std::string(pattern.name));
    REQUIRE(rows != table.end());
    for (const Row& row : rows->second) {
      INFO("line " << row.line << ": " << row.text);
      CHECK(compiled->regex->Matches(row.text) == row.accepted);
    }
  }
}

TEST_CASE("grok patterns: the table has texts of both kinds for each pattern", "[grok][patterns]") {
  const auto table = ReadTable();

  for (const BuiltinPattern& pattern : AllBuiltin()) {
    INFO(pattern.name);
    bool accepted = false;
    bool refused = pattern.name == "GREEDYMULTILINE";  // Refuses nothing.
    for (const Row& row : table.at(std::string(pattern.name)))
      (row.accepted ? accepted : refused) = true;
    CHECK(accepted);
    CHECK(refused);
  }
  CHECK(table.size() == AllBuiltin().size());
}

TEST_CASE("grok patterns: a stage's own come before those of files and the built-in ones",
          "[grok][patterns]") {
  const TempDir dir;
  const std::string path = WriteFile(dir, "# a comment\n\n WORD  [a-z]+\r\nJOB j-%{INT}\n");
  GrokPatterns patterns;
  REQUIRE(patterns.AddFile(path).ok());
  CHECK(patterns.Find("WORD")->text == "[a-z]+");
  CHECK(patterns.OriginOf("JOB") == path + ":4");

  CHECK(patterns.Add("WORD", "own"));

  CHECK(patterns.Find("WORD")->text == "own");
  CHECK(patterns.Find("JOB")->text == "j-%{INT}");
  CHECK(patterns.Find("INT")->builtin);
  CHECK_FALSE(patterns.Find("NONE").has_value());
  CHECK_FALSE(patterns.Add("WORD", "again"));
  CHECK(patterns.OriginOf("WORD").empty());
}

TEST_CASE("grok patterns: what is wrong in a file is told with its line", "[grok][patterns]") {
  struct Case {
    const char* text;
    const char* want;
  };
  const auto c = GENERATE(values<Case>({
      {"A x\nB\n", ":2: expected the name of a pattern and its expression"},
      {"A-B x\n", ":1: expected the name of a pattern"},
      {"A x\nB y\nA z\n", ":3: pattern 'A' is defined before, at "},
  }));
  const TempDir dir;
  GrokPatterns patterns;

  const Status added = patterns.AddFile(WriteFile(dir, c.text));

  REQUIRE_FALSE(added.ok());
  CHECK_THAT(added.error().message, Catch::Contains(c.want));
}

TEST_CASE("grok patterns: a file that is not there is an error", "[grok][patterns]") {
  GrokPatterns patterns;

  const Status added = patterns.AddFile("/nowhere/x.grok");

  REQUIRE_FALSE(added.ok());
  CHECK_THAT(added.error().message, Catch::Contains("/nowhere/x.grok"));
}

}  // namespace agent
