#include "discovery/kubernetes/pod_folders.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/background.h"
#include "base/result.h"

namespace agent {
namespace {

using std::chrono::milliseconds;

// Kubernetes allows 253 for a pod and 63 for the others.
constexpr std::size_t kMaxNameBytes = 253;
constexpr milliseconds kPeriod{10'000};
// What happens within this time is found by one look.
constexpr milliseconds kDelay{20};
// Looks for events take a tenth of the time at most.
constexpr int kShare = 10;

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

// Null with errno when it is none, or a link in its place.
Directory OpenDirectory(int parent, const char* name, int more_flags) {
  const int fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | more_flags);
  if (fd < 0) return nullptr;
  Directory directory(::fdopendir(fd));
  if (directory == nullptr) ::close(fd);
  return directory;
}

// Calls `take` with the name of each entry that is a folder itself, `other` with that of any other.
template <typename Take, typename Other>
void EachFolder(DIR* directory, const Take& take, const Other& other) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): each thread has a stream of its own.
  while (const dirent* const entry = ::readdir(directory)) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    bool is_folder = entry->d_type == DT_DIR;
    if (entry->d_type == DT_UNKNOWN) {
      struct stat info {};
      is_folder = ::fstatat(::dirfd(directory), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
                  S_ISDIR(info.st_mode);
    }
    if (is_folder) {
      take(name);
    } else {
      other(name);
    }
  }
}

// "3.log".
bool IsLogName(std::string_view name) {
  if (!name.ends_with(".log") || name.size() > 24) return false;
  name.remove_suffix(4);
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

void ScanFiles(DIR* pod, const std::string& container, PodFolder& folder) {
  const Directory directory = OpenDirectory(::dirfd(pod), container.c_str(), O_NOFOLLOW);
  if (directory == nullptr) return;
  std::size_t files = 0;
  EachFolder(
      directory.get(), [](std::string_view) {},
      [&](std::string_view file) {
        if (IsLogName(file) && files++ < kMaxPodFiles)
          folder.files.push_back(container + "/" + std::string(file));
      });
}

void ScanContainers(DIR* root, const std::string& name, bool is_known, PodFolder& folder,
                    PodFolderScan& scan) {
  const auto ignore = [&](std::string_view what) {
    ++scan.ignored;
    scan.ignored_name = name + "/" + std::string(what);
  };
  const Directory directory = OpenDirectory(::dirfd(root), name.c_str(), O_NOFOLLOW);
  if (directory == nullptr) return;  // Gone already.
  EachFolder(
      directory.get(),
      [&](std::string_view container) {
        if (!IsPodPathName(container)) return ignore(container);
        if (folder.containers.size() < kMaxPodContainers) folder.containers.emplace_back(container);
      },
      ignore);
  std::sort(folder.containers.begin(), folder.containers.end());
  if (is_known) return;
  for (const std::string& container : folder.containers)
    ScanFiles(directory.get(), container, folder);
  std::sort(folder.files.begin(), folder.files.end());
}

bool IsUid(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNameBytes &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-';
         });
}

}  // namespace

bool IsPodPathName(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameBytes || name.front() == '.') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
}

std::optional<PodFolder> ParsePodFolder(std::string_view name) {
  const std::size_t first = name.find('_');
  const std::size_t last = name.rfind('_');
  if (first == std::string_view::npos || first == last) return std::nullopt;
  PodFolder folder;
  folder.ns = name.substr(0, first);
  folder.pod = name.substr(first + 1, last - first - 1);
  folder.uid = name.substr(last + 1);
  const bool good = IsPodPathName(folder.ns) && IsPodPathName(folder.pod) && IsUid(folder.uid);
  return good ? std::optional(std::move(folder)) : std::nullopt;
}

std::string PodFolderName(std::string_view ns, std::string_view pod, std::string_view uid) {
  std::string name(ns);
  name.append("_").append(pod).append("_").append(uid);
  return name;
}

