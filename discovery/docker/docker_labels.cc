#include "discovery/docker/docker_labels.h"

#include <algorithm>
#include <array>
#include <utility>

namespace agent {
namespace {

constexpr std::string_view kPrefix = "__meta_docker_";
constexpr std::string_view kSharedNetwork = "container:";
// Containers that share networks in a circle would be looked up for ever.
constexpr int kMaxShared = 16;

void Set(Labels& labels, std::string_view name, std::string_view value) {
  labels.Set(std::string(kPrefix) + std::string(name), value);
}

std::string AddressOf(std::string_view host, uint16_t port) {
  const bool v6 = host.find(':') != std::string_view::npos;
  std::string address = v6 ? "[" : "";
  address += host;
  if (v6) address += ']';
  return address + ":" + std::to_string(port);
}

// Its own, or those of the container whose network it uses.
const std::vector<DockerNetworkUse>& NetworksOf(const DockerContainer& container,
                                                const FindDockerContainer& find) {
  const DockerContainer* at = &container;
  for (int i = 0; i < kMaxShared && at->networks.empty(); ++i) {
    if (!at->network_mode.starts_with(kSharedNetwork)) break;
    const DockerContainer* const other = find(at->network_mode.substr(kSharedNetwork.size()));
    if (other == nullptr) break;
    at = other;
  }
  return at->networks;
}

void SetNetwork(const DockerNetworkUse& use, const DockerNetworks& networks, Labels& labels) {
  Set(labels, "network_ip", use.ip);
  auto known = networks.find(use.id);
  if (known == networks.end()) {
    // Of a container that has not been started yet only the name is known.
    known = std::find_if(networks.begin(), networks.end(),
                         [&use](const auto& network) { return network.second.name == use.name; });
  }
  if (known == networks.end()) {
    Set(labels, "network_name", use.name);
    return;
  }
  const DockerNetwork& network = known->second;
  Set(labels, "network_id", network.id);
  Set(labels, "network_name", network.name);
  Set(labels, "network_scope", network.scope);
  Set(labels, "network_internal", network.internal ? "true" : "false");
  Set(labels, "network_ingress", network.ingress ? "true" : "false");
  for (const auto& [name, value] : network.labels)
    Set(labels, "network_label_" + SanitizeLabelName(name), value);
}

}  // namespace

std::string SanitizeLabelName(std::string_view name) {
  std::string clean;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0U) == 0x80U) continue;  // Of a character that has its '_' already.
    const bool fits =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    clean += fits ? c : '_';
  }
  return clean;
}

std::vector<Labels> DockerLabels(const DockerContainer& container, const DockerNetworks& networks,
                                 const DockerOptions& options, const FindDockerContainer& find) {
  Labels common;
  Set(common, "container_id", container.id);
  Set(common, "container_name", container.name);
  Set(common, "container_network_mode", container.network_mode);
  for (const auto& [name, value] : container.labels)
    Set(common, "container_label_" + SanitizeLabelName(name), value);

  std::vector<DockerNetworkUse> uses = NetworksOf(container, find);
  if (options.match_first_network && uses.size() > 1) uses.resize(1);
  if (uses.empty()) return {common};

  std::vector<Labels> sets;
  for (const DockerNetworkUse& use : uses) {
    Labels in_network = common;
    SetNetwork(use, networks, in_network);
    for (const DockerPort& port : container.ports) {
      Labels& labels = sets.emplace_back(in_network);
      Set(labels, "port_private", std::to_string(port.private_port));
      if (port.public_port > 0) {
        Set(labels, "port_public", std::to_string(port.public_port));
        Set(labels, "port_public_ip", port.public_ip);
      }
      labels.Set("__address__", AddressOf(use.ip, port.private_port));
    }
    if (!container.ports.empty()) continue;
    const bool in_host = container.network_mode == "host";
    in_network.Set("__address__",
                   in_host ? options.host_networking_host : AddressOf(use.ip, options.port));
    sets.push_back(std::move(in_network));
  }
  return sets;
}

}  // namespace agent
