// The machine as the doctor sees it: whose rights it has, and where the kernel's files are. Tests
// have folders of their own in their place.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace agent::doctor {

struct System {
  std::string root;  // Stands before /proc, /sys and /etc; "" but in tests.
  uid_t uid = 0;     // That files are opened with.
  gid_t gid = 0;
  std::string user;        // Its name, or its number.
  bool container = false;  // The process is in one.

  // As the process is.
  static System Current();
  [[nodiscard]] std::string Path(std::string_view path) const { return root + std::string(path); }
};

// The first line of a file of the kernel's, without its end; nullopt where it cannot be read.
std::optional<std::string> FirstLine(const std::string& path);
// The number at its beginning.
std::optional<uint64_t> ReadNumber(const std::string& path);

// "1.5 GiB", "64 MiB", "17 bytes".
std::string Bytes(uint64_t bytes);
// "3 files", "1 file".
std::string Count(uint64_t count, std::string_view one);
// Adds to a list of words: "a, b".
void AddWord(std::string& list, std::string_view word, std::string_view separator = ", ");
// By name, or by number where it has none.
std::string UserName(uid_t uid);
std::string GroupName(gid_t gid);
// For a shell: in quotes where that is needed.
std::string Quoted(const std::string& word);

}  // namespace agent::doctor
