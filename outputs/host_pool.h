// Which of several hosts gets the next request. One that fails is left alone for a while, longer
// each time, and is then asked by one request first.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/backoff.h"
#include "base/random.h"

namespace agent {

// Loop thread. Hosts are numbered as they are configured; times are monotonic.
class HostPool {
 public:
  struct Options {
    std::size_t hosts = 1;
    bool load_balance = true;  // All in turn; else one, until it fails.
    std::size_t per_host = 1;  // Requests at a time.
    std::chrono::milliseconds min_backoff{1'000};
    std::chrono::milliseconds max_backoff{60'000};
  };
  HostPool(const Options& options, Random random);

  // A host that may get a request now: counted as on its way until Release().
  std::optional<std::size_t> Take(int64_t now_ns);
  // `failed`: it is down, or refuses everybody; it is left alone for `at_least`, if not longer.
  void Release(std::size_t index, bool failed, int64_t now_ns,
               std::chrono::milliseconds at_least = std::chrono::milliseconds(0));

  // What was on its way has ended without saying anything of the host.
  void Leave(std::size_t index) { --hosts_[index].in_flight; }
  // It works, though what is on its way goes on.
  void Succeed(std::size_t index);

  // How long it is left alone from now on; 0: it is not.
  [[nodiscard]] int64_t rest_ns(std::size_t index, int64_t now_ns) const;
  // When a host that is left alone may be asked again; nothing: none is, or one is free.
  [[nodiscard]] std::optional<int64_t> NextTry() const;
  // At most so many requests at a time.
  [[nodiscard]] std::size_t capacity() const { return hosts_.size() * options_.per_host; }
  [[nodiscard]] bool all_down(int64_t now_ns) const;
  [[nodiscard]] bool is_down(std::size_t index, int64_t now_ns) const {
    return hosts_[index].failing && hosts_[index].down_until_ns > now_ns;
  }

 private:
  struct Host {
    std::size_t in_flight = 0;
    bool failing = false;
    int64_t down_until_ns = 0;
    Backoff backoff;
  };
  [[nodiscard]] bool IsFree(const Host& host, int64_t now_ns) const;

  const Options options_;
  std::vector<Host> hosts_;
  std::size_t next_ = 0;
};

}  // namespace agent
