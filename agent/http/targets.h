// The two faces of `/targets`.

#pragma once

#include <vector>

#include "agent/http/request.h"
#include "agent/http/state.h"

namespace agent {

ServerResponse TargetsJson(const std::vector<JobStatus>& jobs, const std::vector<LaneInfo>& lanes);
ServerResponse TargetsPage(const std::vector<JobStatus>& jobs, const std::vector<LaneInfo>& lanes,
                           const Readiness& readiness, const AgentInfo& info);

}  // namespace agent
