// What an item of `docker_sd_configs` means to discovery.

#pragma once

#include "agent/config/config.h"
#include "discovery/docker/docker_options.h"

namespace agent {

DockerOptions ToDockerOptions(const DockerSdConfig& config);

}  // namespace agent
