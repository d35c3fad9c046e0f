#include "agent/doctor/access.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <deque>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

#include "agent/tail/glob.h"

namespace agent::doctor {
namespace {

constexpr int kMaxLinks = 40;

int ModeOf(Want want) {
  switch (want) {
    case Want::kRead:
      return R_OK;
    case Want::kList:
      return R_OK | X_OK;
    case Want::kWrite:
      return W_OK;
    case Want::kReplace:
      return W_OK | X_OK;
  }
  return R_OK;
}

bool InGroup(gid_t gid) {
  if (gid == ::getegid()) return true;
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
  if (::getgroups(static_cast<int>(groups.size()), groups.data()) < 0) return false;
  return std::find(groups.begin(), groups.end(), gid) != groups.end();
}

// What owner, group and bits say; not what access lists, capabilities and mounts do.
bool ModesAllow(const struct stat& info, int wanted) {
  const auto bits = static_cast<unsigned>(wanted);  // The same as those of "others".
  if (::geteuid() == 0) return true;
  if (info.st_uid == ::geteuid()) return (info.st_mode >> 6U & bits) == bits;
  if (InGroup(info.st_gid)) return (info.st_mode >> 3U & bits) == bits;
  return (info.st_mode & bits) == bits;
}

// Follows a path part by part.
class Walk {
 public:
  std::optional<Refusal> Go(const std::string& path, Want want) {
    Push(AbsolutePath(path));
    at_ = "";
    while (!parts_.empty()) {
      const std::string part = parts_.front();
      parts_.pop_front();
      if (part == "..") {
        at_ = at_.empty() ? "" : at_.substr(0, at_.rfind('/'));
        continue;
      }
      const std::string next = at_ + "/" + part;
      struct stat info {};
      if (::lstat(next.c_str(), &info) != 0) return Stopped(errno, next);
      if (!S_ISLNK(info.st_mode)) {
        at_ = next;
      } else if (!Follow(next)) {
        return Refuse(ELOOP, next, X_OK);
      }
    }
    const std::string end = at_.empty() ? "/" : at_;
    const int mode = ModeOf(want);
    if (::faccessat(AT_FDCWD, end.c_str(), mode, AT_EACCESS) == 0) return std::nullopt;
    return Refuse(errno, end, mode);
  }

 private:
  // In front of what is left.
  void Push(const std::string& path) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0; begin < path.size();) {
      const std::size_t end = std::min(path.find('/', begin), path.size());
      const std::string part = path.substr(begin, end - begin);
      if (!part.empty() && part != ".") parts.push_back(part);
      begin = end + 1;
    }
    parts_.insert(parts_.begin(), parts.begin(), parts.end());
  }

  std::string Rest() const {
    std::string rest;
    for (const std::string& part : parts_)
      rest.append("/").append(part);
    return rest;
  }

  bool Follow(const std::string& link) {
    std::error_code error;
    const std::string to = std::filesystem::read_symlink(link, error).string();
    if (error || ++links_ > kMaxLinks) return false;
    if (chain_.empty()) chain_ = link + Rest();
    if (to.starts_with('/')) {
      at_ = "";
      chain_ += " -> " + to + Rest();
    } else {
      chain_ += " -> " + at_ + "/" + to + Rest();
    }
    Push(to);
    return true;
  }

  std::optional<Refusal> Stopped(int error, const std::string& next) const {
    // It is the folder that does not let one through.
    if (error == EACCES) {
      Refusal refusal = Refuse(error, at_.empty() ? "/" : at_, X_OK);
      refusal.on_the_way = true;
      return refusal;
    }
    return Refuse(error, next, 0);
  }

  Refusal Refuse(int error, const std::string& place, int mode) const {
    Refusal refusal;
    refusal.error = error;
    refusal.place = place;
    refusal.links = chain_;
    const bool there = ::lstat(place.c_str(), &refusal.info) == 0;
    refusal.modes_allow = there && error == EACCES && ModesAllow(refusal.info, mode);
    return refusal;
  }

  std::deque<std::string> parts_;
  std::string at_;
  std::string chain_;
  int links_ = 0;
};

// The folder to mount, for something that is not there.
std::string MountFor(const std::string& place) {
  for (const char* const known : {"/var/lib/docker/containers", "/var/log/pods",
                                  "/var/log/containers", "/var/log/journal", "/run/log/journal"}) {
    if (place.starts_with(known) || std::string_view(known).starts_with(place + "/")) return known;
  }
  return place;
}

