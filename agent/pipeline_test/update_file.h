// Rewrites expectations in the text of a test file, and nothing else of it.

#pragma once

#include <string>
#include <vector>

#include "agent/pipeline_test/test_file.h"
#include "agent/pipeline_test/test_run.h"
#include "agent/pipeline_test/test_verdict.h"
#include "base/result.h"

namespace agent {

struct TestUpdate {
  const PipelineTest* test = nullptr;
  const TestRun* run = nullptr;
};

// The text with `entries` and `metrics` of these tests as they came out. Entries and metrics that
// were right stay as they are written, comments too. Fails for a test whose expectations do not
// stand in rows of their own: {…} in one row, or merged from another place.
Result<std::string> UpdateExpectations(const PipelineTestFile& file,
                                       const std::vector<TestUpdate>& updates,
                                       Unmentioned unmentioned);

// Replaces the file by the text at once or not at all; keeps its permissions, and follows links.
Status WriteTestFile(const std::string& path, const std::string& text);

}  // namespace agent
