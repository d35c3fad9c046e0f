// One item of `docker_sd_configs`, ready to be used.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/http/http_options.h"

namespace agent {

struct DockerOptions {
  std::string host;      // As configured, for logs and pages.
  std::string base_url;  // "http://docker" for a Unix socket, which is in `http` then.
  HttpOptions http;
  uint16_t port = 80;  // In __address__ where a container has no port of its own.
  std::string host_networking_host = "localhost";  // __address__ in the host's network.
  bool match_first_network = true;
  // The daemon's filters: name and values.
  std::vector<std::pair<std::string, std::vector<std::string>>> filters;
  std::chrono::milliseconds refresh_interval{60'000};
  std::string log_path_prefix;  // Goes before every path that the daemon names.
  // Of containers that have ended longer ago nothing is read. 0: of ended ones nothing at all.
  std::chrono::milliseconds exited_max_age{3'600'000};
  // Whether the log that appeared at a path is kept open for the tailer, also when its folder is
  // gone. Null: none is.
  std::function<bool(const std::string& path)> is_held;
};

}  // namespace agent
