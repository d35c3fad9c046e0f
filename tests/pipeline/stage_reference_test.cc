// The stage reference for users, pipeline/stages/README.md: complete, and true where it can be run.

#include <algorithm>
#include <filesystem>
#include <fstream>
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

struct Section {
  std::string stage;
  std::vector<std::string> examples;  // What stands in its blocks of YAML.
};

std::vector<Section> ReadSections() {
  std::ifstream file(std::string(AGENT_SOURCE_DIR) + "/pipeline/stages/README.md");
  REQUIRE(file.is_open());
  constexpr std::string_view kHeading = "## ";
  std::vector<Section> sections;
  bool in_example = false;
  for (std::string line; std::getline(file, line);) {
    if (in_example) {
      in_example = line != "```";
      if (in_example) sections.back().examples.back() += line + "\n";
    } else if (line.starts_with(kHeading)) {
      sections.push_back({line.substr(kHeading.size()), {}});
    } else if (line == "```yaml" && !sections.empty()) {
      in_example = true;
      sections.back().examples.emplace_back();
    }
  }
  return sections;
}

// An example is a test without a name.
std::string RunExample(const std::string& example) {
  std::string text = "tests:\n  - name: example\n";
  std::istringstream lines(example);
  for (std::string line; std::getline(lines, line);)
    text += (line.empty() ? "" : "    ") + line + "\n";
  const PipelineTestFile file = ParsePipelineTests("README.md", text, ProcessEnvironment());
  if (file.problems.has_errors()) return file.problems.Format(/*color=*/false);
  const FileRun run = RunTestFile(file, {});
  return CountTests(run.reports).failed > 0 ? FormatReportText(run.reports, {}) : std::string();
}

}  // namespace

TEST_CASE("stage reference: every stage has a section, sorted by name", "[stages][docs]") {
  std::vector<std::string> documented;
  for (const Section& section : ReadSections())
    documented.push_back(section.stage);
  std::vector<std::string> stages;
  for (const StageEntry& entry : AllStages())
    stages.emplace_back(entry.name);

  CHECK(documented == stages);
}

TEST_CASE("stage reference: the examples give what they say", "[stages][docs]") {
  // Paths in the examples are those from the root of the repository.
  std::filesystem::current_path(AGENT_SOURCE_DIR);
  std::size_t run = 0;

  for (const Section& section : ReadSections()) {
    for (const std::string& example : section.examples) {
      INFO(section.stage << "\n" << example);
      Problems problems("README.md", example);
      const ConfigNode test = LoadYaml(example, problems);
      INFO(problems.Format(/*color=*/false));
      REQUIRE_FALSE(problems.has_errors());
      // Others show a piece of a configuration.
      if (test.Find("lines") == nullptr || test.Find("entries") == nullptr) continue;
      ++run;
      CHECK(RunExample(example).empty());
    }
  }
  CHECK(run >= 20);
}

}  // namespace agent
