// The difference between two clocks, and what it costs.

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "agent/doctor/finding.h"

namespace agent::doctor {

// Of a Date header ("Sun, 22 Nov 2026 02:40:00 GMT"), seconds since 1970.
std::optional<int64_t> ParseHttpDate(const std::string& text);

// `receiver` said that it was `their_s` when it was `our_s` here.
void ReportSkew(const std::string& receiver, int64_t our_s, int64_t their_s, const Group& group);

}  // namespace agent::doctor
