// Runs the tests of one file, and updates it where that is asked for.

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agent/config/environment.h"
#include "agent/pipeline_test/report.h"
#include "agent/pipeline_test/test_file.h"
#include "agent/pipeline_test/test_verdict.h"
#include "base/result.h"

namespace agent {

struct RunFileOptions {
  Unmentioned unmentioned = Unmentioned::kIgnored;
  // Which tests to run; null: all.
  std::function<bool(const std::string& name)> wanted;
};

struct FileRun {
  std::vector<TestReport> reports;  // In the order of the file.
  // Only of UpdateTestFile: what the file should be; empty when nothing changes.
  std::string new_text;
};

// `file` has no errors.
FileRun RunTestFile(const PipelineTestFile& file, const RunFileOptions& options);

// Also makes the text with which all tests pass whose expectations can be rewritten: those of
// configurations with errors cannot. Fails when the tests would not pass with that text, or it
// cannot be made.
Result<FileRun> UpdateTestFile(const PipelineTestFile& file, const RunFileOptions& options,
                               const Environment& environment);

}  // namespace agent
