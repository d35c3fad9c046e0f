// The service manager that has started this process, where one has and wants to know how it is:
// the protocol of readiness and watchdog that systemd has (sd_notify(3)).

#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace agent {

class ServiceManager {
 public:
  // `address` is $NOTIFY_SOCKET: a path, or with '@' in front a name in the abstract namespace.
  static Result<ServiceManager> Connect(std::string_view address);

  // Sends assignments, one a line: "READY=1\nSTATUS=reading". Never waits: false when it was not
  // taken, which for a watchdog's sign of life is made good by the next one.
  bool Tell(std::string_view assignments) const;

 private:
  ServiceManager(UniqueFd fd, const sockaddr_un& address, std::size_t address_bytes)
      : fd_(std::move(fd)), address_(address), address_bytes_(address_bytes) {}

  UniqueFd fd_;
  sockaddr_un address_;
  std::size_t address_bytes_;
};

// How often a sign of life is expected, from $WATCHDOG_USEC and $WATCHDOG_PID: nullopt when none
// is, or it is expected of another process than `pid`.
std::optional<std::chrono::microseconds> WatchdogInterval(
    const std::optional<std::string>& watchdog_usec, const std::optional<std::string>& watchdog_pid,
    pid_t pid);

}  // namespace agent
