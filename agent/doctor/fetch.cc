#include "agent/doctor/fetch.h"

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <utility>

#include "agent/doctor/access.h"
#include "base/clock.h"
#include "base/config/problems.h"
#include "base/http/http_url.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/net/host_port.h"

namespace agent::doctor {
namespace {

constexpr std::size_t kMaxAnswerBytes = std::size_t{8} << 20;
constexpr std::size_t kShownBytes = 200;

uint16_t PortNumber(const std::string& text) {
  return static_cast<uint16_t>(std::strtoul(text.c_str(), nullptr, 10));
}

std::string WithoutBrackets(const std::string& host) {
  return host.size() > 2 && host.front() == '[' ? host.substr(1, host.size() - 2) : host;
}

}  // namespace

std::vector<HttpResponse> FetchAll(const HttpOptions& options, std::vector<HttpRequest> requests,
                                   std::chrono::milliseconds timeout) {
  std::vector<HttpResponse> answers(requests.size());
  if (requests.empty()) return answers;
  const SystemClock clock;
  // What it would log is in the answers.
  Logger silent(STDERR_FILENO, LogLevel::kError, LogFormat::kLogfmt);
  HttpOptions limited = options;
  limited.connect_timeout = timeout;
  Loop loop;
  {
    HttpClient client(loop, clock, silent, limited);
    std::size_t left = requests.size();
    for (std::size_t i = 0; i < requests.size(); ++i) {
      HttpRequest request = requests[i];
      request.timeout = timeout;
      request.keep_bytes = kMaxAnswerBytes;
      request.headers.emplace_back("User-Agent", "log-agent/" AGENT_VERSION " doctor");
      client.Send(std::move(request), [&, i](const HttpResponse& answer) {
        answers[i] = answer;
        if (--left == 0) loop.Stop();
      });
    }
    loop.Run();
  }
  return answers;
}

HttpRequest GetRequest(const std::string& url) {
  HttpRequest request;
  request.method = "GET";
  request.url = url;
  return request;
}

ConfigNode ParseAnswer(const std::string& body) {
  Problems ignored("answer", body);
  ConfigNode node = LoadYaml(body, ignored);
  return node.is_map() || node.is_sequence() ? node : ConfigNode();
}

const ConfigNode* FindPath(const ConfigNode& node, const std::vector<std::string>& keys) {
  const ConfigNode* at = &node;
  for (const std::string& key : keys) {
    at = at->Find(key);
    if (at == nullptr) return nullptr;
  }
  return at;
}

std::string TextAt(const ConfigNode& node, const std::vector<std::string>& keys) {
  const ConfigNode* const found = FindPath(node, keys);
  return found == nullptr ? "" : found->text();
}

std::string AnswerText(const HttpResponse& answer) {
  if (answer.status == 0) return answer.error;
  std::string body = answer.body.substr(0, std::min(answer.body.find('\n'), kShownBytes));
  if (body.find('<') == 0) body.clear();  // A page for a browser says nothing here.
  return answer.status_text + (body.empty() ? "" : ": " + body);
}

std::optional<UrlWay> WayTo(const std::string& url, const HttpOptions& options) {
  const std::optional<UrlHost> host = HostOf(url);
  if (!host) return std::nullopt;
  UrlWay way;
  if (!options.proxy.proxy_url.empty()) {
    // NO_PROXY lists are left to the request itself.
    if (const std::optional<UrlHost> proxy = HostOf(options.proxy.proxy_url)) {
      way.proxied = true;
      way.endpoint = {WithoutBrackets(proxy->name), PortNumber(proxy->port), std::nullopt};
      return way;
    }
  }
  way.proxied = options.proxy.from_environment;
  way.endpoint = {WithoutBrackets(host->name), PortNumber(host->port), std::nullopt};
  if (host->secure) way.endpoint.tls = options.tls;
  return way;
}

bool ReachUrl(const std::string& url, const HttpOptions& options, std::chrono::milliseconds timeout,
              const Group& group) {
  if (!options.unix_socket.empty()) return true;
  const std::optional<UrlWay> way = WayTo(url, options);
  if (!way) {
    group.Failure("receiver.url", MaskedUrl(url) + " is no http or https URL",
                  {"nothing is delivered", "correct the url"});
    return false;
  }
  // Whether a proxy of the environment is in between is for the request to find out.
  if (way->proxied && options.proxy.proxy_url.empty()) return true;
  return ReachEndpoint(way->endpoint, timeout, group).has_value();
}

bool CheckCredentialFiles(const HttpOptions& options, const System& system, const Group& group) {
  std::vector<std::string> files = {options.auth.basic.username_file,
                                    options.auth.basic.password_file,
                                    options.auth.credentials_file,
                                    options.auth.oauth2.client_secret_file,
                                    options.tls.ca_file,
                                    options.tls.cert_file,
                                    options.tls.key_file};
  for (const HttpHeaderValues& header : options.http_headers)
    files.insert(files.end(), header.files.begin(), header.files.end());
  bool good = true;
  for (const std::string& file : files) {
    if (file.empty()) continue;
    if (const std::optional<Refusal> refusal = WhyRefused(file, Want::kRead)) {
      group.Failure("receiver.file", refusal->Text(file),
                    {"nothing is delivered without it", AccessFix(*refusal, Want::kRead, system)});
      good = false;
    }
  }
  return good;
}

}  // namespace agent::doctor
