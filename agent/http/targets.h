// The two faces of `/targets`.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/http/request.h"
#include "agent/http/state.h"

namespace agent {

struct TargetsView {
  std::vector<JobStatus> jobs;  // Those that are asked for.
  std::vector<OutputView> outputs;
  std::vector<std::string> job_names;  // All.
  std::string_view chosen_job;         // Empty: all.
};

// "dev 8:1 inode 1234, id 9f3c….0".
std::string IdentityText(const FileInfo& file);

ServerResponse TargetsJson(const TargetsView& view);
ServerResponse TargetsPage(const TargetsView& view, const Readiness& readiness,
                           const AgentInfo& info);

}  // namespace agent
