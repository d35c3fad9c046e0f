#include "agent/http/router.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <utility>

namespace agent {
namespace {

enum class Access : uint8_t {
  kOpen,
  kData,     // Shows data of the user: can be switched off, or need the token.
  kControl,  // Changes the agent: a POST needs the token where there is one.
};

enum class Methods : uint8_t { kRead, kReadAndPost, kAny };

struct Endpoint {
  std::string_view path;
  std::string_view route;  // As the metrics call it.
  Methods methods;
  Access access;
  ServerResponse (*serve)(const ServerRequest&, EndpointContext&);
};

// Sorted by path. /reload answers later and is handled beside the table.
constexpr std::array<Endpoint, 11> kEndpoints = {{
    {"/", "root", Methods::kRead, Access::kOpen, ServeRoot},
    {"/config", "config", Methods::kRead, Access::kData, ServeConfig},
    {"/ledger", "ledger", Methods::kRead, Access::kData, ServeLedger},
    {"/loglevel", "loglevel", Methods::kReadAndPost, Access::kControl, ServeLogLevel},
    {"/metrics", "metrics", Methods::kRead, Access::kOpen, ServeMetrics},
    {"/outputs", "outputs", Methods::kRead, Access::kData, ServeOutputs},
    {"/ready", "ready", Methods::kRead, Access::kOpen, ServeReady},
    {"/reload", "reload", Methods::kAny, Access::kOpen, nullptr},
    {"/service-discovery", "service_discovery", Methods::kRead, Access::kData,
     ServeServiceDiscovery},
    {"/static/style.css", "static", Methods::kRead, Access::kOpen, ServeStylesheet},
    {"/targets", "targets", Methods::kRead, Access::kData, ServeTargets},
}};

const Endpoint* FindEndpoint(std::string_view path) {
  const auto* found = std::find_if(kEndpoints.begin(), kEndpoints.end(),
                                   [path](const Endpoint& e) { return e.path == path; });
  return found == kEndpoints.end() ? nullptr : found;
}

bool Allows(Methods methods, std::string_view method) {
  if (methods == Methods::kAny || method == "GET" || method == "HEAD") return true;
  return methods == Methods::kReadAndPost && method == "POST";
}

// Endpoints that the configuration has switched off do not exist.
bool IsServed(const Endpoint& endpoint, const ServerConfig& config) {
  if (endpoint.access == Access::kData) return config.data_pages;
  if (endpoint.route == "metrics") return config.register_instrumentation;
  if (endpoint.route == "reload") return config.enable_runtime_reload;
  return true;
}

bool NeedsToken(const Endpoint& endpoint, const ServerRequest& request,
                const ServerConfig& config) {
  if (config.data_pages_token.empty() && config.data_pages_token_file.empty()) return false;
  return endpoint.access == Access::kData ||
         (endpoint.access == Access::kControl && request.method == "POST");
}

// Every byte of `given` is looked at, wherever the first difference is.
bool EqualInConstantTime(std::string_view given, std::string_view wanted) {
  if (wanted.empty()) return false;
  volatile unsigned difference = given.size() == wanted.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto a = static_cast<unsigned char>(given[i]);
    const auto b = static_cast<unsigned char>(wanted[i % wanted.size()]);
    difference = difference | static_cast<unsigned>(a ^ b);
  }
  return difference == 0;
}

// Without line breaks and blanks at its end; empty when it cannot be read.
std::string ReadToken(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string token((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  token.erase(token.find_last_not_of(" \t\r\n") + 1);
  return token;
}

ServerResponse NotFound() {
  return {.status = 404, .body = "404 page not found\n"};
}

}  // namespace

bool IsAuthorized(const ServerConfig& config, std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  const std::string token = config.data_pages_token.empty()
                                ? ReadToken(config.data_pages_token_file)
                                : config.data_pages_token;
  if (authorization.size() < kScheme.size()) return false;
  const bool bearer = std::equal(kScheme.begin(), kScheme.end(), authorization.begin(),
                                 [](char want, char got) { return want == (got | 0x20); });
  authorization.remove_prefix(kScheme.size());
  return EqualInConstantTime(authorization, token) && bearer;
}

std::string_view Router::Strip(std::string_view path) const {
  const std::string_view prefix = context_.config.http_path_prefix;
  if (!path.starts_with(prefix)) return {};
  path.remove_prefix(prefix.size());
  if (path.empty()) return "/";
  return path.front() == '/' ? path : std::string_view();
}

std::string_view Router::RouteName(std::string_view path) const {
  const Endpoint* endpoint = FindEndpoint(Strip(path));
  return endpoint != nullptr && IsServed(*endpoint, context_.config) ? endpoint->route : "other";
}

void Router::Dispatch(const ServerRequest& request, const ServerReply& reply) {
  const Endpoint* endpoint = FindEndpoint(Strip(request.path));
  if (endpoint == nullptr || !IsServed(*endpoint, context_.config)) return reply(NotFound());
  if (!Allows(endpoint->methods, request.method)) {
    return reply(
        {.status = 405,
         .body = "method not allowed\n",
         .headers = {{"Allow", endpoint->methods == Methods::kReadAndPost ? "GET, HEAD, POST"
                                                                          : "GET, HEAD"}}});
  }
  if (NeedsToken(*endpoint, request, context_.config) &&
      !IsAuthorized(context_.config, request.authorization)) {
    return reply({.status = 401,
                  .body = "a bearer token is needed: server.data_pages_token\n",
                  .headers = {{"WWW-Authenticate", "Bearer realm=\"agent\""}}});
  }
  if (endpoint->serve == nullptr) return ServeReload(request, context_, reply);
  reply(endpoint->serve(request, context_));
}

}  // namespace agent
