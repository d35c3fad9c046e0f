#include "agent/modes/ready.h"

#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/config/environment.h"
#include "agent/config/flags.h"
#include "agent/config/loader.h"
#include "base/clock.h"
#include "base/http/http_client.h"
#include "base/http/http_url.h"
#include "base/log.h"
#include "base/loop.h"

namespace agent {
namespace {

constexpr std::string_view kHelp =
    "Usage: agent ready [URL] [-config.file FILE] [flags]\n"
    "\n"
    "Asks a running agent whether it is ready: for health checks where there is no curl.\n"
    "\n"
    "  URL                where to ask; default: $LOG_AGENT_READY, else what the configuration "
    "says\n"
    "                     of the server, else http://127.0.0.1:9080/ready\n"
    "  -config.file FILE  the configuration that the agent was started with\n"
    "\n"
    "The other flags are those of the agent, where it was started with some: agent -help\n"
    "It waits for 5 s at most.\n"
    "\n"
    "Exit codes:\n"
    "  0  ready\n"
    "  1  not ready, or no answer\n"
    "  2  wrong flags\n";

constexpr std::string_view kDefaultUrl = "http://127.0.0.1:9080/ready";
constexpr std::chrono::milliseconds kTimeout(5000);

struct Question {
  std::string url;
  bool own = false;  // Of this host, by its configuration: its certificate need not name 127.0.0.1.
};

int WrongFlags(const std::string& error) {
  std::fputs((error + "Run 'agent ready -help' for what there is\n").c_str(), stderr);
  return kExitFlags;
}

Result<Question> FindOut(const std::string& url, const Flags& flags,
                         const Environment& environment) {
  if (!url.empty()) return Question{url};
  if (const auto set = environment("LOG_AGENT_READY"); set && !set->empty()) return Question{*set};
  const bool told = !flags.config_file.empty() || !flags.given.empty();
  if (!told) return Question{std::string(kDefaultUrl)};
  // What is wrong with other parts says nothing about the agent, which runs with what was there
  // when it was started.
  const LoadedConfig loaded = LoadConfig(flags, nullptr, environment);
  auto ready_url = ReadyUrl(loaded.config.server);
  if (!ready_url) return std::move(ready_url).error();
  return Question{std::move(*ready_url), /*own=*/true};
}

HttpResponse Ask(const Question& question) {
  Loop loop;
  const SystemClock clock;
  Logger logger(STDERR_FILENO, LogLevel::kError, LogFormat::kLogfmt);
  HttpOptions options;
  options.timeout = kTimeout;
  options.connect_timeout = kTimeout;
  options.tls.insecure_skip_verify = question.own;
  HttpClient client(loop, clock, logger, std::move(options));
  HttpResponse answer;
  HttpRequest request;
  request.method = "GET";
  request.url = question.url;
  client.Send(std::move(request), [&](const HttpResponse& response) {
    answer = response;
    loop.Stop();
  });
  loop.Run();
  return answer;
}

}  // namespace

Result<std::string> ReadyUrl(const ServerConfig& server) {
  if (server.disable) return Error{ErrorCode::kInvalid, "the configuration has no server: disable"};
  if (server.http_listen_port == 0) {
    return Error{ErrorCode::kInvalid, "http_listen_port: 0 is any port: give a URL"};
  }
  std::string host = server.http_listen_address;
  if (host.empty() || host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  if (host.find(':') != std::string::npos && host[0] != '[') host = "[" + host + "]";
  return (server.http_tls.cert_file.empty() ? "http://" : "https://") + host + ":" +
         std::to_string(server.http_listen_port) + server.http_path_prefix + "/ready";
}

int RunReady(std::span<const char* const> arguments) {
  std::string url;
  if (!arguments.empty() && arguments[0][0] != '-') {
    url = arguments[0];
    arguments = arguments.subspan(1);
  }
  std::vector<const char*> flags(arguments.begin(), arguments.end());
  // Behind the flags, too: what does not belong to one of them.
  if (url.empty() && !flags.empty() && HostOf(flags.back())) {
    url = flags.back();
    flags.pop_back();
  }
  const ParsedFlags parsed = ParseFlags(flags);
  if (!parsed.error.empty()) return WrongFlags(parsed.error);
  if (parsed.flags.help) {
    std::fwrite(kHelp.data(), 1, kHelp.size(), stdout);
    return kExitOk;
  }
  if (!url.empty() && !HostOf(url)) return WrongFlags(url + ": expected http://HOST:PORT/ready\n");
  std::signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c): there is no way for it to fail.

  const Result<Question> question = FindOut(url, parsed.flags, ProcessEnvironment());
  if (!question) {
    std::fputs((question.error().message + "\n").c_str(), stderr);
    return kExitError;
  }
  const HttpResponse answer = Ask(*question);
  if (answer.status == 0) {
    std::fputs((MaskedUrl(question->url) + ": " + answer.error + "\n").c_str(), stderr);
    return kExitError;
  }
  std::fputs(answer.body.c_str(), stdout);
  if (answer.status == 200) return kExitOk;
  std::fputs((MaskedUrl(question->url) + ": " + answer.status_text + "\n").c_str(), stderr);
  return kExitError;
}

}  // namespace agent
