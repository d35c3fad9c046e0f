#include "base/service_manager.h"

#include <sys/types.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

namespace agent {
namespace {

std::optional<int64_t> ParsePositive(std::string_view text) {
  int64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && stop == text.data() + text.size();
  return whole && number > 0 ? std::optional(number) : std::nullopt;
}

}  // namespace

Result<ServiceManager> ServiceManager::Connect(std::string_view address) {
  sockaddr_un to = {};
  to.sun_family = AF_UNIX;
  const bool abstract = address.starts_with('@');
  // A path ends with a zero, a name in the abstract namespace begins with one.
  const std::size_t most = sizeof(to.sun_path) - (abstract ? 0 : 1);
  if (address.size() < 2 || address.size() > most || (!abstract && address[0] != '/')) {
    return Error{ErrorCode::kInvalid, "expected a path or @name of at most 107 bytes, got '" +
                                          std::string(address) + "'"};
  }
  std::memcpy(to.sun_path, address.data(), address.size());
  if (abstract) to.sun_path[0] = '\0';
  const std::size_t bytes = offsetof(sockaddr_un, sun_path) + address.size() + (abstract ? 0 : 1);
  UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return ErrnoError(errno, "open a socket");
  return ServiceManager(std::move(fd), to, bytes);
}

bool ServiceManager::Tell(std::string_view assignments) const {
  // Not connected: the manager may make its socket anew when it is itself replaced.
  const ssize_t sent = ::sendto(
      fd_.get(), assignments.data(), assignments.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
      reinterpret_cast<const sockaddr*>(&address_), static_cast<socklen_t>(address_bytes_));
  return sent == static_cast<ssize_t>(assignments.size());
}

std::optional<std::chrono::microseconds> WatchdogInterval(
    const std::optional<std::string>& watchdog_usec, const std::optional<std::string>& watchdog_pid,
    pid_t pid) {
  if (watchdog_pid && ParsePositive(*watchdog_pid) != pid) return std::nullopt;
  const auto usec = ParsePositive(watchdog_usec.value_or(""));
  if (!usec || *usec > std::chrono::microseconds(std::chrono::hours(24 * 365)).count()) {
    return std::nullopt;
  }
  return std::chrono::microseconds(*usec);
}

}  // namespace agent