PodFolderScan ScanPodFolders(const std::string& root, const std::set<std::string>& known) {
  PodFolderScan scan;
  const Directory directory = OpenDirectory(AT_FDCWD, root.c_str(), 0);
  if (directory == nullptr) {
    scan.error = ErrnoError(errno, root).message;
    return scan;
  }
  const auto ignore = [&scan](std::string_view name) {
    ++scan.ignored;
    scan.ignored_name = name;
  };
  EachFolder(
      directory.get(),
      [&](std::string_view name) {
        std::optional<PodFolder> folder = ParsePodFolder(name);
        if (!folder) return ignore(name);
        if (scan.folders.size() >= kMaxPodFolders) {
          scan.complete = false;
          return;
        }
        const std::string key(name);
        ScanContainers(directory.get(), key, known.contains(key), *folder, scan);
        scan.folders.emplace(key, std::move(*folder));
      },
      ignore);
  return scan;
}

PodFolderWatch::PodFolderWatch(Loop& loop, Logger& logger, std::string root)
    : loop_(loop),
      logger_(logger),
      root_(std::move(root)),
      known_(std::make_shared<std::set<std::string>>()),
      timer_(loop) {}

PodFolderWatch::~PodFolderWatch() = default;

void PodFolderWatch::Start(std::function<void(PodFolderScan)> looked) {
  looked_ = std::move(looked);
  alive_ = std::make_shared<PodFolderWatch*>(this);
  watcher_ = std::make_unique<Watcher>(
      loop_, logger_, "kubernetes",
      Watcher::Callbacks{[](const std::string&) {}, [this] { LookSoon(); }});
  Look();
}

void PodFolderWatch::Stop() {
  alive_.reset();
  looked_ = nullptr;
  timer_.Stop();
  watcher_.reset();
  watched_.clear();
  looking_ = false;
}

void PodFolderWatch::SetKnown(std::set<std::string> known) {
  known_ = std::make_shared<const std::set<std::string>>(std::move(known));
}

void PodFolderWatch::Look() {
  looking_ = true;
  due_soon_ = false;
  auto scan = std::make_shared<PodFolderScan>();
  auto cost = std::make_shared<milliseconds>(0);
  RunInBackground(
      loop_,
      [scan, cost, root = root_, known = known_] {
        const auto begin = std::chrono::steady_clock::now();
        *scan = ScanPodFolders(root, *known);
        *cost = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin);
      },
      [weak = std::weak_ptr<PodFolderWatch*>(alive_), scan, cost] {
        const auto alive = weak.lock();
        if (!alive) return;
        (*alive)->last_cost_ = *cost;
        (*alive)->Looked(std::move(*scan));
      });
}

void PodFolderWatch::Looked(PodFolderScan scan) {
  looking_ = false;
  Watch(scan);
  if (std::exchange(again_, false)) {
    LookSoon();
  } else {
    timer_.StartOnce(kPeriod, [this] { Look(); });
  }
  looked_(std::move(scan));
}

void PodFolderWatch::LookSoon() {
  if (looking_) {
    again_ = true;
    return;
  }
  if (std::exchange(due_soon_, true)) return;
  timer_.StartOnce(std::max(kDelay, last_cost_ * kShare), [this] { Look(); });
}

void PodFolderWatch::Watch(const PodFolderScan& scan) {
  std::vector<std::string> wanted = {root_};
  for (const auto& [name, folder] : scan.folders) {
    const std::string path = root_ + "/" + name;
    wanted.push_back(path);
    if (known_->contains(name)) continue;
    for (const std::string& container : folder.containers) {
      std::string& below = wanted.emplace_back(path);
      below.append("/").append(container);
    }
  }
  if (wanted == watched_) return;
  again_ = true;  // Something may have come between the look and the watch.
  watcher_->SetDirectories(wanted);
  watched_ = std::move(wanted);
}

}  // namespace agent