// The bits of the group that let its members in.
unsigned NeededBits(bool folder, bool writes, bool on_the_way) {
  if (on_the_way) return 010U;
  if (folder) return writes ? 030U : 050U;
  return writes ? 020U : 040U;
}

// Joining the group where that is enough, else an access list.
std::string PermissionFix(const Refusal& refusal, Want want, const System& system) {
  const std::string place = Quoted(refusal.place);
  const bool folder = S_ISDIR(refusal.info.st_mode);
  const bool writes = want == Want::kWrite || want == Want::kReplace;
  if (folder && writes && !refusal.on_the_way) return "chown " + Quoted(system.user) + " " + place;
  const unsigned bits = NeededBits(folder, writes, refusal.on_the_way);
  if ((refusal.info.st_mode & bits) == bits && refusal.info.st_gid != 0) {
    return "usermod -aG " + GroupName(refusal.info.st_gid) + " " + Quoted(system.user) +
           "   # then start the agent anew";
  }
  const std::string access = "setfacl -m u:" + system.user + ":";
  if (refusal.on_the_way) return access + "x " + place;
  if (!folder) return access + (writes ? "rw " : "r ") + place;
  return "setfacl -R -m u:" + system.user + ":rX " + place +
         " && setfacl -R -d -m u:" + system.user + ":rX " + place;
}

}  // namespace

std::string OwnerText(const struct stat& info) {
  std::array<char, 16> mode{};
  std::snprintf(mode.data(), mode.size(), " %04o", static_cast<unsigned>(info.st_mode & 07777U));
  return UserName(info.st_uid) + ":" + GroupName(info.st_gid) + mode.data();
}

std::string Refusal::Text(const std::string& path) const {
  struct stat link {};
  if (error == ENOENT) {
    // Whether it is the end that is a link, or only a folder on the way (/var/run).
    const bool dangles = ::lstat(path.c_str(), &link) == 0 && S_ISLNK(link.st_mode);
    if (dangles) return "a link leads nowhere: " + links + ": there is no " + place;
    const bool itself =
        place == path || place.substr(place.rfind('/')) == path.substr(path.rfind('/'));
    return path + (itself ? " is not there" : ": there is no " + place);
  }
  const std::string way = links.empty() ? path : links;
  const std::string at =
      place == path ? "" : (S_ISDIR(info.st_mode) ? ": the folder " : ": ") + place;
  if (error == EACCES) {
    return way + at + (modes_allow ? " refuses although its modes allow it (" : " refuses (") +
           OwnerText(info) + ")";
  }
  // NOLINTNEXTLINE(concurrency-mt-unsafe): glibc's is safe for known numbers.
  return way + at + ": " + std::strerror(error);
}

std::optional<Refusal> WhyRefused(const std::string& path, Want want) {
  return Walk().Go(path, want);
}

std::string AccessFix(const Refusal& refusal, Want want, const System& system) {
  const std::string place = Quoted(refusal.place);
  if (refusal.error == ENOENT && system.container) {
    const std::string folder = Quoted(MountFor(refusal.place));
    return "docker run -v " + folder + ":" + folder +
           ":ro …   # a hostPath volume of the pod, volumes in Compose";
  }
  if (refusal.error == ENOENT) return (want == Want::kReplace ? "mkdir -p " : "ls -ld ") + place;
  if (refusal.error == EROFS) return "mount -o remount,rw " + place;
  if (refusal.error != EACCES) return "ls -ld " + place;
  return refusal.modes_allow ? SecurityHint(system) : PermissionFix(refusal, want, system);
}

std::string SecurityHint(const System& system) {
  if (ReadNumber(system.Path("/sys/fs/selinux/enforce")).value_or(0) == 1) {
    return "SELinux is enforcing: ausearch -m avc -ts recent   # for a container: mount with :z";
  }
  const std::string profile = FirstLine(system.Path("/proc/self/attr/current")).value_or("");
  if (!profile.empty() && !profile.starts_with("unconfined") &&
      profile.find('(') != std::string::npos) {
    return "AppArmor confines this process (" + profile + "): journalctl -k --grep=apparmor";
  }
  return "getfacl it, and look at how it is mounted: findmnt -T";
}

}  // namespace agent::doctor
