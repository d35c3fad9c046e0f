#include "agent/doctor/reach.h"

#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <ctime>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "agent/doctor/certificate.h"
#include "agent/doctor/system.h"

namespace agent::doctor {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr int64_t kDaySeconds = 86'400;
constexpr int64_t kSoonDays = 21;

// What a lookup that may never end leaves; shared with its thread.
struct Lookup {
  std::mutex mutex;
  std::condition_variable done;
  bool finished = false;
  int error = 0;
  std::vector<SocketAddress> addresses;
};

void LookUp(const std::string& host, uint16_t port, Lookup& lookup) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  const std::lock_guard<std::mutex> lock(lookup.mutex);
  lookup.error = error;
  for (const addrinfo* at = found; error == 0 && at != nullptr; at = at->ai_next) {
    SocketAddress address;
    std::memcpy(&address.storage, at->ai_addr, at->ai_addrlen);
    address.size = at->ai_addrlen;
    lookup.addresses.push_back(address);
  }
  if (error == 0) ::freeaddrinfo(found);
  lookup.finished = true;
  lookup.done.notify_all();
}

Result<UniqueFd> ConnectOne(const SocketAddress& address, milliseconds timeout) {
  UniqueFd fd(::socket(address.get()->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return ErrnoError(errno, address.text());
  if (::connect(fd.get(), address.get(), address.size) == 0) return fd;
  if (errno != EINPROGRESS) return ErrnoError(errno, address.text());
  if (!WaitFor(fd.get(), /*to_write=*/true, timeout)) {
    return Error{ErrorCode::kUnavailable,
                 address.text() + ": no answer within " + std::to_string(timeout.count()) + " ms"};
  }
  int error = 0;
  socklen_t size = sizeof(error);
  ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return ErrnoError(error, address.text());
  return fd;
}

std::string Day(int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  char text[32] = {};  // NOLINT(modernize-avoid-c-arrays): strftime's.
  std::strftime(text, sizeof(text), "%Y-%m-%d", &parts);
  return text;
}

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names)
    text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "nobody" : text;
}

// Why a name is not found, or a connection does not come about, as somebody would look at it.
std::string ConnectFix(const Endpoint& endpoint, const std::string& error) {
  std::string command = "nc -vz " + Quoted(endpoint.host) + " " + std::to_string(endpoint.port);
  if (error.find("refused") != std::string::npos)
    return command + "   # nothing listens there: start the receiver, or correct host and port";
  if (error.find("no answer") != std::string::npos)
    return command + "   # a firewall, a NetworkPolicy or a wrong address swallows it";
  return command;
}

class Reach {
 public:
  Reach(const Endpoint& endpoint, milliseconds timeout, const Group& group)
      : endpoint_(endpoint), timeout_(timeout), group_(group) {}

