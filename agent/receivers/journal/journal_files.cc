#include "agent/receivers/journal/journal_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include <systemd/sd-journal.h>

namespace agent {
namespace {

namespace fs = std::filesystem;

bool IsJournalFile(const fs::path& path) {
  return path.extension() == ".journal" || path.extension() == ".journal~";
}

Error CannotOpen(int error_number) {
  switch (error_number) {
    case EPROTONOSUPPORT:
      return {ErrorCode::kUnavailable, "written by a newer systemd than this libsystemd reads"};
    case ENODATA:
    case EBADMSG:
    case EIO:
      return {ErrorCode::kInvalid, "damaged"};
    default:
      return ErrnoError(error_number, "open");
  }
}

// Nothing when it can be read, or is on its way in or out.
void Check(const std::string& path, JournalFiles& files) {
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_size == 0) return;
  ++files.count;
  std::array<const char*, 2> paths = {path.c_str(), nullptr};
  sd_journal* journal = nullptr;
  const int opened = sd_journal_open_files(&journal, paths.data(), 0);
  if (opened >= 0) {
    sd_journal_close(journal);
  } else if (opened != -ENOENT) {
    files.bad.push_back({path, CannotOpen(-opened)});
  }
}

void CheckFolder(const fs::path& folder, bool is_root, JournalFiles& files) {
  std::error_code error;
  fs::directory_iterator at(folder, error);
  if (error) {
    if (error == std::errc::permission_denied) {
      files.bad.push_back({folder.string(), ErrnoError(error.value(), "open")});
      ++files.count;
    }
    return;
  }
  for (; !error && at != fs::directory_iterator(); at.increment(error)) {
    std::error_code ignored;
    if (IsJournalFile(at->path())) {
      Check(at->path().string(), files);
    } else if (is_root && at->is_directory(ignored)) {
      CheckFolder(at->path(), /*is_root=*/false, files);
    }
  }
}

}  // namespace

std::vector<std::string> JournalRoots(const std::string& path) {
  if (!path.empty()) return {path};
  return {"/var/log/journal", "/run/log/journal"};
}

JournalFiles CheckJournalFiles(const std::vector<std::string>& roots) {
  JournalFiles files;
  for (const std::string& root : roots)
    CheckFolder(root, /*is_root=*/true, files);
  return files;
}

std::vector<std::pair<uint64_t, uint64_t>> IdentifyRoots(const std::vector<std::string>& roots) {
  std::vector<std::pair<uint64_t, uint64_t>> identities;
  for (const std::string& root : roots) {
    struct stat info = {};
    const bool there = stat(root.c_str(), &info) == 0;
    identities.emplace_back(there ? info.st_dev : 0, there ? info.st_ino : 0);
  }
  return identities;
}

JournalTrouble DescribeBadFiles(const JournalFiles& files) {
  if (files.bad.empty()) return {};
  const auto forbidden = std::find_if(
      files.bad.begin(), files.bad.end(),
      [](const BadJournalFile& file) { return file.error.code == ErrorCode::kPermission; });
  const BadJournalFile& shown = forbidden != files.bad.end() ? *forbidden : files.bad.front();
  const std::string number = std::to_string(files.bad.size());
  JournalTrouble trouble;
  trouble.what = number + " of " + std::to_string(files.count) +
                 " journal files cannot be read: " + shown.path + ": " + shown.error.message;
  if (forbidden != files.bad.end()) {
    trouble.hint = "run the agent as root, or add its user to the group systemd-journal";
  } else if (shown.error.code == ErrorCode::kUnavailable) {
    trouble.hint = "run an agent that was built with a libsystemd as new as the host's";
  } else {
    trouble.hint = "journalctl --verify --file says what is wrong; the other files are read";
  }
  return trouble;
}

}  // namespace agent
