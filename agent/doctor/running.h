// The agent that may run with this configuration, asked over HTTP.

#pragma once

#include <cstdint>

#include "agent/doctor/subject.h"

namespace agent::doctor {

enum class RunningKind : uint8_t { kNone, kAgent, kPromtail, kOther };

// Who answers at the port of the configuration's HTTP server.
RunningKind WhoRuns(const Subject& subject);

}  // namespace agent::doctor