  std::optional<Reached> Go() {
    const auto begin = Clock::now();
    Result<std::vector<SocketAddress>> addresses =
        ResolveHost(endpoint_.host, endpoint_.port, timeout_);
    if (!addresses.ok()) return Unresolved(addresses.error());
    Result<UniqueFd> fd = ConnectTo(*addresses, timeout_);
    if (!fd.ok()) {
      // An address needs not be said twice.
      const std::string& error = fd.error().message;
      const bool said = error.starts_with(endpoint_.text());
      group_.Failure("receiver.connect", (said ? "" : endpoint_.text() + ": ") + error,
                     {"nothing is delivered", ConnectFix(endpoint_, fd.error().message)});
      return std::nullopt;
    }
    const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - begin);
    group_.Ok("receiver.connect",
              endpoint_.text() + " takes connections (" + std::to_string(took.count()) + " ms)");
    Reached reached{std::move(fd).value(), addresses->front().text()};
    if (!endpoint_.tls) return reached;
    if (!CheckTls(reached.fd.get())) return std::nullopt;
    Result<UniqueFd> fresh = ConnectTo(*addresses, timeout_);
    if (!fresh.ok()) return std::nullopt;
    reached.fd = std::move(fresh).value();
    return reached;
  }

 private:
  std::optional<Reached> Unresolved(const Error& error) {
    group_.Failure(
        "receiver.name", endpoint_.host + ": " + error.message,
        {"nothing is delivered", "getent hosts " + Quoted(endpoint_.host) +
                                     "   # correct the name, /etc/resolv.conf or /etc/hosts"});
    return std::nullopt;
  }

  bool CheckTls(int fd) {
    const TlsOptions& tls = *endpoint_.tls;
    const std::string& host = tls.server_name.empty() ? endpoint_.host : tls.server_name;
    Result<ServerCertificate> seen = LookAtCertificate(fd, host, tls, timeout_);
    if (!seen.ok()) return SayHandshake(seen.error());
    bool good = true;
    if (!tls.insecure_skip_verify) {
      good = CheckTrust(*seen, tls);
      if (!tls.any_server_name) good = CheckName(*seen, host) && good;
    }
    good = CheckTimes(*seen, tls.insecure_skip_verify) && good;
    if (seen->asks_for_certificate && tls.cert.empty() && tls.cert_file.empty()) {
      group_.Note(
          "receiver.client_certificate",
          endpoint_.text() + " asks for a client certificate, and none is configured",
          {"if it insists, nothing is delivered", "tls_config: { cert_file: …, key_file: … }"});
    }
    if (good) {
      group_.Ok("receiver.tls", endpoint_.text() + ": " + seen->protocol + ", certificate of " +
                                    seen->subject + " until " + Day(seen->not_after_s) +
                                    (tls.insecure_skip_verify ? " (not verified)" : ""));
    }
    return good;
  }

  bool SayHandshake(const Error& error) {
    const bool plain = error.message.find("wrong version number") != std::string::npos ||
                       error.message.find("packet length too long") != std::string::npos ||
                       error.message.find("unexpected message") != std::string::npos;
    group_.Failure(
        "receiver.tls",
        endpoint_.text() + (plain ? ": no TLS is spoken there" : ": TLS: " + error.message),
        {"nothing is delivered", plain
                                     ? "http:// in place of https://, or take tls out of the output"
                                     : "openssl s_client -connect " + endpoint_.text() +
                                           " -servername " + Quoted(endpoint_.host)});
    return false;
  }

  bool CheckTrust(const ServerCertificate& seen, const TlsOptions& tls) {
    // A fingerprint is for the request itself to compare.
    if (seen.untrusted.empty() || !tls.trusted_fingerprint.empty()) return true;
    const std::string authority =
        tls.ca_file.empty() ? "the system's authorities" : "the authority in " + tls.ca_file;
    group_.Failure("receiver.certificate",
                   endpoint_.text() + ": " + authority + " did not sign its certificate (issuer " +
                       seen.issuer + "): " + seen.untrusted,
                   {"nothing is delivered",
                    "ca_file: /path/of/the/issuer.pem   # in tls_config; see: openssl s_client "
                    "-showcerts -connect " +
                        endpoint_.text()});
    return false;
  }

  bool CheckName(const ServerCertificate& seen, const std::string& host) {
    if (seen.name_matches) return true;
    group_.Failure(
        "receiver.certificate",
        endpoint_.text() + ": its certificate is for " + Joined(seen.names) + ", not for " + host,
        {"nothing is delivered",
         "server_name: " +
             (seen.names.empty() ? std::string("NAME")
                                 : seen.names.front().substr(seen.names.front().find(':') + 1)) +
             "   # in tls_config; or a certificate with " + host + " in it"});
    return false;
  }

  bool CheckTimes(const ServerCertificate& seen, bool ignored) {
    const int64_t now = std::time(nullptr);
    const std::string what = endpoint_.text() + ": its certificate ";
    const Advice renew{"nothing is delivered from then on",
                       "renew it at the receiver: certbot renew, or as it was made"};
    if (now > seen.not_after_s || now < seen.not_before_s) {
      const std::string text = now > seen.not_after_s
                                   ? "expired on " + Day(seen.not_after_s)
                                   : "is not valid before " + Day(seen.not_before_s);
      if (ignored) {
        group_.Note("receiver.certificate", what + text);
        return true;
      }
      group_.Failure(
          "receiver.certificate", what + text,
          {"nothing is delivered",
           now > seen.not_after_s ? renew.fix : "date -u   # is this machine's clock right?"});
      return false;
    }
    const int64_t days = (seen.not_after_s - now) / kDaySeconds;
    if (days < kSoonDays) {
      group_.Warning("receiver.certificate",
                     what + "expires on " + Day(seen.not_after_s) + ", in " +
                         Count(static_cast<uint64_t>(days), "day"),
                     renew);
    }
    return true;
  }

  const Endpoint& endpoint_;
  const milliseconds timeout_;
  const Group& group_;
};

}  // namespace

std::string Endpoint::text() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<std::vector<SocketAddress>> ResolveHost(const std::string& host, uint16_t port,
                                               milliseconds timeout) {
  // getaddrinfo knows no time limit: its thread is left to itself when that is over.
  const auto lookup = std::make_shared<Lookup>();
  std::thread([lookup, host, port] { LookUp(host, port, *lookup); }).detach();
  std::unique_lock<std::mutex> lock(lookup->mutex);
  if (!lookup->done.wait_for(lock, timeout, [&lookup] { return lookup->finished; })) {
    return Error{ErrorCode::kUnavailable,
                 "no name server answers within " + std::to_string(timeout.count()) + " ms"};
  }
  if (lookup->error == 0 && !lookup->addresses.empty()) return lookup->addresses;
  const bool unknown = lookup->error == EAI_NONAME || lookup->error == EAI_NODATA;
  return Error{unknown ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
               unknown ? "no such host" : std::string(::gai_strerror(lookup->error))};
}

Result<UniqueFd> ConnectTo(const std::vector<SocketAddress>& addresses, milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  Error last{ErrorCode::kUnavailable, "no address"};
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) break;
    // Those that follow get their part of the time.
    const milliseconds share = left / static_cast<int64_t>(addresses.size() - i);
    Result<UniqueFd> fd = ConnectOne(addresses[i], std::max(share, milliseconds(1)));
    if (fd.ok()) return fd;
    last = std::move(fd).error();
  }
  return last;
}

std::optional<Reached> ReachEndpoint(const Endpoint& endpoint, milliseconds timeout,
                                     const Group& group) {
  return Reach(endpoint, timeout, group).Go();
}

}  // namespace agent::doctor
