// What the image starts, since it has no shell and no curl.
//
//   launch ARGUMENT...    becomes /usr/bin/agent, with the right to read every log if the container
//   grants it launch -ready [URL]   exit code 0 when http://ADDRESS:PORT/PATH answers 200; default:
//   $LOG_AGENT_READY
//
// The right is the capability DAC_READ_SEARCH. In this file it is permitted, not effective: so it
// starts also where a container is not granted it, and hands it on to the agent where it is. The
// agent itself needs no file capability, and stays an ordinary program for debuggers and for
// LD_PRELOAD.

#include <arpa/inet.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

constexpr const char* kAgent = "/usr/bin/agent";
constexpr const char* kLaunch = "/usr/bin/launch";
constexpr std::string_view kDefaultUrl = "http://127.0.0.1:9080/ready";
constexpr time_t kTimeoutSeconds = 5;
constexpr uint32_t kReadEverything = 1U << CAP_DAC_READ_SEARCH;

// Makes the capability, where it is permitted, one that the next program keeps. False where it is
// not.
bool HandOnReading() {
  __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets = {};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) return false;
  if ((sets[0].permitted & kReadEverything) == 0) return false;
  sets[0].inheritable |= kReadEverything;
  return ::syscall(SYS_capset, &header, sets.data()) == 0 &&
         ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_READ_SEARCH, 0, 0) == 0;
}

int RunAgent(char** arguments) {
  if (!HandOnReading()) {
    std::fputs(
        "level=warn msg=\"no CAP_DAC_READ_SEARCH: logs that this user may not read are left out\" "
        "hint=\"docker run --cap-add DAC_READ_SEARCH; on Kubernetes also allowPrivilegeEscalation, "
        "or run as root\"\n",
        stderr);
  }
  ::execv(kAgent, arguments);
  std::perror(kAgent);
  return 126;
}

// What setcap does with cap_dac_read_search=p.
int Grant() {
  vfs_cap_data data = {};
  data.magic_etc = VFS_CAP_REVISION_2;
  data.data[0].permitted = kReadEverything;
  if (::setxattr(kLaunch, "security.capability", &data, sizeof(data), 0) == 0) return 0;
  std::perror(kLaunch);
  return 1;
}

int Fail(std::string_view url, const char* why) {
  std::fprintf(stderr, "%.*s: %s\n", static_cast<int>(url.size()), url.data(), why);
  return 1;
}

// The answer's first kilobytes; empty if there is none in time.
std::string Ask(const sockaddr_in& address, const std::string& request) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return {};
  const timeval timeout = {.tv_sec = kTimeoutSeconds, .tv_usec = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
  std::string answer;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
      ::send(fd, request.data(), request.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(request.size())) {
    std::array<char, 4096> part = {};
    ssize_t got = 0;
    while (answer.size() < part.size() && (got = ::recv(fd, part.data(), part.size(), 0)) > 0)
      answer.append(part.data(), static_cast<std::size_t>(got));
  }
  ::close(fd);
  return answer;
}

int IsReady(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) return Fail(url, "expected http://ADDRESS:PORT/PATH");
  const std::string_view rest = url.substr(kScheme.size());
  const std::size_t slash = rest.find('/');
  const std::string host(rest.substr(0, slash));
  const std::string path(slash == std::string_view::npos ? "/" : rest.substr(slash));
  const std::size_t colon = host.find(':');
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  uint16_t port = 80;
  if (colon != std::string::npos) {
    const char* const end = host.data() + host.size();
    const auto parsed = std::from_chars(host.data() + colon + 1, end, port);
    if (parsed.ec != std::errc() || parsed.ptr != end) return Fail(url, "bad port");
  }
  address.sin_port = htons(port);
  if (::inet_pton(AF_INET, host.substr(0, colon).c_str(), &address.sin_addr) != 1) {
    return Fail(url, "expected an IPv4 address");
  }

  const std::string answer =
      Ask(address, "GET " + path + " HTTP/1.0\r\nHost: " + host + "\r\n\r\n");
  if (answer.empty()) return Fail(url, "no answer");
  const std::size_t body = answer.find("\r\n\r\n");
  if (body != std::string::npos) std::fputs(answer.c_str() + body + 4, stdout);
  const std::size_t status = answer.find(' ');
  return status != std::string::npos && answer.compare(status + 1, 4, "200 ") == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (first == "-grant") return Grant();
  if (first != "-ready") return RunAgent(argv);
  if (argc > 2) return IsReady(argv[2]);
  const char* const url =
      std::getenv("LOG_AGENT_READY");  // NOLINT(concurrency-mt-unsafe): one thread
  return IsReady(url != nullptr ? std::string_view(url) : kDefaultUrl);
}
