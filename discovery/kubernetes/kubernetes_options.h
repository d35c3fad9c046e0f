// What an item of `kubernetes_sd_configs` says.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/http/http_options.h"

namespace agent {

enum class KubeRole : uint8_t { kPod, kNode, kService, kEndpoints, kEndpointSlice, kIngress };

// "pod", "node", "service", "endpoints", "endpointslice", "ingress".
std::string_view KubeRoleName(KubeRole role);

// Which objects of one kind are asked for, in Kubernetes' own notation.
struct KubeSelector {
  KubeRole role = KubeRole::kPod;
  std::string label;
  std::string field;
};

// What is added to a target from objects around it.
struct KubeAttach {
  bool node = false;
  bool of_namespace = false;
  bool deployment = false;
  bool job = false;
  bool cronjob = false;
};

struct KubernetesOptions {
  KubeRole role = KubeRole::kPod;
  // At most one of the two. Both empty: the API server of the cluster that the agent runs in.
  std::string api_server;
  std::string kubeconfig_file;
  HttpOptions http;  // What reaches `api_server`; unused with a kubeconfig and in-cluster.
  bool own_namespace = false;
  std::vector<std::string> namespaces;  // With own_namespace: besides it. Both empty: all.
  std::vector<KubeSelector> selectors;
  KubeAttach attach;

  // Role pod only. The node whose pods are read.
  std::string node_name;
  // How long the log of a pod that the API server has not told of is held, opened and unread.
  std::chrono::milliseconds label_wait{30'000};
  std::string pod_logs_path = "/var/log/pods";  // Where the kubelet keeps them.
  // Where a pod's log may really be, once links are followed; `pod_logs_path` is always one.
  std::vector<std::string> log_roots;
  // No relabelling rule sets __path__: it is the pod's own folder.
  bool default_path = false;
  // Rules drop targets by what only the API server knows: without it nothing is read.
  bool needs_api = false;

  // Where a pod finds its cluster; tests have another.
  std::string service_account_path = "/var/run/secrets/kubernetes.io/serviceaccount";
};

}  // namespace agent
