// Inputs whose documents are made in the same way share an output: what stands in its `document`.

#pragma once

#include <cstddef>
#include <vector>

#include "agent/convert/filebeat_job.h"

namespace agent::convert {

struct Profile {
  Document document;
  std::vector<std::size_t> jobs;  // Of Beat::jobs.
};

// One at least.
std::vector<Profile> ProfilesOf(const std::vector<Job>& jobs);

// Whether all jobs of a profile have it.
bool AllHave(const Beat& beat, const Profile& profile, const Constant& constant);

// `document`. Puts what is not the same for all jobs into their labels.
YamlOut WriteDocument(Beat& beat, const Profile& profile);

}  // namespace agent::convert
