#include "agent/tail/caught_files.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace agent {
namespace {

constexpr uint32_t kAppears = IN_CREATE | IN_MOVED_TO;
constexpr int kLookAgainMs = 1000;
// Where it is allowed to: it has next to nothing to do, but must not come late.
constexpr int kNice = -10;

// As the ids of containers are: 64 hexadecimal digits.
bool IsContainerId(std::string_view name) {
  constexpr std::size_t kDigits = 64;
  return name.size() == kDigits &&
         name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

void CaughtFiles::SetFolders(const std::vector<std::string>& folders) {
  if (folders == folders_) return;
  Stop();
  folders_ = folders;
  if (folders.empty()) {
    const MutexLock lock(mutex_);
    held_.clear();
    oldest_first_.clear();
    return;
  }
  inotify_ = UniqueFd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  wake_ = UniqueFd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!inotify_.valid() || !wake_.valid()) return;
  for (const std::string& folder : folders) {
    const int watch = ::inotify_add_watch(inotify_.get(), folder.c_str(), kAppears | IN_ONLYDIR);
    if (watch >= 0) {
      watches_[watch] = {folder, ""};
    } else {
      logger_.Info("tail",
                   "logs of containers are not opened ahead: their folder cannot be watched",
                   {{"folder", folder}, {"error", ErrnoError(errno, "inotify").message}});
    }
  }
  if (watches_.empty()) return;
  stopping_ = false;
  // Signals are the loop's.
  sigset_t all{};
  sigset_t before{};
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { Run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void CaughtFiles::Stop() {
  if (thread_.joinable()) {
    stopping_ = true;
    const uint64_t one = 1;
    // Nothing is in its way: nobody else writes there.
    static_cast<void>(::write(wake_.get(), &one, sizeof one) == sizeof one);
    thread_.join();
  }
  watches_.clear();
  awaited_.clear();
  inotify_ = UniqueFd();
  wake_ = UniqueFd();
}

UniqueFd CaughtFiles::Open(const std::string& path) const {
  const MutexLock lock(mutex_);
  const auto found = held_.find(path);
  if (found == held_.end()) return {};
  return UniqueFd(::fcntl(found->second.fd.get(), F_DUPFD_CLOEXEC, 0));
}

bool CaughtFiles::Has(const std::string& path) const {
  const MutexLock lock(mutex_);
  return held_.contains(path);
}

std::size_t CaughtFiles::held() const {
  const MutexLock lock(mutex_);
  return held_.size();
}

void CaughtFiles::Run() {
  // Of this thread alone, as Linux has it. Refused to who may not; then it goes without.
  static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice));
  while (!stopping_) {
    std::array<pollfd, 2> ready = {{{inotify_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
    ::poll(ready.data(), ready.size(), held() > 0 ? kLookAgainMs : -1);
    if ((ready[0].revents & POLLIN) != 0) ReadEvents();
    LetGo();
  }
}

void CaughtFiles::ReadEvents() {
  alignas(inotify_event) std::array<char, 16384> buffer{};
  const ssize_t size = ::read(inotify_.get(), buffer.data(), buffer.size());
  for (ssize_t at = 0; at < size;) {
    inotify_event event{};
    std::memcpy(&event, buffer.data() + at, sizeof event);
    const char* const text = buffer.data() + at + sizeof event;
    const std::string name(text, event.len == 0 ? 0 : std::strlen(text));
    at += static_cast<ssize_t>(sizeof event + event.len);
    const auto found = watches_.find(event.wd);
    if (found == watches_.end()) continue;
    if ((event.mask & IN_IGNORED) != 0) {  // The folder is gone.
      watches_.erase(found);
      std::erase(awaited_, event.wd);
    } else if ((event.mask & kAppears) != 0) {
      OnCreated(Watched(found->second), name);
    }
  }
}

void CaughtFiles::OnCreated(const Watched& watched, const std::string& name) {
  if (!watched.log.empty()) {
    if (name == watched.log) Catch(watched.folder + "/" + name);
  } else if (IsContainerId(name)) {
    Await(watched.folder + "/" + name, name);
  }
}

void CaughtFiles::Await(const std::string& folder, const std::string& id) {
  const int watch = ::inotify_add_watch(inotify_.get(), folder.c_str(), kAppears | IN_ONLYDIR);
  const std::string log = id + "-json.log";
  // It may have come before the watch.
  const bool there = Catch(folder + "/" + log);
  if (watch < 0) return;
  if (there) {
    ::inotify_rm_watch(inotify_.get(), watch);
    return;
  }
  watches_[watch] = {folder, log};
  awaited_.push_back(watch);
  if (awaited_.size() <= kMaxAwaited) return;
  ::inotify_rm_watch(inotify_.get(), awaited_.front());
  watches_.erase(awaited_.front());
  awaited_.pop_front();
}

bool CaughtFiles::Catch(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
  if (!fd.valid()) return false;
  const MutexLock lock(mutex_);
  // After a rotation: the tailer follows the one before, or it is too late for it.
  if (held_.contains(path)) return true;
  held_[path] = {std::move(fd), clock_.MonotonicNanos()};
  oldest_first_.push_back(path);
  return true;
}

void CaughtFiles::LetGo() {
  const int64_t now = clock_.MonotonicNanos();
  const MutexLock lock(mutex_);
  while (!oldest_first_.empty()) {
    const auto oldest = held_.find(oldest_first_.front());
    if (held_.size() <= kMaxHeld && now - oldest->second.since_ns < kHoldNs) return;
    held_.erase(oldest);
    oldest_first_.pop_front();
  }
}

}  // namespace agent
