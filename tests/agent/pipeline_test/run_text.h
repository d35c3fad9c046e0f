// Tests in a text, run: what a test of the tests needs.

#pragma once

#include <optional>
#include <string>

#include "agent/pipeline_test/report.h"
#include "agent/pipeline_test/run_file.h"
#include "agent/pipeline_test/test_file.h"

namespace agent {

inline Environment NoEnvironment() {
  return [](const std::string&) -> std::optional<std::string> { return std::nullopt; };
}

inline PipelineTestFile Parse(const std::string& text, const std::string& path = "t.yaml") {
  return ParsePipelineTests(path, text, NoEnvironment());
}

// The report, or what is wrong with the file.
inline std::string RunText(const std::string& text, const RunFileOptions& options = {},
                           const std::string& path = "t.yaml") {
  const PipelineTestFile file = Parse(text, path);
  if (file.problems.has_errors()) return file.problems.Format(/*color=*/false);
  return FormatReportText(RunTestFile(file, options).reports, {});
}

}  // namespace agent
