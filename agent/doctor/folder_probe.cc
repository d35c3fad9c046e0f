#include "agent/doctor/folder_probe.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "agent/tail/glob.h"
#include "base/unique_fd.h"

namespace agent::doctor {
namespace {

constexpr std::size_t kProbeBytes = 4096;

std::string FileSystemName(const std::string& folder) {
  struct Known {
    long magic;
    const char* name;
  };
  constexpr std::array<Known, 7> kKnown = {{{TMPFS_MAGIC, "tmpfs"},
                                            {RAMFS_MAGIC, "ramfs"},
                                            {OVERLAYFS_SUPER_MAGIC, "overlay"},
                                            {NFS_SUPER_MAGIC, "nfs"},
                                            {0xff534d42, "cifs"},
                                            {0xfe534d42, "smb"},
                                            {FUSE_SUPER_MAGIC, "fuse"}}};
  struct statfs info {};
  if (::statfs(folder.c_str(), &info) != 0) return "";
  const auto* const at = std::find_if(kKnown.begin(), kKnown.end(), [&info](const Known& known) {
    return known.magic == static_cast<long>(info.f_type);
  });
  return at == kKnown.end() ? "" : at->name;
}

// A file without a name, or one that loses it at once where the file system knows no such.
UniqueFd OpenProbe(const std::string& folder) {
  UniqueFd fd(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (fd.valid() || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) return fd;
  std::string name = folder + "/.doctor-XXXXXX";
  fd.Reset(::mkostemp(name.data(), O_CLOEXEC));
  if (fd.valid()) ::unlink(name.c_str());
  return fd;
}

void TryWriting(FolderProbe& probe) {
  const UniqueFd fd = OpenProbe(probe.folder);
  if (!fd.valid()) {
    probe.write_error = errno;
    return;
  }
  const std::array<char, kProbeBytes> bytes{};
  const auto begin = std::chrono::steady_clock::now();
  const ssize_t written = ::write(fd.get(), bytes.data(), bytes.size());
  if (written != static_cast<ssize_t>(bytes.size())) {
    probe.write_error = written < 0 ? errno : ENOSPC;
  } else if (::fsync(fd.get()) != 0) {
    probe.write_error = errno;
  }
  probe.sync_time = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begin);
}

// "MAJOR:MINOR:INODE" as /proc/locks has it.
std::string LockKey(const struct stat& info) {
  std::array<char, 64> key{};
  std::snprintf(key.data(), key.size(), "%02x:%02x:%llu", major(info.st_dev), minor(info.st_dev),
                static_cast<unsigned long long>(info.st_ino));
  return key.data();
}

}  // namespace

FolderProbe ProbeFolder(const std::string& folder) {
  FolderProbe probe;
  probe.folder = AbsolutePath(folder);
  struct stat info {};
  probe.exists = ::stat(probe.folder.c_str(), &info) == 0;
  while (probe.folder != "/" && ::stat(probe.folder.c_str(), &info) != 0 && errno == ENOENT)
    probe.folder = std::string(DirName(probe.folder));
  probe.device = info.st_dev;
  probe.file_system = FileSystemName(probe.folder);
  struct statvfs space {};
  if (::statvfs(probe.folder.c_str(), &space) == 0) {
    const uint64_t block = space.f_frsize;
    probe.free_bytes = space.f_bavail * block;
    probe.total_bytes = space.f_blocks * block;
    probe.free_inodes = space.f_favail;
    probe.total_inodes = space.f_files;
  }
  probe.refusal = WhyRefused(probe.folder, Want::kReplace);
  if (!probe.refusal && !S_ISDIR(info.st_mode)) {
    probe.refusal.emplace();
    probe.refusal->error = ENOTDIR;
    probe.refusal->place = probe.folder;
    probe.refusal->info = info;
  }
  if (!probe.refusal) TryWriting(probe);
  return probe;
}

std::optional<int64_t> LockHolder(const std::string& path, const std::string& proc_locks) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  const std::string key = LockKey(info);
  std::ifstream locks(proc_locks);
  std::string line;
  while (std::getline(locks, line)) {
    // "1: FLOCK  ADVISORY  WRITE 2241 fe:01:1234 0 EOF"; "->" stands for one that waits.
    std::istringstream words(line);
    std::string number;
    std::string kind;
    std::string word;
    std::string mode;
    std::string pid;
    std::string place;
    words >> number >> kind >> word >> mode >> pid >> place;
    if (kind != "FLOCK" || place != key) continue;
    return std::max<int64_t>(0, std::strtoll(pid.c_str(), nullptr, 10));
  }
  return std::nullopt;
}

}  // namespace agent::doctor
