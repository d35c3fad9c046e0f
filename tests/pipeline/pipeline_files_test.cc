// Every file of tests/pipelines: what a pipeline does to lines.

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "agent/config/environment.h"
#include "agent/pipeline_test/report.h"
#include "agent/pipeline_test/run_file.h"
#include "agent/pipeline_test/test_file.h"

namespace agent {
namespace {

std::vector<std::string> Files() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(AGENT_PIPELINE_TESTS)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

TEST_CASE("pipelines: every file in tests/pipelines gives what it says", "[pipelines]") {
  const std::string file = GENERATE(from_range(Files()));
  // Paths in the tests are those from the root of the repository.
  std::filesystem::current_path(AGENT_SOURCE_DIR);

  const PipelineTestFile tests = LoadPipelineTests(file, ProcessEnvironment());
  INFO(tests.problems.Format(/*color=*/false));
  REQUIRE_FALSE(tests.problems.has_errors());
  RunFileOptions options;
  options.unmentioned = Unmentioned::kForbidden;
  const FileRun run = RunTestFile(tests, options);

  INFO(FormatReportText(run.reports, {}));
  CHECK(CountTests(run.reports).passed == tests.tests.size());
}

}  // namespace agent
