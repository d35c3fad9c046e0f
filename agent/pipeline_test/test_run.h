// Runs one test: its lines through its stages, with the time held.

#pragma once

#include <string>
#include <vector>

#include "agent/pipeline_test/test_entry.h"
#include "agent/pipeline_test/test_file.h"
#include "base/config/problems.h"

namespace agent {

struct TestRun {
  // Of the stages, or of the configuration that they are from. With errors nothing has run.
  Problems problems;
  std::vector<TestEntry> entries;
  TestMetrics metrics;
};

// `file` is what the test is from.
TestRun RunPipelineTest(const PipelineTestFile& file, const PipelineTest& test);

}  // namespace agent
