// `kubernetes_sd_configs`: targets from the objects of a Kubernetes cluster. For role pod the API
// server's objects are put together with the folders that the kubelet keeps on this node, so that a
// log is found while the server is away, and kept until it is read when its pod is gone.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/http/http_client.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"
#include "discovery/discoverer.h"
#include "discovery/kubernetes/kube_access.h"
#include "discovery/kubernetes/kubernetes_options.h"
#include "discovery/kubernetes/object_labels.h"
#include "discovery/kubernetes/pod_folders.h"
#include "discovery/kubernetes/reflector.h"
#include "discovery/relabel.h"
#include "discovery/target_builder.h"

namespace agent {

// Loop thread.
class KubernetesDiscoverer final : public Discoverer {
 public:
  struct Dependencies {
    Loop& loop;
    const Clock& clock;
    Logger& logger;
    KubeEnvironment environment;
  };

  // `relabeling` is shared: all discoverers of a job have the same rules. `host` as for
  // TargetBuilder; with role pod it is the node's name.
  KubernetesDiscoverer(Dependencies dependencies, std::string job, KubernetesOptions options,
                       std::shared_ptr<const Relabeling> relabeling, std::string host,
                       Random random);
  KubernetesDiscoverer(const KubernetesDiscoverer&) = delete;
  KubernetesDiscoverer& operator=(const KubernetesDiscoverer&) = delete;
  ~KubernetesDiscoverer() override;

  void Start(std::function<void(DiscoveryResult)> changed) override;
  void Stop() override;
  [[nodiscard]] std::vector<std::string> Problems() const override;
  void CollectMetrics(MetricSink& sink) const override;

 private:
  // A folder of which the server has not told.
  struct UnknownFolder {
    PodFolder folder;  // All that was ever seen in it.
    int64_t since_ns = 0;
    int64_t vanished_ns = 0;  // 0: it is there.
    std::string waits_for;    // For pages.
  };
  struct GonePod {
    KubeObject object;
    int64_t since_ns = 0;
  };
  using Reflectors = std::vector<std::unique_ptr<KubeReflector>>;

  // --- Reaching the server.
  void Connect();
  void Reconnect();
  void StartReflectors(KubeAccess access);
  void AddReflector(KubeKind kind, const std::string& ns, const KubeSelector& selector);
  [[nodiscard]] std::vector<std::string> Namespaces() const;
  [[nodiscard]] KubeSelector SelectorOf(KubeRole role) const;
  [[nodiscard]] const KubeObject* Find(KubeKind kind, const std::string& ns,
                                       const std::string& name) const;

  // --- What has changed.
  void ObjectsChanged(std::vector<KubeObject> gone);
  void FoldersLooked(PodFolderScan scan);
  void UpdateLater();

  // --- Targets.
  void Update();
  DiscoveryResult PodTargets();
  DiscoveryResult OtherTargets();
  void AddPod(const std::string& folder, const KubeObject& pod, bool gone);
  void NoteUnknownFolders(const std::set<std::string>& known);
  void AddUnknownFolders();
  void AddAwaited(const std::string& name, const UnknownFolder& unknown);
  [[nodiscard]] std::string WhatIsAwaited() const;
  void AddWithoutLabels(const std::string& name, const PodFolder& folder);
  [[nodiscard]] Labels FolderLabels(const PodFolder& folder, const std::string& container) const;
  [[nodiscard]] std::string DefaultPath(const std::string& folder,
                                        const std::string& container) const;
  [[nodiscard]] bool IsOurs(const PodFolder& folder) const;
  void PruneGone(const std::set<std::string>& alive);
  [[nodiscard]] bool synced() const;

  const Dependencies dependencies_;
  const std::string job_;
  const KubernetesOptions options_;
  const std::shared_ptr<const Relabeling> relabeling_;
  Random random_;
  TargetBuilder builder_;
  std::function<void(DiscoveryResult)> changed_;

  Backoff backoff_;
  Timer connect_timer_;
  std::string connect_error_;  // Why there is not even somebody to ask.
  KubeAccess access_;
  std::unique_ptr<HttpClient> client_;
  Reflectors reflectors_;
  KubeSurroundings around_;

  std::map<std::string, GonePod> gone_pods_;  // By the name of their folder.
  std::unique_ptr<PodFolderWatch> folder_watch_;
  PodFolders folders_;
  std::map<std::string, UnknownFolder> unknown_;
  std::map<std::string, std::shared_ptr<const Target>> awaited_;  // By path.
  bool folders_looked_ = false;
  std::string folder_error_;
  uint64_t ignored_folders_ = 0;  // At the last look.
  std::string ignored_folder_;
  std::set<std::string> ignored_pods_;  // Whose names cannot be; at the last update.
  std::size_t waiting_ = 0;             // Pods; at the last update.
  std::size_t without_labels_ = 0;

  Timer update_timer_;
  Timer wait_timer_;
  std::chrono::milliseconds update_cost_{0};
};

}  // namespace agent
