// A Logstash: each host's port, its TLS, and whether it is lumberjack that is spoken there.

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "agent/doctor/access.h"
#include "agent/doctor/certificate.h"
#include "agent/doctor/reach.h"
#include "agent/doctor/subject.h"
#include "agent/doctor/system.h"
#include "agent/runtime/client_options.h"
#include "base/net/host_port.h"
#include "base/net/tls_client.h"
#include "base/net/transport.h"

namespace agent::doctor {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// Version 2, a window of no event: a lumberjack server waits for what follows, and stores nothing.
constexpr std::string_view kEmptyWindow{"2W\0\0\0\0", 6};
// How long an answer is waited for that should not come.
constexpr milliseconds kSilence{300};

class Conversation {
 public:
  Conversation(Transport& transport, int fd) : transport_(transport), fd_(fd) {}

  Status Shake(milliseconds timeout) {
    return Until(timeout, [this] { return transport_.Handshake(); });
  }

  // What comes within the time; `ended`: the peer has closed.
  struct Heard {
    std::string bytes;
    bool ended = false;
    std::string error;
  };
  Heard Listen(milliseconds timeout) {
    Heard heard;
    const auto deadline = Clock::now() + timeout;
    std::array<char, 512> buffer{};
    for (;;) {
      const Transport::Outcome got = transport_.Read(buffer);
      heard.bytes.append(buffer.data(), got.size);
      if (got.state == Transport::State::kEnded) {
        heard.ended = true;
        heard.error = transport_.end().error;
        return heard;
      }
      const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
      if (got.state == Transport::State::kDone && got.size > 0 && heard.bytes.size() < 4096)
        continue;
      if (left.count() <= 0 || !WaitFor(fd_, /*to_write=*/false, left)) return heard;
    }
  }

  Status Say(std::string_view bytes, milliseconds timeout) {
    return Until(timeout, [this, &bytes] {
      const Transport::Outcome taken = transport_.Write(bytes);
      bytes.remove_prefix(taken.size);
      return taken;
    });
  }

 private:
  template <typename Step>
  Status Until(milliseconds timeout, Step step) {
    const auto deadline = Clock::now() + timeout;
    for (;;) {
      const Transport::Outcome outcome = step();
      if (outcome.state == Transport::State::kDone) return {};
      if (outcome.state == Transport::State::kEnded) {
        const std::string& error = transport_.end().error;
        return Error{ErrorCode::kIo, error.empty() ? "the connection was closed" : error};
      }
      const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
      const bool to_write = (transport_.wanted_events() & UV_WRITABLE) != 0;
      if (left.count() <= 0 || !WaitFor(fd_, to_write, left))
        return Error{ErrorCode::kUnavailable, "no answer in time"};
    }
  }

  Transport& transport_;
  const int fd_;
};

class LogstashCheck {
 public:
  LogstashCheck(const Subject& subject, const LogstashConfig& config, const Group& group)
      : subject_(subject), config_(config), group_(group) {}

  void Run() {
    if (config_.tls && !CheckFiles()) return;
    for (const std::string& host : config_.hosts) {
      const Result<HostPort> parsed = ParseHostPort(host, 5044);
      if (!parsed.ok()) continue;  // The configuration has been checked.
      Endpoint endpoint{parsed->host, parsed->port, std::nullopt};
      if (config_.tls) endpoint.tls = ToTlsOptions(config_.tls_config);
      if (config_.transport == "udp") {
        CheckUdp(endpoint);
      } else if (std::optional<Reached> reached =
                     ReachEndpoint(endpoint, subject_.timeout, group_)) {
        Talk(endpoint, reached->fd.get());
      }
    }
  }

 private:
  bool CheckFiles() {
    bool good = true;
    for (const std::string& file :
         {config_.tls_config.ca_file, config_.tls_config.cert_file, config_.tls_config.key_file}) {
      if (file.empty()) continue;
      if (const std::optional<Refusal> refusal = WhyRefused(file, Want::kRead)) {
        group_.Failure(
            "receiver.file", refusal->Text(file),
            {"nothing is delivered without it", AccessFix(*refusal, Want::kRead, subject_.system)});
        good = false;
      }
    }
    return good;
  }

