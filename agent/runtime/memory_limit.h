// How much memory the data in flight may take when the configuration does not say.

#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace agent {

// The memory limit of this process's cgroup (version 2 or 1), the smallest on the way up; nullopt
// when there is none. `root` is where the file systems are mounted: "" but in tests.
std::optional<std::size_t> CgroupMemoryLimit(const std::string& root = "");

// `configured` if it is not 0; else 24 MiB, or 40 % of the cgroup's limit where that is less.
std::size_t MemoryBudgetBytes(std::size_t configured, std::optional<std::size_t> cgroup_limit);

}  // namespace agent
