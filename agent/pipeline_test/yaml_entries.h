// Writes expectations as YAML, the way a person would.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/pipeline_test/test_entry.h"

namespace agent {

// The rows of an item of `entries`, whose "-" is indented by `indent`. `start_ns`: the time that
// needs no word.
std::vector<std::string> EntryRows(const TestEntry& entry, int64_t start_ns, bool with_extracted,
                                   std::size_t indent);

// The row of one metric.
std::string MetricRow(std::string_view name, std::string_view value, std::size_t indent);

}  // namespace agent
