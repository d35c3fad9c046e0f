// Runs the tests of a YAML file in tests/pipelines: stages, lines in, entries out.
//
//   tests:
//     - name: "what holds"
//       pipeline_stages: [...]
//       labels: {app: web}                # What every entry starts with.
//       lines: ["..."]
//       entries:                          # What comes out, in order.
//         - line: "..."
//           labels: {app: web}
//           timestamp: "2023-05-06T07:08:09Z"     # Absent: the time at which the line was read.
//           structured_metadata: {trace: t1}      # Absent: none.
//           extracted: {level: info}      # Without what only repeats a label of the start.
//       metrics: {'logentry_dropped_lines_total{reason="drop_stage"}': 1}

#pragma once

#include <string>
#include <vector>

#include "base/config/yaml.h"

namespace agent {

struct PipelineTestOutcome {
  std::string name;
  std::string difference;  // Empty: as expected.
};

std::vector<PipelineTestOutcome> RunPipelineTestFile(const std::string& path);

// Runs one of them, whose name is not needed. Returns the difference.
std::string RunPipelineTest(const ConfigNode& test);

}  // namespace agent
