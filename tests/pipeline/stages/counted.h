// What stages have counted, as text.

#pragma once

#include <string>
#include <string_view>

#include "pipeline/stage_counters.h"

namespace agent {

// Of one metric: "email 2, ipv4 1".
inline std::string Counted(const StageCounters& counters, std::string_view metric) {
  std::string text;
  for (const auto& row : counters.rows()) {
    if (row->metric != metric || row->count.value() == 0) continue;
    if (!text.empty()) text += ", ";
    text += row->what + " " + std::to_string(row->count.value());
  }
  return text;
}

// "malformed 1"
inline std::string Failures(const StageCounters& counters) {
  return Counted(counters, "agent_stage_failures_total");
}

}  // namespace agent
