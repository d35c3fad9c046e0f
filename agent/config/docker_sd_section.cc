// `docker_sd_configs`: the containers of a Docker daemon.

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/config/sections.h"

namespace agent {
namespace {

// Why a text is not the place of a daemon; empty when it is.
std::string WhatIsWrongWithHost(const std::string& host) {
  constexpr std::string_view kUnix = "unix://";
  constexpr std::string_view kTcp = "tcp://";
  if (host.starts_with(kUnix)) {
    // What the system's address of a socket has room for.
    constexpr std::size_t kMaxPath = 107;
    std::string_view path = host;
    path.remove_prefix(kUnix.size());
    if (!path.starts_with('/')) return "a Unix socket needs an absolute path";
    return path.size() > kMaxPath ? "the path of a Unix socket has 107 bytes at most" : "";
  }
  if (host.starts_with(kTcp)) return WhatIsWrongWithUrl("http://" + host.substr(kTcp.size()));
  if (host.starts_with("http://") || host.starts_with("https://")) return WhatIsWrongWithUrl(host);
  return "expected unix://, tcp://, http:// or https://";
}

void ReadFilters(FieldReader& fields, DockerSdConfig& config) {
  fields.List("filters", [&](const ConfigNode& item, const std::string& path) {
    FieldReader filter(item, path, fields.problems());
    std::string name = filter.RequiredString("name");
    std::vector<std::string> values = filter.StringList("values");
    filter.Finish();
    config.filters.emplace_back(std::move(name), std::move(values));
  });
}

DockerSdConfig ReadDockerSdConfig(const ConfigNode& item, const std::string& path,
                                  Problems& problems) {
  FieldReader fields(item, path, problems);
  DockerSdConfig config;
  config.host = fields.RequiredString("host");
  if (const std::string wrong = WhatIsWrongWithHost(config.host);
      !config.host.empty() && !wrong.empty()) {
    fields.Error("host", wrong, "such as unix:///var/run/docker.sock");
  }
  config.port = static_cast<uint16_t>(fields.Int("port", config.port, 0, 65535));
  config.host_networking_host = fields.String("host_networking_host", config.host_networking_host);
  config.match_first_network = fields.Bool("match_first_network", config.match_first_network);
  ReadFilters(fields, config);
  config.refresh_interval = fields.PrometheusDuration("refresh_interval", config.refresh_interval);
  if (config.refresh_interval < std::chrono::milliseconds(1)) {
    fields.Error("refresh_interval", "expected a duration above 0", "such as 5s or 1m");
  }
  config.log_path_prefix = fields.String("log_path_prefix");
  if (!config.log_path_prefix.empty() && !config.log_path_prefix.starts_with('/')) {
    fields.Error("log_path_prefix", "expected an absolute path", "such as /host");
  }
  while (config.log_path_prefix.ends_with('/'))
    config.log_path_prefix.pop_back();
  config.exited_max_age = fields.PrometheusDuration("exited_max_age", config.exited_max_age);
  config.http = ReadHttpClient(fields);
  fields.Finish();
  return config;
}

}  // namespace

std::vector<DockerSdConfig> ReadDockerSd(FieldReader& fields) {
  std::vector<DockerSdConfig> configs;
  fields.List("docker_sd_configs", [&](const ConfigNode& item, const std::string& path) {
    if (item.is_null()) {
      fields.problems().Error(item.place(), path, "empty or null section in docker_sd_configs",
                              "add host: unix:///var/run/docker.sock");
      return;
    }
    configs.push_back(ReadDockerSdConfig(item, path, fields.problems()));
  });
  return configs;
}

}  // namespace agent
