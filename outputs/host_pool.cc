#include "outputs/host_pool.h"

#include <algorithm>

namespace agent {

HostPool::HostPool(const Options& options, Random random) : options_(options) {
  for (std::size_t i = 0; i < options.hosts; ++i) {
    hosts_.push_back(
        {.in_flight = 0,
         .failing = false,
         .down_until_ns = 0,
         .backoff = Backoff(options.min_backoff, options.max_backoff, Random(random.Next()))});
  }
  // Agents that have the same list do not all begin with the first.
  next_ = static_cast<std::size_t>(random.Next() % hosts_.size());
}

bool HostPool::IsFree(const Host& host, int64_t now_ns) const {
  if (host.failing) return host.in_flight == 0 && host.down_until_ns <= now_ns;
  return host.in_flight < options_.per_host;
}

std::optional<std::size_t> HostPool::Take(int64_t now_ns) {
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    const std::size_t at = (next_ + i) % hosts_.size();
    Host& host = hosts_[at];
    if (!IsFree(host, now_ns)) {
      // The others are for when it fails, not for when it is busy.
      if (!options_.load_balance && !host.failing) return std::nullopt;
      continue;
    }
    ++host.in_flight;
    next_ = options_.load_balance ? (at + 1) % hosts_.size() : at;
    return at;
  }
  return std::nullopt;
}

void HostPool::Release(std::size_t index, bool failed, int64_t now_ns,
                       std::chrono::milliseconds at_least) {
  Host& host = hosts_[index];
  --host.in_flight;
  host.failing = failed;
  if (failed) {
    host.down_until_ns =
        now_ns + std::chrono::nanoseconds(std::max(host.backoff.Next(), at_least)).count();
    if (!options_.load_balance && next_ == index) next_ = (index + 1) % hosts_.size();
  } else {
    host.backoff.Reset();
  }
}

void HostPool::Succeed(std::size_t index) {
  hosts_[index].failing = false;
  hosts_[index].backoff.Reset();
}

int64_t HostPool::rest_ns(std::size_t index, int64_t now_ns) const {
  const Host& host = hosts_[index];
  return host.failing ? std::max<int64_t>(0, host.down_until_ns - now_ns) : 0;
}

std::optional<int64_t> HostPool::NextTry() const {
  std::optional<int64_t> next;
  for (const Host& host : hosts_) {
    if (!host.failing || host.in_flight > 0) continue;
    if (!next || host.down_until_ns < *next) next = host.down_until_ns;
  }
  return next;
}

bool HostPool::all_down(int64_t now_ns) const {
  return std::all_of(hosts_.begin(), hosts_.end(), [now_ns](const Host& host) {
    return host.failing && host.down_until_ns > now_ns;
  });
}

}  // namespace agent
