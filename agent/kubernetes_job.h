// What a job's `kubernetes_sd_configs` mean to discovery.

#pragma once

#include <string>

#include "agent/config/config.h"
#include "discovery/kubernetes/kube_access.h"
#include "discovery/kubernetes/kubernetes_options.h"

namespace agent {

// `host` is this machine's name, where the environment does not name the node.
KubernetesOptions ToKubernetesOptions(const KubernetesSdConfig& config, const ScrapeConfig& job,
                                      const std::string& host);

// Of the process.
KubeEnvironment KubernetesEnvironment();

// This node: NODE_NAME of the environment, else `host`.
std::string NodeName(const KubeEnvironment& environment, const std::string& host);

}  // namespace agent
