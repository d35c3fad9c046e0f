// inotify: watches and instances that the user has left, folders that it says nothing about.

#include <dirent.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "agent/doctor/files_check.h"

namespace agent::doctor {
namespace {

constexpr uint64_t kMinWatches = 8192;

// What processes of this user have now, as far as one may look.
struct Used {
  uint64_t instances = 0;
  uint64_t watches = 0;
};

void AddDescriptor(const std::filesystem::path& process, const std::string& fd, Used& used) {
  ++used.instances;
  std::ifstream info(process / "fdinfo" / fd);
  std::string line;
  while (std::getline(info, line))
    used.watches += line.starts_with("inotify ") ? 1U : 0U;
}

Used UsedBy(uid_t uid, const System& system) {
  namespace fs = std::filesystem;
  Used used;
  std::error_code error;
  for (fs::directory_iterator at(system.Path("/proc"), error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.empty() || name.find_first_not_of("0123456789") != std::string::npos) continue;
    struct stat info {};
    if (::stat(at->path().c_str(), &info) != 0 || info.st_uid != uid) continue;
    std::error_code hidden;
    for (fs::directory_iterator fd(at->path() / "fd", hidden), last; !hidden && fd != last;
         fd.increment(hidden)) {
      std::error_code gone;
      if (fs::read_symlink(fd->path(), gone) == "anon_inode:inotify")
        AddDescriptor(at->path(), fd->path().filename().string(), used);
    }
  }
  return used;
}

void ReportSilentFolders(const Survey& survey, const Group& group) {
  constexpr std::array<long, 6> kNetwork = {NFS_SUPER_MAGIC,       SMB_SUPER_MAGIC,
                                            0xff534d42 /* cifs */, V9FS_MAGIC,
                                            FUSE_SUPER_MAGIC,      0xfe534d42 /* smb2 */};
  std::size_t silent = 0;
  std::string first;
  for (const std::string& folder : survey.directories) {
    struct statfs info {};
    if (::statfs(folder.c_str(), &info) != 0) continue;
    const auto type = static_cast<long>(info.f_type);
    if (std::find(kNetwork.begin(), kNetwork.end(), type) == kNetwork.end()) continue;
    if (silent++ == 0) first = folder;
  }
  if (silent == 0) return;
  group.Note("inotify.network",
             first + (silent > 1 ? " and " + Count(silent - 1, "more folder") + " are" : " is") +
                 " on a network file system, which reports no changes: files there are polled");
}

}  // namespace

void ReportInotify(const System& system, const Survey& survey, const Group& group) {
  const auto max_watches = ReadNumber(system.Path("/proc/sys/fs/inotify/max_user_watches"));
  const auto max_instances = ReadNumber(system.Path("/proc/sys/fs/inotify/max_user_instances"));
  const uint64_t needed = survey.directories.size();
  if (!max_watches || !max_instances) {
    group.Note("inotify.limits",
               "limits of inotify cannot be read; " + Count(needed, "folder") + " to be watched");
    return;
  }
  const Used used = UsedBy(system.uid, system);
  const std::string why = "changes in the other folders are found by polling, seconds later";
  if (used.watches + needed > *max_watches) {
    const uint64_t better = std::max(kMinWatches, (used.watches + needed) * 2);
    group.Warning("inotify.watches",
                  Count(needed, "folder") + " to be watched, but " + system.user + " has " +
                      std::to_string(*max_watches - std::min(*max_watches, used.watches)) + " of " +
                      std::to_string(*max_watches) + " watches left",
                  {why, "sysctl -w fs.inotify.max_user_watches=" + std::to_string(better) +
                            "   # and into /etc/sysctl.d/, to stay"});
  } else {
    group.Ok("inotify.watches", Count(needed, "folder") + " to be watched, " +
                                    std::to_string(*max_watches - used.watches) + " of " +
                                    std::to_string(*max_watches) + " watches are left");
  }
  if (used.instances >= *max_instances) {
    group.Warning("inotify.instances",
                  "all " + std::to_string(*max_instances) + " inotify instances of " + system.user +
                      " are taken",
                  {"there is no watching at all: every file is polled",
                   "sysctl -w fs.inotify.max_user_instances=" +
                       std::to_string(std::max<uint64_t>(512, *max_instances * 2)) +
                       "   # and into /etc/sysctl.d/, to stay"});
  }
  ReportSilentFolders(survey, group);
}

}  // namespace agent::doctor
