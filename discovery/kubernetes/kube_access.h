// How the API server is reached: from inside its cluster, by a kubeconfig, or as the configuration
// says.

#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/http/http_options.h"
#include "base/result.h"
#include "discovery/kubernetes/kubernetes_options.h"

namespace agent {

struct KubeAccess {
  std::string server;  // "https://10.0.0.1:443", without a slash at its end.
  HttpOptions http;
  std::string ns;    // The namespace that it begins in; may be empty.
  std::string from;  // "in-cluster", "api_server", or the kubeconfig and its context; for pages.
  std::string text;  // Of the kubeconfig, to see whether it has changed.
};

// A variable's value; empty when there is none.
using KubeEnvironment = std::function<std::string(const char* name)>;

// Reads what files it needs. An error may go away: files appear, and change.
Result<KubeAccess> FindKubeAccess(const KubernetesOptions& options,
                                  const KubeEnvironment& environment);

// `path` is where the text stands: what it names is found from there. Its current context.
Result<KubeAccess> ParseKubeconfig(const std::string& text, const std::string& path);

}  // namespace agent
