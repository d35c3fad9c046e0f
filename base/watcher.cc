#include "base/watcher.h"

#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <unordered_set>
#include <utility>

#include <uv.h>

#include "base/result.h"

namespace agent {
namespace {

// After a burst the next is awaited: a hundred writes then cost one wake-up.
constexpr std::chrono::milliseconds kCoalesce{5};
constexpr uint32_t kNames = IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE;
constexpr uint32_t kGone = IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT;
constexpr uint32_t kMask = IN_MODIFY | kNames | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

// Writes by other machines are not reported on these.
bool OnNetwork(const std::string& directory) {
  struct statfs info {};
  if (::statfs(directory.c_str(), &info) != 0) return false;
  constexpr std::array<uint32_t, 8> kNetwork = {
      0x6969,      // NFS
      0x517B,      // SMB
      0xFF534D42,  // CIFS
      0xFE534D42,  // SMB2
      0x65735546,  // FUSE
      0x01021997,  // 9P
      0x00C36400,  // Ceph
      0x5346414F,  // AFS
  };
  const auto type = static_cast<uint32_t>(info.f_type);
  return std::find(kNetwork.begin(), kNetwork.end(), type) != kNetwork.end();
}

std::string Join(const std::string& directory, std::string_view name) {
  std::string path = directory == "/" ? std::string() : directory;
  path += '/';
  path += name;
  return path;
}

}  // namespace

Watcher::Watcher(Loop& loop, Logger& logger, std::string_view room, Callbacks callbacks)
    : loop_(loop),
      logger_(logger),
      room_(room),
      callbacks_(std::move(callbacks)),
      fd_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
      pause_(loop) {
  if (fd_.valid()) {
    Listen();
    return;
  }
  logger_.Warn(room_, "no inotify: files are polled",
               {{"error", ErrnoError(errno, "inotify").message},
                {"hint", "raise sysctl fs.inotify.max_user_instances"}});
}

Watcher::~Watcher() = default;

void Watcher::Listen() {
  if (readable_ == nullptr) readable_ = std::make_unique<FdWatcher>(loop_, fd_.get());
  readable_->Start(UV_READABLE, [this](int, int) {
    readable_->Stop();
    ReadEvents();
    pause_.StartOnce(kCoalesce, [this] { Listen(); });
  });
}

void Watcher::SetDirectories(const std::vector<std::string>& directories) {
  const std::unordered_set<std::string> wanted(directories.begin(), directories.end());
  std::vector<std::string> unwanted;
  for (const auto& [path, watch] : by_path_) {
    if (!wanted.contains(path)) unwanted.push_back(path);
  }
  for (const std::string& path : unwanted)
    Remove(path);
  const auto not_wanted = [&wanted](const std::string& path) { return !wanted.contains(path); };
  std::erase_if(silent_, not_wanted);
  polled_ = silent_;
  for (const std::string& path : directories) {
    // Added anew each time: what stands at the path may be another directory now, and the kernel
    // gives the same watch for the same one.
    Add(path);
  }
}

void Watcher::SetSilent(const std::string& directory) {
  silent_.insert(directory);
  polled_.insert(directory);
}

void Watcher::Add(const std::string& directory) {
  if (!fd_.valid()) {
    polled_.insert(directory);
    return;
  }
  const int watch = ::inotify_add_watch(fd_.get(), directory.c_str(), kMask);
  const int reason = errno;
  const auto known = by_path_.find(directory);
  if (known != by_path_.end() && known->second == watch) {
    if (on_network_.contains(directory)) polled_.insert(directory);
    return;
  }
  if (known != by_path_.end()) Remove(directory);
  if (watch < 0) {
    if (reason == ENOENT || reason == ENOTDIR) return;  // The next scan will know.
    polled_.insert(directory);
    if (reason == ENOSPC) ExplainExhausted(directory);
    return;
  }
  by_path_[directory] = watch;
  by_watch_[watch].push_back(directory);
  if (OnNetwork(directory)) {
    on_network_.insert(directory);
    polled_.insert(directory);
  }
}

void Watcher::ExplainExhausted(const std::string& directory) {
  logger_.WriteLimited(LogLevel::kWarn, "inotify watches", room_,
                       "no inotify watches left: this directory is polled",
                       {{"path", directory},
                        {"watches", by_path_.size()},
                        {"hint", "raise sysctl fs.inotify.max_user_watches"}});
}

void Watcher::Remove(const std::string& directory) {
  const auto at = by_path_.find(directory);
  const int watch = at->second;
  by_path_.erase(at);
  on_network_.erase(directory);
  std::vector<std::string>& names = by_watch_[watch];
  std::erase(names, directory);
  if (!names.empty()) return;
  by_watch_.erase(watch);
  ::inotify_rm_watch(fd_.get(), watch);
}

void Watcher::Dropped(int watch) {
  const auto at = by_watch_.find(watch);
  if (at == by_watch_.end()) return;
  for (const std::string& name : at->second)
    by_path_.erase(name);
  by_watch_.erase(at);
}

bool Watcher::TakeBatch(std::vector<Event>& events) {
  alignas(inotify_event) std::array<char, 65536> buffer{};
  const ssize_t n = ::read(fd_.get(), buffer.data(), buffer.size());
  if (n <= 0) return n < 0 && errno == EINTR;
  for (std::size_t at = 0; at + sizeof(inotify_event) <= static_cast<std::size_t>(n);) {
    inotify_event event{};
    std::memcpy(&event, buffer.data() + at, sizeof(event));
    Event copy{event.wd, event.mask, {}};
    if (event.len > 0) copy.name = buffer.data() + at + sizeof(event);
    // Of many writes to a file the last one tells enough.
    if (events.empty() || events.back().watch != copy.watch || events.back().mask != copy.mask ||
        events.back().name != copy.name) {
      events.push_back(std::move(copy));
    }
    at += sizeof(event) + event.len;
  }
  return true;
}

void Watcher::ReadEvents() {
  if (!fd_.valid()) return;
  std::vector<Event> events;
  while (TakeBatch(events)) {
  }
  if (!events.empty()) Dispatch(events);
}

void Watcher::Dispatch(const std::vector<Event>& events) {
  bool rescan = false;
  std::unordered_set<std::string> modified;
  std::vector<std::string> created;
  for (const Event& event : events) {
    if ((event.mask & IN_Q_OVERFLOW) != 0) {
      logger_.WriteLimited(LogLevel::kInfo, "inotify overflow", room_,
                           "inotify events were lost: everything is scanned",
                           {{"hint", "raise sysctl fs.inotify.max_queued_events"}});
    }
    rescan = rescan || (event.mask & (IN_Q_OVERFLOW | kNames | kGone)) != 0;
    const auto watched = by_watch_.find(event.watch);
    if (watched != by_watch_.end() && (event.mask & IN_MODIFY) != 0) {
      for (const std::string& directory : watched->second)
        modified.insert(Join(directory, event.name));
    }
    if (watched != by_watch_.end() && (event.mask & (IN_CREATE | IN_MOVED_TO)) != 0 &&
        callbacks_.created) {
      for (const std::string& directory : watched->second)
        created.push_back(Join(directory, event.name));
    }
    if ((event.mask & IN_MOVE_SELF) != 0) ::inotify_rm_watch(fd_.get(), event.watch);
    if ((event.mask & kGone) != 0) Dropped(event.watch);
  }
  for (const std::string& path : created)
    callbacks_.created(path);
  for (const std::string& path : modified)
    callbacks_.modified(path);
  if (rescan) callbacks_.rescan();
}

}  // namespace agent
