// What Docker's API says of containers, networks and events, as far as discovery looks at it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace agent {

struct DockerNetworkUse {
  std::string name;
  std::string id;
  std::string ip;  // Empty while the container does not run.
};

struct DockerPort {
  uint16_t private_port = 0;
  uint16_t public_port = 0;  // 0: not published.
  std::string public_ip;
};

struct DockerContainer {
  std::string id;
  std::string name;  // With its leading slash.
  std::string network_mode;
  std::vector<std::pair<std::string, std::string>> labels;  // By name.
  std::vector<DockerNetworkUse> networks;                   // By name.
  std::vector<DockerPort> ports;                            // TCP only, by number.
  std::string log_driver;
  std::string log_path;  // Of the json-file; empty before the first start, and for other drivers.
  std::string status;    // "created", "running", "paused", "restarting", "exited", "dead".
  bool tty = false;
  int64_t finished_ns = 0;  // Since 1970; 0: never.
};

// A row of the list of containers.
struct DockerListed {
  std::string id;
  // Of what the list says of it, but for what changes by itself ("Up 3 minutes"): equal means that
  // it need not be looked at again.
  uint64_t fingerprint = 0;
};

struct DockerNetwork {
  std::string id;
  std::string name;
  std::string scope;
  bool internal = false;
  bool ingress = false;
  std::vector<std::pair<std::string, std::string>> labels;

  bool operator==(const DockerNetwork&) const = default;
};
using DockerNetworks = std::map<std::string, DockerNetwork>;  // By id.

struct DockerEvent {
  std::string type;    // "container", "network".
  std::string action;  // "create", "start", "die", "destroy", "rename", "connect", …
  std::string container_id;
  // Of a container: what the daemon tells of it with the event.
  std::string name{};                                         // With its leading slash.
  std::vector<std::pair<std::string, std::string>> labels{};  // By name.
};

// kInvalid, for a text that is no JSON or not what it should be.
Result<DockerContainer> ParseDockerContainer(std::string_view json);
Result<std::vector<DockerListed>> ParseDockerList(std::string_view json);
Result<DockerNetworks> ParseDockerNetworks(std::string_view json);
Result<DockerEvent> ParseDockerEvent(std::string_view json);
// Of GET /info: where the daemon keeps everything.
Result<std::string> ParseDockerRoot(std::string_view json);

// Cuts a stream of JSON texts at its line ends.
class DockerLines {
 public:
  // A line longer than this is skipped: no event is near it.
  static constexpr std::size_t kMaxLineBytes = std::size_t{1} << 20;

  // Calls `line` with each line that `data` completes, without its end; empty ones are left out.
  template <typename Visit>
  void Add(std::string_view data, Visit line) {
    while (!data.empty()) {
      const std::size_t end = data.find('\n');
      const std::string_view part = data.substr(0, end);
      if (rest_.size() + part.size() > kMaxLineBytes) skipping_ = true;
      if (skipping_) {
        rest_.clear();
      } else {
        rest_ += part;
      }
      if (end == std::string_view::npos) return;
      if (!skipping_ && !rest_.empty()) line(rest_);
      rest_.clear();
      skipping_ = false;
      data.remove_prefix(end + 1);
    }
  }

 private:
  std::string rest_;
  bool skipping_ = false;
};

}  // namespace agent
