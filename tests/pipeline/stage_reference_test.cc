// The stage reference for users, pipeline/README.md and a page for each stage: complete, and true
// where it can be run.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/environment.h"
#include "agent/pipeline_test/report.h"
#include "agent/pipeline_test/run_file.h"
#include "agent/pipeline_test/test_file.h"
#include "base/config/problems.h"
#include "base/config/yaml.h"
#include "pipeline/registry.h"

// Comes last: it has a CHECK of its own.
// clang-format off
#include <catch2/catch.hpp>
// clang-format on

namespace agent {
namespace {

const std::filesystem::path kPipeline = std::filesystem::path(AGENT_SOURCE_DIR) / "pipeline";

std::string ReadText(const std::filesystem::path& path) {
  std::ifstream file(path);
  INFO(path);
  REQUIRE(file.is_open());
  return {std::istreambuf_iterator<char>(file), {}};
}

// What stands in the blocks of YAML of a page.
std::vector<std::string> Examples(const std::string& page) {
  std::istringstream text(page);
  std::vector<std::string> examples;
  bool in_example = false;
  for (std::string line; std::getline(text, line);) {
    if (in_example) {
      in_example = line != "```";
      if (in_example) examples.back() += line + "\n";
    } else if (line == "```yaml") {
      in_example = true;
      examples.emplace_back();
    }
  }
  return examples;
}

std::set<std::string> StageNames() {
  std::set<std::string> names;
  for (const StageEntry& entry : AllStages())
    names.emplace(entry.name);
  return names;
}

// An example is a test without a name.
std::string RunExample(const std::string& example) {
  std::string text = "tests:\n  - name: example\n";
  std::istringstream lines(example);
  for (std::string line; std::getline(lines, line);)
    text += (line.empty() ? "" : "    ") + line + "\n";
  const PipelineTestFile file = ParsePipelineTests("page", text, ProcessEnvironment());
  if (file.problems.has_errors()) return file.problems.Format(/*color=*/false);
  const FileRun run = RunTestFile(file, {});
  return CountTests(run.reports).failed > 0 ? FormatReportText(run.reports, {}) : std::string();
}

}  // namespace

TEST_CASE("stage reference: every stage has a page, and every page a stage", "[stages][docs]") {
  std::set<std::string> pages;
  for (const auto& entry : std::filesystem::directory_iterator(kPipeline / "stages")) {
    if (entry.path().extension() == ".md") pages.insert(entry.path().stem().string());
  }

  CHECK(pages == StageNames());
  for (const std::string& name : pages)
    CHECK(ReadText(kPipeline / "stages" / (name + ".md")).starts_with("# " + name + "\n"));
}

TEST_CASE("stage reference: the overview links to every page once", "[stages][docs]") {
  const std::string overview = ReadText(kPipeline / "README.md");

  for (const std::string& name : StageNames()) {
    const std::string link = "[" + name + "](stages/" + name + ".md)";
    const std::size_t at = overview.find(link);
    INFO(link);
    CHECK(at != std::string::npos);
    CHECK(overview.find(link, at + 1) == std::string::npos);
  }
}

TEST_CASE("stage reference: the examples give what they say", "[stages][docs]") {
  // Paths in the examples are those from the root of the repository.
  std::filesystem::current_path(AGENT_SOURCE_DIR);

  for (const std::string& name : StageNames()) {
    std::size_t run = 0;
    for (const std::string& example : Examples(ReadText(kPipeline / "stages" / (name + ".md")))) {
      INFO(name << "\n" << example);
      Problems problems("page", example);
      const ConfigNode test = LoadYaml(example, problems);
      INFO(problems.Format(/*color=*/false));
      REQUIRE_FALSE(problems.has_errors());
      // Others show a piece of a configuration.
      if (test.Find("lines") == nullptr || test.Find("entries") == nullptr) continue;
      ++run;
      CHECK(RunExample(example).empty());
    }
    INFO(name);
    CHECK(run >= 1);
  }
}

}  // namespace agent
