#include "agent/kubernetes_job.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>

#include "agent/config/environment.h"
#include "agent/runtime/client_options.h"

namespace agent {
namespace {

constexpr std::string_view kPath = "__path__";

// Where container runtimes keep logs to which the kubelet's folders have links.
constexpr std::array<std::string_view, 2> kRuntimeRoots = {"/var/log/containers",
                                                           "/var/lib/docker/containers"};

// Whether the rule can give a target another __path__.
bool MaySetPath(const RelabelRule& rule) {
  using enum RelabelAction;
  switch (rule.action) {
    case kReplace:
    case kHashMod:
    case kLowercase:
    case kUppercase:
      return rule.target_label == kPath || rule.target_label.find('$') != std::string::npos;
    case kLabelMap:
      return rule.replacement.find("path") != std::string::npos;
    default:
      return false;
  }
}

// Labels that the name of a pod's folder tells.
bool IsInFolderName(std::string_view label) {
  constexpr std::array<std::string_view, 5> kKnown = {
      "__meta_kubernetes_namespace", "__meta_kubernetes_pod_name", "__meta_kubernetes_pod_uid",
      "__meta_kubernetes_pod_container_name", "__meta_kubernetes_pod_node_name"};
  return std::find(kKnown.begin(), kKnown.end(), label) != kKnown.end();
}

// A pod that the rule drops would be read as long as the server has not told of its labels.
bool DropsByApiLabels(const RelabelRule& rule) {
  if (rule.action != RelabelAction::kDrop && rule.action != RelabelAction::kDropEqual) return false;
  return std::any_of(rule.source_labels.begin(), rule.source_labels.end(),
                     [](const std::string& label) {
                       return label.starts_with("__meta_kubernetes_") && !IsInFolderName(label);
                     });
}

// The folder of a path with groups in it, up to where the first of them can matter: what the
// configuration itself says. Empty: nothing.
std::string LiteralFolder(std::string_view replacement) {
  const std::size_t end = std::min(replacement.find_first_of("$*?[{\\"), replacement.size());
  const std::size_t slash = replacement.substr(0, end).rfind('/');
  return slash == std::string_view::npos ? "" : std::string(replacement.substr(0, slash));
}

std::vector<std::string> LogRoots(const KubernetesSdConfig& config, const ScrapeConfig& job) {
  std::vector<std::string> roots = {config.pod_logs_path};
  roots.insert(roots.end(), kRuntimeRoots.begin(), kRuntimeRoots.end());
  roots.insert(roots.end(), config.log_roots.begin(), config.log_roots.end());
  for (const RelabelRule& rule : job.relabel_configs) {
    if (rule.action != RelabelAction::kReplace || rule.target_label != kPath) continue;
    std::string folder = LiteralFolder(rule.replacement);
    if (!folder.empty()) roots.push_back(std::move(folder));
  }
  return roots;
}

}  // namespace

KubernetesOptions ToKubernetesOptions(const KubernetesSdConfig& config, const ScrapeConfig& job,
                                      const std::string& host) {
  using std::chrono::milliseconds;
  KubernetesOptions options;
  options.role = config.role;
  options.api_server = config.api_server;
  options.kubeconfig_file = config.kubeconfig_file;
  options.http = ToHttpOptions(config.http);
  options.own_namespace = config.own_namespace;
  options.namespaces = config.namespaces;
  options.selectors = config.selectors;
  options.attach = config.attach;
  options.node_name = NodeName(KubernetesEnvironment(), host);
  options.label_wait = std::chrono::duration_cast<milliseconds>(config.label_wait);
  options.pod_logs_path = config.pod_logs_path;
  options.log_roots = LogRoots(config, job);
  options.default_path =
      std::none_of(job.relabel_configs.begin(), job.relabel_configs.end(), MaySetPath);
  options.needs_api =
      !config.selectors.empty() ||
      std::any_of(job.relabel_configs.begin(), job.relabel_configs.end(), DropsByApiLabels);
  return options;
}

KubeEnvironment KubernetesEnvironment() {
  return [environment = ProcessEnvironment()](const char* name) {
    return environment(name).value_or("");
  };
}

std::string NodeName(const KubeEnvironment& environment, const std::string& host) {
  const std::string name = environment("NODE_NAME");
  return name.empty() ? host : name;
}

}  // namespace agent
