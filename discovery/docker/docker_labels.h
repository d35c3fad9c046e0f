// What relabelling gets to see of a container: the labels `__meta_docker_…`.

#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/labels.h"
#include "discovery/docker/docker_objects.h"
#include "discovery/docker/docker_options.h"

namespace agent {

constexpr std::string_view kDockerStreamLabel = "__meta_docker_container_log_stream";

// Another container by id or name; null when it is not known.
using FindDockerContainer = std::function<const DockerContainer*(std::string_view)>;

// One set for each TCP port of each network (of the first network only, with match_first_network);
// a container without a port has one for each network, one without a network has one. Without
// kDockerStreamLabel.
std::vector<Labels> DockerLabels(const DockerContainer& container, const DockerNetworks& networks,
                                 const DockerOptions& options, const FindDockerContainer& find);

// The name with every character that no label may have as '_'.
std::string SanitizeLabelName(std::string_view name);

}  // namespace agent
