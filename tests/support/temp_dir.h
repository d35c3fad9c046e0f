// A folder of a test's own, gone with all that is in it when the test ends.

#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "base/check.h"

namespace agent {

class TempDir {
 public:
  // On whatever disk temporary files are on.
  TempDir() : TempDir(std::filesystem::temp_directory_path()) {}
  explicit TempDir(const std::filesystem::path& parent) {
    std::string pattern = (parent / "agent-test-XXXXXX").string();
    AGENT_CHECK(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  // The place for files in memory where there is one: for a test whose thousands of fsync would
  // otherwise measure the disk.
  static std::filesystem::path InMemory() {
    const std::filesystem::path shared_memory = "/dev/shm";
    return ::access(shared_memory.c_str(), W_OK) == 0 ? shared_memory
                                                      : std::filesystem::temp_directory_path();
  }

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace agent
