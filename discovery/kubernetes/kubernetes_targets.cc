// From what is known of pods and their folders to targets.

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <iterator>
#include <utility>

#include "discovery/kubernetes/kubernetes.h"

namespace agent {
namespace {

using std::chrono::milliseconds;

// A deleted pod keeps its target for so long, even when its folder is gone.
constexpr int64_t kKeepGoneNanos = 60 * kNanosPerSecond;

std::string FolderOf(const KubeObject& pod) {
  return PodFolderName(pod.ns, pod.name, KubeLogUid(pod));
}

// Both sorted.
void Merge(std::vector<std::string>& all, const std::vector<std::string>& more) {
  std::vector<std::string> merged;
  std::set_union(all.begin(), all.end(), more.begin(), more.end(), std::back_inserter(merged));
  all = std::move(merged);
}

bool HasPossibleNames(const KubeObject& pod) {
  // An API server that gives other names than Kubernetes allows is not to be trusted with paths.
  if (!ParsePodFolder(FolderOf(pod))) return false;
  const auto& containers = std::get<KubePod>(pod.body).containers;
  return std::all_of(containers.begin(), containers.end(),
                     [](const KubeContainer& container) { return IsPodPathName(container.name); });
}

}  // namespace

void KubernetesDiscoverer::Update() {
  if (!changed_) return;
  const int64_t begin_ns = dependencies_.clock.MonotonicNanos();
  const bool is_pod_job = options_.role == KubeRole::kPod;
  // Not before something is known: what ran before a reload goes on until then.
  if (!synced() && (!is_pod_job || !folders_looked_)) return;
  DiscoveryResult found = is_pod_job ? PodTargets() : OtherTargets();
  update_cost_ = milliseconds((dependencies_.clock.MonotonicNanos() - begin_ns) / kNanosPerMilli);
  changed_(std::move(found));
}

DiscoveryResult KubernetesDiscoverer::OtherTargets() {
  const auto own = [this](KubeKind kind) {
    switch (options_.role) {
      case KubeRole::kNode:
        return kind == KubeKind::kNode;
      case KubeRole::kService:
        return kind == KubeKind::kService;
      case KubeRole::kEndpoints:
        return kind == KubeKind::kEndpoints;
      case KubeRole::kEndpointSlice:
        return kind == KubeKind::kEndpointSlice;
      case KubeRole::kIngress:
        return kind == KubeKind::kIngress;
      case KubeRole::kPod:
        break;
    }
    return false;
  };
  for (const auto& reflector : reflectors_) {
    if (!own(reflector->resource().kind)) continue;
    for (const auto& [key, object] : reflector->objects()) {
      for (KubeTarget& target : KubeTargets(options_.role, object, options_.attach, around_))
        builder_.Add(target.labels);
    }
  }
  return builder_.Take();
}

DiscoveryResult KubernetesDiscoverer::PodTargets() {
  ignored_pods_.clear();
  std::set<std::string> known;
  for (const auto& reflector : reflectors_) {
    if (reflector->resource().kind != KubeKind::kPod) continue;
    for (const auto& [key, pod] : reflector->objects()) {
      const std::string folder = FolderOf(pod);
      if (!known.insert(folder).second) continue;
      AddPod(folder, pod, /*gone=*/false);
    }
  }
  PruneGone(known);
  for (const auto& [folder, pod] : gone_pods_) {
    known.insert(folder);
    AddPod(folder, pod.object, /*gone=*/true);
  }
  NoteUnknownFolders(known);
  AddUnknownFolders();
  folder_watch_->SetKnown(std::move(known));
  DiscoveryResult found = builder_.Take();
  for (const auto& [path, target] : awaited_)
    found.targets.push_back(target);
  return found;
}

// Those that are back, or have no folder any more.
void KubernetesDiscoverer::PruneGone(const std::set<std::string>& alive) {
  const int64_t now_ns = dependencies_.clock.MonotonicNanos();
  std::erase_if(gone_pods_, [&](const auto& pair) {
    const bool kept =
        folders_.contains(pair.first) || now_ns - pair.second.since_ns < kKeepGoneNanos;
    return alive.contains(pair.first) || !kept;
  });
}

void KubernetesDiscoverer::AddPod(const std::string& folder, const KubeObject& pod, bool gone) {
  if (!HasPossibleNames(pod)) {
    ignored_pods_.insert(folder);
    dependencies_.logger.WriteLimited(LogLevel::kWarn, "kubernetes_pod:" + job_, "kubernetes",
                                      "a pod with an impossible name is left out",
                                      {{"job", job_}, {"name", folder}});
    return;
  }
  // As in Promtail, no target without an address; unless there is a log to read.
  const bool has_folder = folders_.contains(folder);
  if (std::get<KubePod>(pod.body).ip.empty() && !has_folder && !gone) return;
  for (KubeTarget& target : KubeTargets(KubeRole::kPod, pod, options_.attach, around_)) {
    if (options_.default_path) target.labels.Set("__path__", DefaultPath(folder, target.container));
    builder_.Add(target.labels);
  }
}

void KubernetesDiscoverer::NoteUnknownFolders(const std::set<std::string>& known) {
  const int64_t now_ns = dependencies_.clock.MonotonicNanos();
  std::erase_if(unknown_, [&known](const auto& pair) { return known.contains(pair.first); });
  for (const auto& [name, folder] : folders_) {
    if (known.contains(name) || !IsOurs(folder)) continue;
    const auto [at, fresh] =
        unknown_.try_emplace(name, UnknownFolder{folder, now_ns, 0, WhatIsAwaited()});
    UnknownFolder& unknown = at->second;
    unknown.vanished_ns = 0;
    if (fresh) continue;
    // Its files go before it does.
    Merge(unknown.folder.containers, folder.containers);
    Merge(unknown.folder.files, folder.files);
  }
  for (auto& [name, unknown] : unknown_) {
    if (unknown.vanished_ns == 0 && !folders_.contains(name)) unknown.vanished_ns = now_ns;
  }
}

void KubernetesDiscoverer::AddUnknownFolders() {
  const int64_t now_ns = dependencies_.clock.MonotonicNanos();
  const int64_t wait_ns = options_.label_wait.count() * kNanosPerMilli;
  int64_t next_ns = INT64_MAX;
  waiting_ = 0;
  without_labels_ = 0;
  awaited_.clear();
  for (auto at = unknown_.begin(); at != unknown_.end();) {
    const auto& [name, unknown] = *at;
    const int64_t end_ns = unknown.since_ns + wait_ns;
    if (now_ns < end_ns) {
      ++waiting_;
      next_ns = std::min(next_ns, end_ns - now_ns);
      AddAwaited(name, unknown);
    } else {
      const int64_t gone_ns = std::max(unknown.vanished_ns, end_ns) + kKeepGoneNanos;
      if (unknown.vanished_ns != 0 && (options_.needs_api || now_ns >= gone_ns)) {
        at = unknown_.erase(at);
        continue;
      }
      if (unknown.vanished_ns != 0) next_ns = std::min(next_ns, gone_ns - now_ns);
      if (!options_.needs_api) AddWithoutLabels(name, unknown.folder);
    }
    ++at;
  }
  if (next_ns != INT64_MAX) {
    wait_timer_.StartOnce(milliseconds(next_ns / kNanosPerMilli + 1), [this] { Update(); });
  }
  if (waiting_ == 0) return;
  // The server should have told of them by now.
  for (const auto& reflector : reflectors_)
    reflector->Doubt();
}

void KubernetesDiscoverer::AddWithoutLabels(const std::string& name, const PodFolder& folder) {
  ++without_labels_;
  for (const std::string& container : folder.containers) {
    Labels labels = FolderLabels(folder, container);
    if (options_.default_path) labels.Set("__path__", DefaultPath(name, container));
    builder_.Add(labels);
  }
}

// From now on.
std::string KubernetesDiscoverer::WhatIsAwaited() const {
  const std::string what =
      "the API server has not told of this pod yet; its log is open and held back";
  const int64_t until_s =
      (dependencies_.clock.WallNanos() + options_.label_wait.count() * kNanosPerMilli) /
      kNanosPerSecond;
  const auto at = static_cast<time_t>(until_s);
  tm time{};
  gmtime_r(&at, &time);
  std::array<char, 16> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%H:%M:%S", &time);
  const std::string until = std::string(text.data(), size) + " UTC";
  if (options_.needs_api) return what + ", and looked for until " + until;
  return what + ", until " + until + ": it is read with its folder's labels then";
}

// Opened at once, so that they are not lost when the pod is deleted meanwhile, and not read.
void KubernetesDiscoverer::AddAwaited(const std::string& name, const UnknownFolder& unknown) {
  const PodFolder& folder = unknown.folder;
  std::vector<std::string> files = folder.files;
  for (const std::string& container : folder.containers) {
    const bool has_file = std::any_of(files.begin(), files.end(), [&](const std::string& file) {
      return file.starts_with(container + "/");
    });
    if (!has_file) files.push_back(container + "/0.log");
  }
  const std::string top = options_.pod_logs_path + "/" + name + "/";
  for (const std::string& file : files) {
    Target target;
    target.job = job_;
    target.discovered = FolderLabels(folder, file.substr(0, file.find('/')));
    target.path = top + file;
    target.roots = options_.log_roots;
    target.awaited = true;
    target.waits_for = unknown.waits_for;
    std::string path = target.path;
    awaited_.emplace(std::move(path), std::make_shared<const Target>(std::move(target)));
  }
}

Labels KubernetesDiscoverer::FolderLabels(const PodFolder& folder,
                                          const std::string& container) const {
  Labels labels;
  labels.Set("__address__", "");
  labels.Set("__meta_kubernetes_namespace", folder.ns);
  labels.Set("__meta_kubernetes_pod_name", folder.pod);
  labels.Set("__meta_kubernetes_pod_uid", folder.uid);
  labels.Set("__meta_kubernetes_pod_node_name", options_.node_name);
  labels.Set("__meta_kubernetes_pod_container_name", container);
  return labels;
}

std::string KubernetesDiscoverer::DefaultPath(const std::string& folder,
                                              const std::string& container) const {
  return options_.pod_logs_path + "/" + folder + "/" + container + "/*.log";
}

bool KubernetesDiscoverer::IsOurs(const PodFolder& folder) const {
  const std::vector<std::string> namespaces = Namespaces();
  if (namespaces.size() == 1 && namespaces[0].empty()) {
    // The own namespace is not known before the cluster is.
    return !options_.own_namespace;
  }
  return std::find(namespaces.begin(), namespaces.end(), folder.ns) != namespaces.end();
}

}  // namespace agent
