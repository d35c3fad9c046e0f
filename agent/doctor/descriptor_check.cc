// The limit of open files against the files that match.

#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include "agent/doctor/files_check.h"

namespace agent::doctor {
namespace {

// What the agent takes for files: half of the limit, at most so many.
constexpr uint64_t kMaxForFiles = 4096;

// Of this process, as /proc tells it. The agent raises its soft limit to the hard one.
uint64_t HardLimit(const System& system) {
  std::ifstream limits(system.Path("/proc/self/limits"));
  std::string line;
  while (std::getline(limits, line)) {
    if (!line.starts_with("Max open files")) continue;
    std::istringstream words(line.substr(14));
    std::string soft;
    std::string hard;
    words >> soft >> hard;
    if (hard == "unlimited") return uint64_t{1} << 30U;
    return std::strtoull(hard.c_str(), nullptr, 10);
  }
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_max : 1024;
}

}  // namespace

void ReportDescriptors(const System& system, const Survey& survey, const Group& group) {
  const uint64_t hard = HardLimit(system);
  const uint64_t files = survey.files.size();
  const uint64_t room = std::min(hard / 2, kMaxForFiles);
  if (files > room && room < kMaxForFiles) {
    group.Warning("descriptors.limit",
                  Count(files, "file") + " match, but " + std::to_string(hard) +
                      " may be open, half of it files that are followed",
                  {"files are closed and opened in turn, and the end of one that is deleted "
                   "meanwhile may be lost",
                   "LimitNOFILE=65536   # in the unit's [Service]; docker run --ulimit "
                   "nofile=65536; ulimit -n 65536"});
    return;
  }
  group.Ok("descriptors.limit",
           Count(files, "file") + " to be followed, " + std::to_string(hard) + " may be open");
}

}  // namespace agent::doctor
