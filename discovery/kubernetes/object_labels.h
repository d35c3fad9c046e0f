// From objects of Kubernetes' API to the labels of targets before relabelling: the names and values
// that Prometheus' and so Promtail's discovery gives them.

#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/labels.h"
#include "discovery/kubernetes/kubernetes_options.h"
#include "discovery/kubernetes/objects.h"

namespace agent {

// What an object is seen together with. Both find null when there is none.
struct KubeSurroundings {
  using Find = std::function<const KubeObject*(const std::string& ns, const std::string& name)>;
  Find pod;
  Find service;
  Find node;          // By name alone.
  Find of_namespace;  // By name alone.
};

// One target, and of which container's log it is.
struct KubeTarget {
  Labels labels;
  std::string container;  // Of a pod; else empty.
};

// One for each container and port of a pod, for each port of a service, and so on.
std::vector<KubeTarget> KubeTargets(KubeRole role, const KubeObject& object,
                                    const KubeAttach& attach, const KubeSurroundings& around);

// The uid in the name of the pod's log folder: that of a static pod is not the API's.
const std::string& KubeLogUid(const KubeObject& pod);

// Every character that a label's name cannot have becomes "_".
std::string KubeLabelName(std::string_view prefix, std::string_view name);

// "host:port", with brackets around an IPv6 address.
std::string KubeAddress(std::string_view host, uint32_t port);

}  // namespace agent
