// What the cgroup gives of memory and processor time.

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include "agent/doctor/subject.h"
#include "agent/runtime/memory_limit.h"

namespace agent::doctor {
namespace {

// What the program itself takes beside data in flight; measured peaks are 22 to 56 MiB in all.
constexpr uint64_t kBesides = uint64_t{32} << 20U;

// Cores that the quota of the own group gives; nullopt: no quota.
std::optional<double> CpuQuota(const System& system) {
  std::string group;
  std::ifstream groups(system.Path("/proc/self/cgroup"));
  std::string line;
  while (std::getline(groups, line)) {
    if (line.starts_with("0::")) group = line.substr(3);
  }
  if (group == "/") group.clear();
  std::optional<double> smallest;
  for (;;) {
    std::ifstream file(system.Path("/sys/fs/cgroup" + group + "/cpu.max"));
    double quota = 0;
    double period = 0;
    if (file >> quota >> period && period > 0)
      smallest = std::min(smallest.value_or(quota / period), quota / period);
    const std::size_t slash = group.rfind('/');
    if (slash == std::string::npos) break;
    group.erase(slash);
  }
  if (smallest) return smallest;
  const auto quota = ReadNumber(system.Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"));
  const auto period = ReadNumber(system.Path("/sys/fs/cgroup/cpu/cpu.cfs_period_us"));
  if (!quota || !period || *period == 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

std::string Cores(double cores) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), cores == 1 ? "%.2g core" : "%.2g cores", cores);
  return text.data();
}

void CheckMemory(const Subject& subject, const Group& group) {
  const std::optional<std::size_t> limit = CgroupMemoryLimit(subject.system.root);
  const uint64_t budget = MemoryBudgetBytes(subject.config.limits.memory_budget_bytes, limit);
  if (!limit) {
    group.Ok("resources.memory", Bytes(budget) + " for data in flight, no limit of the cgroup");
    return;
  }
  const std::string text =
      Bytes(budget) + " for data in flight, the cgroup's limit is " + Bytes(*limit);
  const uint64_t enough = budget + kBesides;
  const std::string more = "memory limit of " + std::to_string((enough >> 20U) + 1) +
                           "MiB or more: MemoryMax= of the unit, resources.limits.memory of the "
                           "pod, docker run --memory";
  if (budget >= *limit) {
    group.Failure("resources.memory", text,
                  {"the kernel kills the agent when a receiver is away",
                   "limits_config: { memory_budget: " + std::to_string((*limit / 10 * 4) >> 20U) +
                       "MiB }, or a " + more});
  } else if (enough > *limit) {
    group.Warning(
        "resources.memory", text,
        {"with the program itself this is close: the kernel may kill it under load", "a " + more});
  } else {
    group.Ok("resources.memory", text);
  }
}

}  // namespace

void CheckResources(const Subject& subject, Findings& findings) {
  const Group group(findings, "Resources");
  CheckMemory(subject, group);
  const std::optional<double> cores = CpuQuota(subject.system);
  if (!cores) {
    group.Ok("resources.cpu", "no limit of processor time");
  } else if (*cores < 0.05) {
    group.Warning("resources.cpu", "the cgroup gives " + Cores(*cores),
                  {"bursts of lines wait for seconds, and probes of /ready may fail",
                   "CPUQuota=25% of the unit, resources.limits.cpu: 100m of the pod"});
  } else {
    group.Ok("resources.cpu", "the cgroup gives " + Cores(*cores));
  }
}

}  // namespace agent::doctor
