#include "discovery/kubernetes/object_labels.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/utf8.h"

namespace agent {
namespace {

constexpr std::string_view kPrefix = "__meta_kubernetes_";

void Set(Labels& labels, std::string_view name, std::string_view value) {
  labels.Set(std::string(kPrefix) + std::string(name), value);
}

void SetPairs(Labels& labels, std::string_view kind, std::string_view what,
              const KubePairs& pairs) {
  const std::string stem = std::string(kPrefix) + std::string(kind) + "_" + std::string(what);
  for (const auto& [name, value] : pairs) {
    labels.Set(KubeLabelName(stem + "_", name), value);
    labels.Set(KubeLabelName(stem + "present_", name), "true");
  }
}

// Name, labels and annotations, as every object has them.
void SetMeta(Labels& labels, std::string_view kind, const KubeObject& object) {
  Set(labels, std::string(kind) + "_name", object.name);
  SetPairs(labels, kind, "label", object.labels);
  SetPairs(labels, kind, "annotation", object.annotations);
}

void AttachNode(Labels& labels, const std::string& node, const KubeAttach& attach,
                const KubeSurroundings& around) {
  if (!attach.node || node.empty()) return;
  if (const KubeObject* found = around.node({}, node)) SetMeta(labels, "node", *found);
}

void AttachNamespace(Labels& labels, const std::string& ns, const KubeAttach& attach,
                     const KubeSurroundings& around) {
  if (!attach.of_namespace || ns.empty()) return;
  const KubeObject* const found = around.of_namespace({}, ns);
  if (found == nullptr) return;
  SetPairs(labels, "namespace", "label", found->labels);
  SetPairs(labels, "namespace", "annotation", found->annotations);
}

// --- Pods.

// `name` without "-" and what follows the last one.
std::string_view WithoutSuffix(std::string_view name) {
  return name.substr(0, std::min(name.rfind('-'), name.size()));
}

// A ReplicaSet's name is its Deployment's and the hash of the pods' template, which stands in a
// label; a CronJob's jobs have its name and the minute of their run.
void SetOwners(Labels& labels, const KubeObject& pod, const KubeAttach& attach) {
  const std::string_view owner = pod.controller_name;
  if (attach.deployment && pod.controller_kind == "ReplicaSet") {
    for (const auto& [name, value] : pod.labels) {
      if (name == "pod-template-hash" && owner.ends_with("-" + value))
        Set(labels, "pod_deployment_name", WithoutSuffix(owner));
    }
  }
  if (pod.controller_kind != "Job") return;
  if (attach.job) Set(labels, "pod_job_name", owner);
  const std::string_view stem = WithoutSuffix(owner);
  const std::string_view minute = owner.substr(std::min(stem.size() + 1, owner.size()));
  const bool scheduled =
      minute.size() >= 8 && minute.size() <= 11 &&
      std::all_of(minute.begin(), minute.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (attach.cronjob && scheduled) Set(labels, "pod_cronjob_name", stem);
}

Labels PodLabels(const KubeObject& object) {
  const auto& pod = std::get<KubePod>(object.body);
  Labels labels;
  SetMeta(labels, "pod", object);
  Set(labels, "pod_ip", pod.ip);
  Set(labels, "pod_ready", pod.ready);
  Set(labels, "pod_phase", pod.phase);
  Set(labels, "pod_node_name", pod.node);
  Set(labels, "pod_host_ip", pod.host_ip);
  Set(labels, "pod_uid", object.uid);
  if (!object.controller_kind.empty()) Set(labels, "pod_controller_kind", object.controller_kind);
  if (!object.controller_name.empty()) Set(labels, "pod_controller_name", object.controller_name);
  return labels;
}

void SetPort(Labels& labels, const KubePort& port) {
  Set(labels, "pod_container_port_number", std::to_string(port.number));
  Set(labels, "pod_container_port_name", port.name);
  Set(labels, "pod_container_port_protocol", port.protocol);
}

std::vector<KubeTarget> PodTargets(const KubeObject& object, const KubeAttach& attach,
                                   const KubeSurroundings& around) {
  const auto& pod = std::get<KubePod>(object.body);
  Labels common = PodLabels(object);
  Set(common, "namespace", object.ns);
  SetOwners(common, object, attach);
  AttachNode(common, pod.node, attach, around);
  AttachNamespace(common, object.ns, attach, around);
  std::vector<KubeTarget> targets;
  for (const KubeContainer& container : pod.containers) {
    Labels labels = common;
    Set(labels, "pod_container_name", container.name);
    Set(labels, "pod_container_id", container.id);
    Set(labels, "pod_container_image", container.image);
    const bool init = container.role == KubeContainer::Role::kInit;
    Set(labels, "pod_container_init", init ? "true" : "false");
    if (container.ports.empty()) {
      labels.Set("__address__", pod.ip);
      targets.push_back({std::move(labels), container.name});
      continue;
    }
    for (const KubePort& port : container.ports) {
      labels.Set("__address__", KubeAddress(pod.ip, port.number));
      SetPort(labels, port);
      targets.push_back({labels, container.name});
    }
  }
  return targets;
}

// --- Nodes and services.

// As Kubernetes' own programs choose among a node's addresses.
std::string NodeAddress(const KubeNode& node) {
  for (const std::string_view type :
       {"InternalIP", "InternalDNS", "ExternalIP", "ExternalDNS", "LegacyHostIP", "Hostname"}) {
    for (const auto& [name, address] : node.addresses) {
      if (name == type) return address;
    }
  }
  return {};
}

std::vector<KubeTarget> NodeTargets(const KubeObject& object) {
  const auto& node = std::get<KubeNode>(object.body);
  const std::string address = NodeAddress(node);
  if (address.empty()) return {};
  Labels labels;
  SetMeta(labels, "node", object);
  Set(labels, "node_provider_id", node.provider_id);
  labels.Set("__address__", KubeAddress(address, node.kubelet_port));
  labels.Set("instance", object.name);
  std::set<std::string> seen;
  for (const auto& [type, value] : node.addresses) {
    // The first of each type.
    if (seen.insert(type).second)
      labels.Set(KubeLabelName(std::string(kPrefix) + "node_address_", type), value);
  }
  return {{std::move(labels), {}}};
}

std::vector<KubeTarget> ServiceTargets(const KubeObject& object, const KubeAttach& attach,
                                       const KubeSurroundings& around) {
  const auto& service = std::get<KubeService>(object.body);
  std::vector<KubeTarget> targets;
  Labels common;
  SetMeta(common, "service", object);
  Set(common, "namespace", object.ns);
  AttachNamespace(common, object.ns, attach, around);
  for (const KubePort& port : service.ports) {
    Labels labels = common;
    labels.Set("__address__", KubeAddress(object.name + "." + object.ns + ".svc", port.number));
    Set(labels, "service_port_name", port.name);
    Set(labels, "service_port_number", std::to_string(port.number));
    Set(labels, "service_port_protocol", port.protocol);
    Set(labels, "service_type", service.type);
    if (service.type == "ExternalName") {
      Set(labels, "service_external_name", service.external_name);
    } else {
      Set(labels, "service_cluster_ip", service.cluster_ip);
    }
    targets.push_back({std::move(labels), {}});
  }
  return targets;
}

// --- Endpoints and EndpointSlices.

class EndpointTargets {
 public:
  EndpointTargets(KubeRole role, const KubeObject& object, const KubeAttach& attach,
                  const KubeSurroundings& around)
      : slice_(role == KubeRole::kEndpointSlice),
        object_(object),
        attach_(attach),
        around_(around) {
    const auto& endpoints = std::get<KubeEndpoints>(object.body);
    Set(common_, "namespace", object.ns);
    SetMeta(common_, slice_ ? "endpointslice" : "endpoints", object);
    if (slice_) Set(common_, "endpointslice_address_type", endpoints.address_type);
    AttachNamespace(common_, object.ns, attach, around);
    if (const KubeObject* service = around.service(object.ns, ServiceName()))
      SetMeta(common_, "service", *service);
  }

  std::vector<KubeTarget> Build() {
    for (const KubeEndpointSubset& subset : std::get<KubeEndpoints>(object_.body).subsets) {
      for (const KubePort& port : subset.ports) {
        for (const KubeEndpoint& endpoint : subset.endpoints) {
          for (const std::string& address : endpoint.addresses)
            Add(address, port, endpoint);
        }
      }
    }
    AddOtherPorts();
    return std::move(targets_);
  }

 private:
  struct SeenPod {
    const KubeObject* pod;
    std::set<uint32_t> ports;
  };

  std::string ServiceName() const {
    if (!slice_) return object_.name;
    for (const auto& [name, value] : object_.labels) {
      if (name == "kubernetes.io/service-name") return value;
    }
    return {};
  }

  void Add(const std::string& address, const KubePort& port, const KubeEndpoint& endpoint) {
    Labels labels = common_;
    labels.Set("__address__", KubeAddress(address, port.number));
    if (slice_) {
      SetSliceLabels(labels, port, endpoint);
    } else {
      SetEndpointLabels(labels, port, endpoint);
    }
    AttachNode(labels, endpoint.node, attach_, around_);
    const KubeObject* const pod = endpoint.target_kind == "Pod"
                                      ? around_.pod(endpoint.target_namespace, endpoint.target_name)
                                      : nullptr;
    if (pod == nullptr) {
      targets_.push_back({std::move(labels), {}});
      return;
    }
    const KubeContainer* const container = SetContainer(labels, *pod, port.number);
    for (const Label& label : PodLabels(*pod))
      labels.Set(label.name, label.value);
    targets_.push_back({std::move(labels), container == nullptr ? "" : container->name});
    Remember(*pod, port.number);
  }

  static const KubeContainer* SetContainer(Labels& labels, const KubeObject& pod, uint32_t number) {
    for (const KubeContainer& container : std::get<KubePod>(pod.body).containers) {
      if (container.role == KubeContainer::Role::kEphemeral) continue;
      for (const KubePort& port : container.ports) {
        if (port.number != number) continue;
        Set(labels, "pod_container_name", container.name);
        Set(labels, "pod_container_image", container.image);
        SetPort(labels, port);
        return &container;
      }
    }
    return nullptr;
  }

  static void SetEndpointLabels(Labels& labels, const KubePort& port,
                                const KubeEndpoint& endpoint) {
    Set(labels, "endpoint_port_name", port.name);
    Set(labels, "endpoint_port_protocol", port.protocol);
    Set(labels, "endpoint_ready", endpoint.ready);
    if (!endpoint.target_kind.empty() || !endpoint.target_name.empty()) {
      Set(labels, "endpoint_address_target_kind", endpoint.target_kind);
      Set(labels, "endpoint_address_target_name", endpoint.target_name);
    }
    if (!endpoint.node.empty()) Set(labels, "endpoint_node_name", endpoint.node);
    if (!endpoint.hostname.empty()) Set(labels, "endpoint_hostname", endpoint.hostname);
  }

  static void SetSliceLabels(Labels& labels, const KubePort& port, const KubeEndpoint& endpoint) {
    const auto set = [&labels](std::string_view name, std::string_view value) {
      if (!value.empty()) Set(labels, "endpointslice_" + std::string(name), value);
    };
    set("port_name", port.name);
    set("port_protocol", port.protocol);
    set("port", std::to_string(port.number));
    set("port_app_protocol", port.app_protocol);
    set("endpoint_conditions_ready", endpoint.ready);
    set("endpoint_conditions_serving", endpoint.serving);
    set("endpoint_conditions_terminating", endpoint.terminating);
    set("endpoint_hostname", endpoint.hostname);
    set("endpoint_node_name", endpoint.node);
    set("endpoint_zone", endpoint.zone);
    set("address_target_kind", endpoint.target_kind);
    set("address_target_name", endpoint.target_name);
    SetPairs(labels, "endpointslice_endpoint", "topology", endpoint.topology);
  }

  void Remember(const KubeObject& pod, uint32_t port) {
    const auto known = std::find_if(pods_.begin(), pods_.end(),
                                    [&pod](const SeenPod& seen) { return seen.pod == &pod; });
    SeenPod& seen = known == pods_.end() ? pods_.emplace_back(SeenPod{&pod, {}}) : *known;
    seen.ports.insert(port);
  }

  // Of pods that are behind the service: ports that the service does not have.
  void AddOtherPorts() {
    for (const SeenPod& seen : pods_) {
      const auto& pod = std::get<KubePod>(seen.pod->body);
      if (pod.ip.empty()) continue;
      for (const KubeContainer& container : pod.containers) {
        if (container.role == KubeContainer::Role::kEphemeral) continue;
        for (const KubePort& port : container.ports) {
          if (seen.ports.contains(port.number)) continue;
          Labels labels = common_;
          labels.Set("__address__", KubeAddress(pod.ip, port.number));
          Set(labels, "pod_container_name", container.name);
          Set(labels, "pod_container_image", container.image);
          SetPort(labels, port);
          for (const Label& label : PodLabels(*seen.pod))
            labels.Set(label.name, label.value);
          targets_.push_back({std::move(labels), container.name});
        }
      }
    }
  }

  const bool slice_;
  const KubeObject& object_;
  const KubeAttach& attach_;
  const KubeSurroundings& around_;
  Labels common_;
  std::vector<SeenPod> pods_;
  std::vector<KubeTarget> targets_;
};

// --- Ingresses.

// "*.example.com" stands for one name in place of the star.
bool HostMatches(std::string_view pattern, std::string_view host) {
  if (pattern == host) return true;
  if (!pattern.starts_with("*.")) return false;
  const std::size_t dot = host.find('.');
  return dot != std::string_view::npos && dot > 0 && host.substr(dot) == pattern.substr(1);
}

std::vector<KubeTarget> IngressTargets(const KubeObject& object, const KubeAttach& attach,
                                       const KubeSurroundings& around) {
  const auto& ingress = std::get<KubeIngress>(object.body);
  Labels common;
  SetMeta(common, "ingress", object);
  Set(common, "namespace", object.ns);
  if (ingress.class_name) Set(common, "ingress_class_name", *ingress.class_name);
  AttachNamespace(common, object.ns, attach, around);
  std::vector<KubeTarget> targets;
  for (const KubeIngressRule& rule : ingress.rules) {
    const bool secure =
        std::any_of(ingress.tls_hosts.begin(), ingress.tls_hosts.end(),
                    [&rule](const std::string& host) { return HostMatches(host, rule.host); });
    std::vector<std::string> paths = rule.paths;
    if (paths.empty()) paths.emplace_back("/");
    for (const std::string& path : paths) {
      Labels labels = common;
      labels.Set("__address__", rule.host);
      Set(labels, "ingress_scheme", secure ? "https" : "http");
      Set(labels, "ingress_host", rule.host);
      Set(labels, "ingress_path", path.empty() ? "/" : path);
      targets.push_back({std::move(labels), {}});
    }
  }
  return targets;
}

}  // namespace

std::string_view KubeRoleName(KubeRole role) {
  constexpr std::array<std::string_view, 6> kNames = {"pod",       "node",          "service",
                                                      "endpoints", "endpointslice", "ingress"};
  return kNames[static_cast<std::size_t>(role)];
}

std::vector<KubeTarget> KubeTargets(KubeRole role, const KubeObject& object,
                                    const KubeAttach& attach, const KubeSurroundings& around) {
  switch (role) {
    case KubeRole::kPod:
      return PodTargets(object, attach, around);
    case KubeRole::kNode:
      return NodeTargets(object);
    case KubeRole::kService:
      return ServiceTargets(object, attach, around);
    case KubeRole::kEndpoints:
    case KubeRole::kEndpointSlice:
      return EndpointTargets(role, object, attach, around).Build();
    case KubeRole::kIngress:
      break;
  }
  return IngressTargets(object, attach, around);
}

const std::string& KubeLogUid(const KubeObject& pod) {
  const bool is_static = pod.Annotation("kubernetes.io/config.mirror") != nullptr;
  const std::string* const hash = is_static ? pod.Annotation("kubernetes.io/config.hash") : nullptr;
  return hash != nullptr && !hash->empty() ? *hash : pod.uid;
}

std::string KubeLabelName(std::string_view prefix, std::string_view name) {
  std::string clean(prefix);
  while (!name.empty()) {
    const char c = name[0];
    const bool allowed =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    clean += allowed ? c : '_';
    // A character of several bytes becomes one "_".
    name.remove_prefix(DecodeRune(name).size);
  }
  return clean;
}

std::string KubeAddress(std::string_view host, uint32_t port) {
  std::string address;
  if (host.find(':') != std::string_view::npos) {
    address.append("[").append(host).append("]");
  } else {
    address = host;
  }
  return address + ":" + std::to_string(port);
}

}  // namespace agent