  // Nobody answers: only the name can be looked up.
  void CheckUdp(const Endpoint& endpoint) {
    const auto found = ResolveHost(endpoint.host, endpoint.port, subject_.timeout);
    if (!found.ok()) {
      group_.Failure("receiver.name", endpoint.host + ": " + found.error().message,
                     {"nothing is delivered", "getent hosts " + Quoted(endpoint.host)});
      return;
    }
    group_.Note("logstash.udp", endpoint.text() + ": UDP: whether anybody takes it cannot be seen",
                {"what is lost on the way is lost", "protocol: lumberjack   # or transport: tcp"});
  }

  void Talk(const Endpoint& endpoint, int fd) {
    std::unique_ptr<TlsClient> tls;
    std::unique_ptr<Transport> transport;
    if (endpoint.tls) {
      tls = std::make_unique<TlsClient>(*endpoint.tls);
      Result<std::unique_ptr<Transport>> made = tls->MakeTransport(fd, endpoint.host);
      if (!made.ok()) {
        group_.Failure("receiver.tls", endpoint.text() + ": " + made.error().message,
                       {"nothing is delivered", "correct tls_config of the output"});
        return;
      }
      transport = std::move(made).value();
    } else {
      transport = MakePlainTransport(fd);
    }
    Conversation talk(*transport, fd);
    if (const Status shaken = talk.Shake(subject_.timeout); !shaken.ok()) {
      group_.Failure(
          "receiver.tls", endpoint.text() + ": " + shaken.error().message,
          {"nothing is delivered",
           "tls_config: { cert_file: …, key_file: … }   # if it wants a client certificate"});
      return;
    }
    if (config_.protocol == "lumberjack") {
      // That it may fail is seen by listening.
      static_cast<void>(talk.Say(kEmptyWindow, subject_.timeout).ok());
      Judge(endpoint, talk.Listen(kSilence));
    } else if (endpoint.tls) {
      const Conversation::Heard heard = talk.Listen(kSilence);
      if (heard.ended) SayClosed(endpoint, heard);
    }
  }

  void SayClosed(const Endpoint& endpoint, const Conversation::Heard& heard) {
    const bool certificate = heard.error.find("certificate") != std::string::npos;
    group_.Failure(
        "logstash.closed",
        endpoint.text() + " closes the connection" +
            (heard.error.empty() ? "" : ": " + heard.error),
        {"nothing is delivered",
         certificate ? "tls_config: { cert_file: …, key_file: … }   # it wants a client "
                       "certificate that it knows"
                     : "Logstash's log: journalctl -u logstash; is this the port of its input?"});
  }

  void Judge(const Endpoint& endpoint, const Conversation::Heard& heard) {
    const std::string& bytes = heard.bytes;
    if (bytes.starts_with("2A") || (bytes.empty() && !heard.ended)) {
      group_.Ok("logstash.protocol",
                endpoint.text() + " takes an empty window, as lumberjack servers do");
    } else if (bytes.starts_with("HTTP/")) {
      group_.Failure(
          "logstash.protocol", endpoint.text() + " speaks HTTP, not lumberjack",
          {"nothing is delivered", "hosts: the port of Logstash's input `beats`, usually 5044"});
    } else if (!endpoint.tls && bytes.starts_with("\x15\x03")) {
      group_.Failure("logstash.protocol", endpoint.text() + " wants TLS, and the output has none",
                     {"nothing is delivered", "tls_config: { ca_file: … }   # in the output"});
    } else if (!bytes.empty()) {
      group_.Failure(
          "logstash.protocol", endpoint.text() + " does not speak lumberjack",
          {"nothing is delivered", "hosts: the port of Logstash's input `beats`, usually 5044"});
    } else if (!endpoint.tls) {
      group_.Failure("logstash.closed", endpoint.text() + " closes the connection",
                     {"nothing is delivered",
                      "does its input want TLS? openssl s_client -connect " + endpoint.text()});
    } else {
      SayClosed(endpoint, heard);
    }
  }

  const Subject& subject_;
  const LogstashConfig& config_;
  const Group& group_;
};

}  // namespace

void CheckLogstash(const Subject& subject, const OutputConfig& output, Findings& findings) {
  const Group group(findings, "Output " + output.name + " (logstash)");
  LogstashCheck(subject, *output.logstash, group).Run();
}

}  // namespace agent::doctor
