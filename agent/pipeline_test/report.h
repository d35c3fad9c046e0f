// What became of the tests, for a person, for tools, and for build servers.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/pipeline_test/test_verdict.h"

namespace agent {

enum class TestStatus : uint8_t { kPassed, kFailed, kUpdated };

struct TestReport {
  std::string file;
  uint32_t line = 0;  // Where the test begins.
  std::string name;
  TestStatus status = TestStatus::kPassed;
  std::vector<DifferenceRow> difference;  // Of what did not pass before it was updated, too.
};

struct TestCounts {
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::size_t updated = 0;
};
TestCounts CountTests(const std::vector<TestReport>& reports);

// "passed", "failed", "updated".
std::string_view TestStatusName(TestStatus status);

struct ReportTextOptions {
  bool color = false;
  bool verbose = false;  // Tests that have passed, too.
};
std::string FormatReportText(const std::vector<TestReport>& reports,
                             const ReportTextOptions& options);
// {"tests": [{"file", "line", "name", "status", "difference": [{"sign", "text"}]}], "passed": 1, …}
std::string FormatReportJson(const std::vector<TestReport>& reports);
std::string FormatReportJunit(const std::vector<TestReport>& reports);

}  // namespace agent
