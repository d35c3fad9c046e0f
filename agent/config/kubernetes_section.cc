// `kubernetes_sd_configs`: pods, and other objects of a Kubernetes cluster.

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/sections.h"

namespace agent {
namespace {

constexpr std::array<std::string_view, 6> kRoles = {"pod",       "node",          "service",
                                                    "endpoints", "endpointslice", "ingress"};

std::optional<KubeRole> RoleNamed(std::string_view name) {
  const auto* const found = std::find(kRoles.begin(), kRoles.end(), name);
  if (found == kRoles.end()) return std::nullopt;
  return static_cast<KubeRole>(found - kRoles.begin());
}

KubeRole ReadRole(FieldReader& fields) {
  const std::string name = fields.RequiredString("role");
  if (name.empty()) return KubeRole::kPod;
  const std::optional<KubeRole> role = RoleNamed(name);
  if (!role) {
    fields.Error("role", "unknown role '" + name + "'",
                 "one of pod, node, service, endpoints, endpointslice, ingress");
  }
  return role.value_or(KubeRole::kPod);
}

void ReadNamespaces(FieldReader& parent, KubernetesSdConfig& config) {
  const ConfigNode* node = parent.Node("namespaces");
  if (node == nullptr) return;
  FieldReader fields(*node, parent.PathOf("namespaces"), parent.problems());
  config.own_namespace = fields.Bool("own_namespace", false);
  config.namespaces = fields.StringList("names");
  for (const std::string& name : config.namespaces) {
    if (name.empty()) fields.Error("names", "a namespace must not be empty");
  }
  fields.Finish();
}

// Which objects a job of that role asks for.
std::vector<KubeRole> SelectableRoles(KubeRole role) {
  switch (role) {
    case KubeRole::kEndpoints:
      return {KubeRole::kEndpoints, KubeRole::kService, KubeRole::kPod};
    case KubeRole::kEndpointSlice:
      return {KubeRole::kEndpointSlice, KubeRole::kService, KubeRole::kPod};
    default:
      return {role};
  }
}

void ReadSelectors(FieldReader& parent, KubernetesSdConfig& config) {
  const std::vector<KubeRole> allowed = SelectableRoles(config.role);
  parent.List("selectors", [&](const ConfigNode& item, const std::string& path) {
    FieldReader fields(item, path, parent.problems());
    KubeSelector selector;
    selector.role = ReadRole(fields);
    selector.label = fields.String("label");
    selector.field = fields.String("field");
    const std::string role(kRoles[static_cast<std::size_t>(selector.role)]);
    if (std::find(allowed.begin(), allowed.end(), selector.role) == allowed.end()) {
      std::string names;
      for (const KubeRole one : allowed)
        names += (names.empty() ? "" : ", ") + std::string(kRoles[static_cast<std::size_t>(one)]);
      fields.Error("role",
                   "role " + std::string(kRoles[static_cast<std::size_t>(config.role)]) +
                       " asks for no objects of role " + role,
                   "it takes selectors for " + names);
    }
    const bool twice =
        std::any_of(config.selectors.begin(), config.selectors.end(),
                    [&selector](const KubeSelector& other) { return other.role == selector.role; });
    if (twice) fields.Error("role", "there is a selector for role " + role + " already");
    fields.Finish();
    config.selectors.push_back(selector);
  });
}

void ReadAttach(FieldReader& parent, KubernetesSdConfig& config) {
  const ConfigNode* node = parent.Node("attach_metadata");
  if (node == nullptr) return;
  FieldReader fields(*node, parent.PathOf("attach_metadata"), parent.problems());
  config.attach.node = fields.Bool("node", false);
  config.attach.of_namespace = fields.Bool("namespace", false);
  config.attach.deployment = fields.Bool("deployment", false);
  config.attach.job = fields.Bool("job", false);
  config.attach.cronjob = fields.Bool("cronjob", false);
  fields.Finish();
}

void CheckAccess(FieldReader& fields, const KubernetesSdConfig& config) {
  const bool has_server = !config.api_server.empty();
  const bool has_kubeconfig = !config.kubeconfig_file.empty();
  if (has_server && has_kubeconfig) {
    fields.Error("kubeconfig_file", "cannot be used together with api_server", "keep one of them");
  }
  if (!has_server && !(config.http == HttpClientConfig{})) {
    fields.MapError("settings of the HTTP client are for api_server alone",
                    "give api_server, or take them out: in a cluster the service account is used, "
                    "with kubeconfig_file what stands there");
  }
  if (config.own_namespace && (has_server || has_kubeconfig)) {
    fields.Error("namespaces",
                 "own_namespace cannot be used together with api_server or kubeconfig_file",
                 "it is the namespace that the agent itself runs in; give names");
  }
  if (!has_server) return;
  const std::string wrong = WhatIsWrongWithUrl(config.api_server);
  if (!wrong.empty()) fields.Error("api_server", wrong);
}

// What is for the logs of pods.
void ReadLogs(FieldReader& fields, KubernetesSdConfig& config) {
  config.label_wait = fields.Duration("label_wait", config.label_wait);
  config.pod_logs_path = fields.String("pod_logs_path", config.pod_logs_path);
  while (config.pod_logs_path.size() > 1 && config.pod_logs_path.ends_with('/'))
    config.pod_logs_path.pop_back();
  config.log_roots = fields.StringList("log_roots");
  const auto is_absolute = [](const std::string& path) { return path.starts_with('/'); };
  if (!is_absolute(config.pod_logs_path)) {
    fields.Error("pod_logs_path", "expected an absolute path", "such as /var/log/pods");
  }
  if (!std::all_of(config.log_roots.begin(), config.log_roots.end(), is_absolute)) {
    fields.Error("log_roots", "expected absolute paths", "such as /var/lib/docker/containers");
  }
  if (config.role == KubeRole::kPod) return;
  for (const std::string_view key : {"label_wait", "pod_logs_path"}) {
    if (fields.Node(key) != nullptr) fields.Warning(key, "has no effect but with role pod");
  }
}

}  // namespace

std::vector<KubernetesSdConfig> ReadKubernetesSd(FieldReader& fields) {
  std::vector<KubernetesSdConfig> configs;
  fields.List("kubernetes_sd_configs", [&](const ConfigNode& item, const std::string& path) {
    if (item.is_null()) {
      fields.problems().Error(item.place(), path, "empty or null section in kubernetes_sd_configs");
      return;
    }
    FieldReader entry(item, path, fields.problems());
    KubernetesSdConfig config;
    config.role = ReadRole(entry);
    config.api_server = entry.String("api_server");
    config.kubeconfig_file = entry.String("kubeconfig_file");
    ReadNamespaces(entry, config);
    ReadSelectors(entry, config);
    ReadAttach(entry, config);
    ReadLogs(entry, config);
    config.http = ReadHttpClient(entry);
    CheckAccess(entry, config);
    entry.Finish();
    configs.push_back(std::move(config));
  });
  return configs;
}

}  // namespace agent
