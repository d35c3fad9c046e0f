// The objects of Kubernetes' API, as much of each as becomes labels.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace agent {

using KubePairs = std::vector<std::pair<std::string, std::string>>;

// Which resource of the API an object comes from.
enum class KubeKind : uint8_t {
  kPod,
  kNode,
  kNamespace,
  kService,
  kEndpoints,
  kEndpointSlice,
  kIngress,
};

struct KubePort {
  std::string name;
  uint32_t number = 0;
  std::string protocol;
  std::string app_protocol;

  bool operator==(const KubePort&) const = default;
};

struct KubeContainer {
  enum class Role : uint8_t { kMain, kInit, kEphemeral };
  Role role = Role::kMain;
  std::string name;
  std::string image;
  std::string id;  // "containerd://…"; empty before it was started.
  std::vector<KubePort> ports;

  bool operator==(const KubeContainer&) const = default;
};

struct KubePod {
  std::string ip;
  std::string host_ip;
  std::string node;
  std::string phase;
  std::string ready = "unknown";  // Or "true", "false".
  std::vector<KubeContainer> containers;

  bool operator==(const KubePod&) const = default;
};

struct KubeNode {
  std::string provider_id;
  KubePairs addresses;  // Type, address; in the order of the API.
  uint32_t kubelet_port = 0;

  bool operator==(const KubeNode&) const = default;
};

struct KubeNamespace {
  bool operator==(const KubeNamespace&) const = default;
};

struct KubeService {
  std::string type;
  std::string cluster_ip;
  std::string external_name;
  std::vector<KubePort> ports;

  bool operator==(const KubeService&) const = default;
};

// One address of Endpoints, or one endpoint of an EndpointSlice.
struct KubeEndpoint {
  std::vector<std::string> addresses;
  std::string ready;
  std::string serving;
  std::string terminating;
  std::string hostname;
  std::string node;
  std::string zone;
  std::string target_kind;
  std::string target_name;
  std::string target_namespace;
  KubePairs topology;

  bool operator==(const KubeEndpoint&) const = default;
};

struct KubeEndpointSubset {
  std::vector<KubeEndpoint> endpoints;
  std::vector<KubePort> ports;

  bool operator==(const KubeEndpointSubset&) const = default;
};

// Endpoints, or an EndpointSlice, which has one subset.
struct KubeEndpoints {
  std::string address_type;  // Of a slice.
  std::vector<KubeEndpointSubset> subsets;

  bool operator==(const KubeEndpoints&) const = default;
};

struct KubeIngressRule {
  std::string host;
  std::vector<std::string> paths;

  bool operator==(const KubeIngressRule&) const = default;
};

struct KubeIngress {
  std::optional<std::string> class_name;
  std::vector<std::string> tls_hosts;
  std::vector<KubeIngressRule> rules;

  bool operator==(const KubeIngress&) const = default;
};

struct KubeObject {
  std::string ns;  // Empty for what is in none.
  std::string name;
  std::string uid;
  std::string resource_version;
  KubePairs labels;
  KubePairs annotations;
  std::string controller_kind;
  std::string controller_name;
  std::variant<KubePod, KubeNode, KubeNamespace, KubeService, KubeEndpoints, KubeIngress> body;

  // The value of an annotation; null: there is none.
  [[nodiscard]] const std::string* Annotation(std::string_view key) const;

  bool operator==(const KubeObject&) const = default;
};

}  // namespace agent
