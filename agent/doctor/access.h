// Why a path cannot be used: which part of it refuses, or is missing, also behind symbolic links;
// and what helps.

#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>

#include "agent/doctor/system.h"

namespace agent::doctor {

enum class Want : uint8_t {
  kRead,     // A file.
  kList,     // A folder: its names, and what is in it.
  kWrite,    // A file.
  kReplace,  // A folder: to make files in it.
};

struct Refusal {
  int error = 0;             // ENOENT, EACCES, ELOOP, EROFS, ENOTDIR, …
  std::string place;         // The part of the way that refuses, or is the first that is missing.
  std::string links;         // "/a/b -> /c/d" where links lead there; else empty.
  struct stat info {};       // Of `place`, where there is one.
  bool modes_allow = false;  // Owner and bits would allow it: something else does not.
  bool on_the_way = false;   // `place` is a folder that has only to be passed.

  // "is not there", "may not be read (root:adm 0640)", …
  [[nodiscard]] std::string Text(const std::string& path) const;
};

// Nothing when it can be used as `want` says, with the rights of the process.
std::optional<Refusal> WhyRefused(const std::string& path, Want want);

// What lets `system.user` use it. One line for a shell, or what to mount.
std::string AccessFix(const Refusal& refusal, Want want, const System& system);

// "root:adm 0640".
std::string OwnerText(const struct stat& info);

// What a refusal may come from where modes allow it: "SELinux is enforcing", … Empty: nothing
// known.
std::string SecurityHint(const System& system);

}  // namespace agent::doctor
