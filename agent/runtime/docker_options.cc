#include "agent/runtime/docker_options.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

#include "agent/runtime/client_options.h"

namespace agent {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr std::string_view kUnix = "unix://";
constexpr std::string_view kTcp = "tcp://";
// Of one request; a daemon that starts hundreds of containers may well think for a while.
constexpr milliseconds kMinTimeout{30'000};

bool HasTls(const TlsConfig& tls) {
  return tls != TlsConfig();
}

}  // namespace

DockerOptions ToDockerOptions(const DockerSdConfig& config) {
  DockerOptions options;
  options.host = config.host;
  options.http = ToHttpOptions(config.http);
  options.base_url = config.host;
  if (config.host.starts_with(kUnix)) {
    options.http.unix_socket = config.host.substr(kUnix.size());
    options.http.proxy = {};
    options.base_url = "http://docker";
  } else if (config.host.starts_with(kTcp)) {
    options.base_url =
        (HasTls(config.http.tls) ? "https://" : "http://") + config.host.substr(kTcp.size());
  }
  while (options.base_url.ends_with('/'))
    options.base_url.pop_back();
  options.port = config.port;
  options.host_networking_host = config.host_networking_host;
  options.match_first_network = config.match_first_network;
  options.filters = config.filters;
  options.refresh_interval = duration_cast<milliseconds>(config.refresh_interval);
  options.http.timeout = std::max(options.refresh_interval, kMinTimeout);
  options.log_path_prefix = config.log_path_prefix;
  options.exited_max_age = duration_cast<milliseconds>(config.exited_max_age);
  return options;
}

}  // namespace agent
