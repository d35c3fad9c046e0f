#include "agent/runtime/memory_limit.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>

#include "tests/support/temp_dir.h"

namespace agent {
namespace {

void Write(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << text;
}

}  // namespace

TEST_CASE("memory limit: the smallest of the group and those above it", "[memory_limit]") {
  const TempDir root;
  Write(root.path() + "/proc/self/cgroup", "0::/kubepods/pod1/agent\n");
  Write(root.path() + "/sys/fs/cgroup/kubepods/pod1/agent/memory.max", "max\n");
  Write(root.path() + "/sys/fs/cgroup/kubepods/pod1/memory.max", "67108864\n");
  Write(root.path() + "/sys/fs/cgroup/kubepods/memory.max", "1073741824\n");

  CHECK(CgroupMemoryLimit(root.path()) == 67108864U);
}

TEST_CASE("memory limit: inside a container the mount point is the group", "[memory_limit]") {
  const TempDir root;
  Write(root.path() + "/proc/self/cgroup", "5:memory:/docker/abc\n");
  Write(root.path() + "/sys/fs/cgroup/memory/memory.limit_in_bytes", "33554432\n");

  CHECK(CgroupMemoryLimit(root.path()) == 33554432U);
}

TEST_CASE("memory limit: none where nothing says so", "[memory_limit]") {
  const TempDir root;
  Write(root.path() + "/proc/self/cgroup", "5:memory:/\n");
  Write(root.path() + "/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");

  CHECK_FALSE(CgroupMemoryLimit(root.path()).has_value());
}

TEST_CASE("memory budget: what is configured, else 24 MiB, else 40 % of a small limit",
          "[memory_limit]") {
  CHECK(MemoryBudgetBytes(1000, 500) == 1000);
  CHECK(MemoryBudgetBytes(0, std::nullopt) == 24U << 20U);
  CHECK(MemoryBudgetBytes(0, std::size_t{1} << 30) == 24U << 20U);
  CHECK(MemoryBudgetBytes(0, 10'000'000) == 4'000'000);
}

}  // namespace agent
