#include "agent/tail/open_files.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

namespace agent {

Result<std::size_t> RaiseDescriptorLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return ErrnoError(errno, "getrlimit");
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return ErrnoError(errno, "setrlimit");
  }
  return static_cast<std::size_t>(limit.rlim_cur);
}

std::size_t DefaultMaxOpenFiles() {
  constexpr std::size_t kMost = 4096;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return kMost / 8;
  return std::min<std::size_t>(kMost, static_cast<std::size_t>(limit.rlim_cur / 2));
}

void OpenFiles::MakeRoom() {
  const MutexLock lock(mutex_);
  if (places_.size() < max_open_) return;
  const std::size_t surplus = places_.size() - max_open_ + 1;
  if (CloseOldest(surplus, /*even_unread=*/false) == 0) CloseOldest(1, /*even_unread=*/true);
}

std::size_t OpenFiles::CloseSome(std::size_t count) {
  const MutexLock lock(mutex_);
  const std::size_t closed = CloseOldest(count, /*even_unread=*/false);
  return closed > 0 ? closed : CloseOldest(count, /*even_unread=*/true);
}

std::size_t OpenFiles::CloseOldest(std::size_t count, bool even_unread) {
  std::size_t closed = 0;
  for (auto at = oldest_first_.begin(); at != oldest_first_.end() && closed < count;) {
    if (!(*at)->CloseIfIdle(even_unread)) {
      ++at;
      continue;
    }
    places_.erase(*at);
    at = oldest_first_.erase(at);
    ++closed;
  }
  return closed;
}

void OpenFiles::Opened(Holder* holder) {
  const MutexLock lock(mutex_);
  if (places_.contains(holder)) return;
  oldest_first_.push_back(holder);
  places_[holder] = std::prev(oldest_first_.end());
}

void OpenFiles::Closed(Holder* holder) {
  const MutexLock lock(mutex_);
  const auto at = places_.find(holder);
  if (at == places_.end()) return;
  oldest_first_.erase(at->second);
  places_.erase(at);
}

void OpenFiles::Idle(Holder* holder) {
  const MutexLock lock(mutex_);
  const auto at = places_.find(holder);
  if (at != places_.end()) oldest_first_.splice(oldest_first_.end(), oldest_first_, at->second);
}

std::size_t OpenFiles::open() const {
  const MutexLock lock(mutex_);
  return places_.size();
}

}  // namespace agent
