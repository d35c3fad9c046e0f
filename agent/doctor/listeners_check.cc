// Ports that the configuration listens on: whether they are free, and may be taken.

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/doctor/running.h"
#include "agent/doctor/subject.h"
#include "base/unique_fd.h"

namespace agent::doctor {
namespace {

struct Listener {
  std::string what;  // "the HTTP server", "job x (syslog)".
  std::string address;
  uint16_t port = 0;
  int type = SOCK_STREAM;
};

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

// 0 when it can be bound; -1: no such address; else errno. Nothing listens there meanwhile.
int TryBind(const Listener& listener) {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = listener.type;
  addrinfo* found = nullptr;
  const char* const host = listener.address.empty() ? nullptr : listener.address.c_str();
  if (::getaddrinfo(host, std::to_string(listener.port).c_str(), &hints, &found) != 0) return -1;
  const std::unique_ptr<addrinfo, FreeAddresses> list(found);
  // A name may have addresses that this machine does not: one that works is enough.
  bool bound = false;
  int error = -1;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    const UniqueFd fd(::socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol));
    if (!fd.valid()) continue;
    const int on = 1;
    // As a server does: connections of before that are not quite gone are in nobody's way. A port
    // that somebody listens on is refused all the same.
    if (listener.type == SOCK_STREAM)
      ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (::bind(fd.get(), at->ai_addr, at->ai_addrlen) == 0) {
      bound = true;
    } else if (errno == EADDRINUSE || errno == EACCES) {
      return errno;
    } else {
      error = errno;
    }
  }
  return bound ? 0 : error;
}

std::vector<Listener> ListenersOf(const Config& config) {
  std::vector<Listener> listeners;
  if (!config.server.disable) {
    listeners.push_back(
        {"the HTTP server", config.server.http_listen_address, config.server.http_listen_port});
  }
  for (const ScrapeConfig& job : config.scrape_configs) {
    if (job.syslog) {
      const bool udp = job.syslog->listen_protocol == SyslogProtocol::kUdp;
      listeners.push_back({"job " + job.job_name + " (syslog)", job.syslog->listen_address,
                           job.syslog->listen_port, udp ? SOCK_DGRAM : SOCK_STREAM});
    }
    if (job.loki_push_api) {
      const ServerConfig& server = job.loki_push_api->server;
      listeners.push_back({"job " + job.job_name + " (loki_push_api)", server.http_listen_address,
                           server.http_listen_port});
    }
  }
  return listeners;
}

std::string AddressText(const Listener& listener) {
  const bool v6 = listener.address.find(':') != std::string::npos;
  std::string text = listener.address.empty() ? "*" : listener.address;
  if (v6) text = "[" + text + "]";
  return text + ":" + std::to_string(listener.port) + (listener.type == SOCK_DGRAM ? "/udp" : "");
}

void SayProblem(const Subject& subject, const Listener& listener, int error, const Group& group) {
  const std::string where = listener.what + ": " + AddressText(listener);
  const std::string port = std::to_string(listener.port);
  const std::string why =
      listener.what == "the HTTP server" ? "the agent does not start" : "that job takes nothing";
  if (error == EADDRINUSE) {
    const std::string option = listener.type == SOCK_DGRAM ? "-lunp" : "-ltnp";
    group.Failure(
        "listeners.taken", where + " is taken by another program",
        {why, "ss " + option + " 'sport = :" + port + "'   # who it is; or another port"});
  } else if (error == EACCES) {
    group.Failure(
        "listeners.privileged",
        where + ": ports below 1024 need a right that " + subject.system.user + " does not have",
        {why, "AmbientCapabilities=CAP_NET_BIND_SERVICE   # in the unit; or a port above 1023"});
  } else if (error == EADDRNOTAVAIL || error == -1) {
    group.Failure("listeners.address", where + ": this machine has no such address",
                  {why, "ip -brief address   # which it has; 0.0.0.0 means all"});
  } else {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): glibc's is safe for known numbers.
    group.Failure("listeners.bind", where + ": " + std::strerror(error), {why, "ss -ltnup"});
  }
}

}  // namespace

void CheckListeners(const Subject& subject, Findings& findings) {
  const Group group(findings, "Listeners");
  const std::vector<Listener> listeners = ListenersOf(subject.config);
  // Who answers at the agent's own port has the others as well.
  std::optional<RunningKind> running;
  for (const Listener& listener : listeners) {
    if (listener.port == 0) continue;
    const int error = TryBind(listener);
    if (error == 0) {
      group.Ok("listeners.free", listener.what + ": " + AddressText(listener) + " is free");
      continue;
    }
    if (error == EADDRINUSE) {
      if (!running) running = WhoRuns(subject);
      if (*running == RunningKind::kAgent) {
        group.Ok("listeners.own", listener.what + ": " + AddressText(listener) +
                                      " is taken, by the agent that runs");
        continue;
      }
      if (*running == RunningKind::kPromtail) {
        group.Failure("listeners.promtail",
                      listener.what + ": " + AddressText(listener) + " is taken by a Promtail",
                      {"both would read the same files, and the agent does not start",
                       "systemctl disable --now promtail"});
        continue;
      }
    }
    SayProblem(subject, listener, error, group);
  }
}

}  // namespace agent::doctor
