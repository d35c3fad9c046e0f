// Findings as they are printed.

#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "agent/doctor/finding.h"

namespace agent::doctor {

struct MarkCounts {
  std::size_t ok = 0;
  std::size_t notes = 0;
  std::size_t warnings = 0;
  std::size_t failures = 0;
};
MarkCounts CountMarks(const std::vector<Finding>& findings);

// In the order of the groups' names below; within a group as they were found. Groups that are not
// there (one for each output) stand where their kind does.
void SortByGroup(std::vector<Finding>& findings);

// For people: grouped, with a summary at the end. `findings` are sorted.
std::string TextReport(const std::vector<Finding>& findings, bool color);
// For machines: {"findings": […], "summary": {…}}.
std::string JsonReport(const std::vector<Finding>& findings);

}  // namespace agent::doctor
