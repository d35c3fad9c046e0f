// A container whose log is not in a file that can be read: it is read through the daemon.

#pragma once

#include <memory>
#include <string>

#include "discovery/target.h"

namespace agent {

struct DockerOptions;

struct ContainerLog {
  Target target;  // `path` is "docker:ID".
  std::shared_ptr<const DockerOptions> daemon;
  std::string container_id;
  bool tty = false;
  bool running = false;  // When it is not, its log has an end.

  bool operator==(const ContainerLog&) const = default;
};

}  // namespace agent
