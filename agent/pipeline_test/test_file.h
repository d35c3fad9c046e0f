// A file of pipeline tests: lines in, entries and metrics out.
//
//   config: nginx.yaml                # A configuration, from this file's folder, and one of its
//   job: nginx                        # jobs, if it has several; or pipeline_stages in each test.
//   tests:
//     - name: "what holds"
//       pipeline_stages: [...]
//       labels: {app: web}            # What every entry starts with, over the job's.
//       time: "2026-01-02T03:04:05Z"  # When the first line is read; this is the default.
//       lines:
//         - "..."
//         - {advance: 4s}             # Time passes.
//       entries:                      # What comes out, in order. Absent: not compared.
//         - line: "..."
//           labels: {app: web}                 # Absent: none.
//           timestamp: "2023-05-06T07:08:09Z"  # Absent: `time`.
//           structured_metadata: {trace: t1}   # Absent: none.
//           extracted: {level: info}  # Absent: not compared. Without what only repeats a label
//                                     # of the start.
//       metrics: {'logentry_dropped_lines_total{reason="drop_stage"}': 1}  # Absent: not compared.
//     - name: "what is refused"
//       pipeline_stages: [...]
//       errors: ["expression is required"]  # Parts of messages. `warnings` likewise.
//
// What stands beside `tests` (config, job, expand_env, labels, time) is for all of them.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/config/environment.h"
#include "agent/config/loader.h"
#include "agent/pipeline_test/test_entry.h"
#include "base/config/problems.h"
#include "base/config/yaml.h"
#include "base/labels.h"

namespace agent {

struct ExpectedEntry {
  Place place;
  TestEntry entry;
  bool has_extracted = false;  // Else it is not compared.
};

// A line, or time that passes.
struct TestInput {
  std::string line;
  int64_t advance_ns = 0;  // Not 0: no line.
};

// What a test runs its lines through.
struct TestedStages {
  std::shared_ptr<const ConfigNode> list;  // Null: none.
  std::string path = "pipeline_stages";    // Of the list, for problems.
  std::string job = "test";
  // Of the configuration that they are from; null: they stand in the test itself.
  std::shared_ptr<const LoadedConfig> config;
};

struct PipelineTest {
  std::string name;
  const ConfigNode* node = nullptr;  // The test's map.
  TestedStages stages;
  Labels labels;
  int64_t start_ns = 0;
  std::vector<TestInput> inputs;
  // nullopt: not compared.
  std::optional<std::vector<ExpectedEntry>> entries;
  std::optional<TestMetrics> metrics;
  std::vector<std::string> errors;  // Parts of messages. Not empty: nothing comes out.
  std::vector<std::string> warnings;

  [[nodiscard]] uint32_t line() const { return node->place().line; }
};

struct PipelineTestFile {
  std::string path;
  std::string text;
  Problems problems;                       // Of the file; with errors there are no tests.
  std::shared_ptr<const ConfigNode> root;  // What the tests point into.
  std::vector<PipelineTest> tests;
};

// `path` is named in messages, and configurations are found from its folder.
PipelineTestFile ParsePipelineTests(const std::string& path, const std::string& text,
                                    const Environment& environment);
// A file that cannot be read is a problem, too.
PipelineTestFile LoadPipelineTests(const std::string& path, const Environment& environment);

}  // namespace agent
