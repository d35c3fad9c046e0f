#include "agent/runtime/memory_limit.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string_view>

namespace agent {
namespace {

constexpr std::size_t kDefaultBudget = std::size_t{24} << 20;
// Version 1 says "no limit" with a number near 2^63.
constexpr std::size_t kUnlimited = std::size_t{1} << 60;

std::optional<std::size_t> ReadLimit(const std::string& path) {
  std::ifstream file(path);
  std::string text;
  if (!(file >> text)) return std::nullopt;
  std::size_t limit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (error != std::errc() || limit == 0 || limit >= kUnlimited) return std::nullopt;  // "max".
  return limit;
}

// The smallest limit of the group and those above it. Inside a container the path may be the host's
// and not be there; the mount point is then the group itself, which is looked at last.
std::optional<std::size_t> SmallestUpwards(const std::string& mount, std::string group,
                                           std::string_view file) {
  std::optional<std::size_t> smallest;
  for (;;) {
    const auto limit = ReadLimit(mount + group + "/" + std::string(file));
    if (limit) smallest = std::min(*limit, smallest.value_or(*limit));
    const std::size_t slash = group.rfind('/');
    if (group.empty() || slash == std::string::npos) return smallest;
    group.erase(slash);
  }
}

}  // namespace

std::optional<std::size_t> CgroupMemoryLimit(const std::string& root) {
  // Lines of "hierarchy:controllers:path"; version 2 has no controllers.
  std::ifstream file(root + "/proc/self/cgroup");
  std::string line;
  std::optional<std::size_t> smallest;
  while (std::getline(file, line)) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    std::string group = line.substr(second + 1);
    if (group == "/") group.clear();
    std::optional<std::size_t> limit;
    if (controllers.empty()) {
      limit = SmallestUpwards(root + "/sys/fs/cgroup", group, "memory.max");
    } else if (("," + controllers + ",").find(",memory,") != std::string::npos) {
      limit = SmallestUpwards(root + "/sys/fs/cgroup/memory", group, "memory.limit_in_bytes");
    }
    if (limit) smallest = std::min(*limit, smallest.value_or(*limit));
  }
  return smallest;
}

std::size_t MemoryBudgetBytes(std::size_t configured, std::optional<std::size_t> cgroup_limit) {
  if (configured > 0) return configured;
  if (!cgroup_limit) return kDefaultBudget;
  return std::min(kDefaultBudget, *cgroup_limit / 10 * 4);
}

}  // namespace agent
