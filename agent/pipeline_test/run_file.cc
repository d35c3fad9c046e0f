#include "agent/pipeline_test/run_file.h"

#include <cstddef>
#include <utility>

#include "agent/pipeline_test/test_run.h"
#include "agent/pipeline_test/update_file.h"

namespace agent {
namespace {

struct OneRun {
  const PipelineTest* test = nullptr;
  TestRun run;
  std::vector<DifferenceRow> difference;
};

std::vector<OneRun> RunTests(const PipelineTestFile& file, const RunFileOptions& options) {
  std::vector<OneRun> runs;
  for (const PipelineTest& test : file.tests) {
    if (options.wanted && !options.wanted(test.name)) continue;
    OneRun one;
    one.test = &test;
    one.run = RunPipelineTest(file, test);
    one.difference = CompareTest(test, one.run, options.unmentioned);
    runs.push_back(std::move(one));
  }
  return runs;
}

TestReport ReportOf(const PipelineTestFile& file, OneRun one) {
  TestReport report{file.path, one.test->line(), one.test->name, TestStatus::kPassed, {}};
  if (!one.difference.empty()) report.status = TestStatus::kFailed;
  report.difference = std::move(one.difference);
  return report;
}

// What it says of messages is for a person to put right.
bool CanBeUpdated(const OneRun& one) {
  return !one.difference.empty() && one.test->errors.empty() && one.test->warnings.empty() &&
         !one.run.problems.has_errors();
}

}  // namespace

FileRun RunTestFile(const PipelineTestFile& file, const RunFileOptions& options) {
  FileRun run;
  for (OneRun& one : RunTests(file, options))
    run.reports.push_back(ReportOf(file, std::move(one)));
  return run;
}

Result<FileRun> UpdateTestFile(const PipelineTestFile& file, const RunFileOptions& options,
                               const Environment& environment) {
  std::vector<OneRun> runs = RunTests(file, options);
  std::vector<TestUpdate> updates;
  for (const OneRun& one : runs) {
    if (CanBeUpdated(one)) updates.push_back({one.test, &one.run});
  }
  FileRun result;
  if (!updates.empty()) {
    Result<std::string> text = UpdateExpectations(file, updates, options.unmentioned);
    if (!text.ok()) return std::move(text).error();
    // Nothing is written that does not hold.
    const PipelineTestFile updated = ParsePipelineTests(file.path, *text, environment);
    bool holds = !updated.problems.has_errors() && updated.tests.size() == file.tests.size();
    std::size_t next = 0;
    if (holds) {
      for (const TestReport& report : RunTestFile(updated, options).reports) {
        holds = holds && report.name == runs[next].test->name &&
                (report.status == TestStatus::kPassed || !CanBeUpdated(runs[next]));
        ++next;
      }
    }
    if (!holds) {
      return Error{ErrorCode::kInvalid,
                   file.path +
                       ": cannot be updated: what came out cannot be written in its place (bytes "
                       "that are not UTF-8, or anchors)"};
    }
    result.new_text = std::move(*text);
  }
  for (OneRun& one : runs) {
    const bool updated = CanBeUpdated(one);
    result.reports.push_back(ReportOf(file, std::move(one)));
    if (updated) result.reports.back().status = TestStatus::kUpdated;
  }
  return result;
}

}  // namespace agent
