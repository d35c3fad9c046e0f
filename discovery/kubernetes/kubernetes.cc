#include "discovery/kubernetes/kubernetes.h"

#include <algorithm>
#include <utility>

namespace agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kMinBackoff{1'000};
constexpr milliseconds kMaxBackoff{30'000};
// What happens within this time makes one update; and updates take a tenth of the time at most.
constexpr milliseconds kUpdateDelay{20};
constexpr int kUpdateShare = 10;
// A kubeconfig is looked at again, when the server refuses it, no sooner than after that.
constexpr seconds kReconnect{5};

std::vector<KubeKind> KindsOf(const KubernetesOptions& options) {
  std::vector<KubeKind> kinds;
  switch (options.role) {
    case KubeRole::kPod:
      kinds = {KubeKind::kPod};
      break;
    case KubeRole::kNode:
      return {KubeKind::kNode};
    case KubeRole::kService:
      kinds = {KubeKind::kService};
      break;
    case KubeRole::kEndpoints:
      kinds = {KubeKind::kEndpoints, KubeKind::kService, KubeKind::kPod};
      break;
    case KubeRole::kEndpointSlice:
      kinds = {KubeKind::kEndpointSlice, KubeKind::kService, KubeKind::kPod};
      break;
    case KubeRole::kIngress:
      kinds = {KubeKind::kIngress};
      break;
  }
  const bool has_nodes = options.role != KubeRole::kService && options.role != KubeRole::kIngress;
  if (options.attach.node && has_nodes) kinds.push_back(KubeKind::kNode);
  if (options.attach.of_namespace) kinds.push_back(KubeKind::kNamespace);
  return kinds;
}

// The role whose selectors are for objects of that kind.
KubeRole RoleOf(KubeKind kind) {
  switch (kind) {
    case KubeKind::kPod:
      return KubeRole::kPod;
    case KubeKind::kService:
      return KubeRole::kService;
    case KubeKind::kEndpoints:
      return KubeRole::kEndpoints;
    case KubeKind::kEndpointSlice:
      return KubeRole::kEndpointSlice;
    case KubeKind::kIngress:
      return KubeRole::kIngress;
    case KubeKind::kNode:
    case KubeKind::kNamespace:
      break;
  }
  return KubeRole::kNode;
}

bool IsClusterWide(KubeKind kind) {
  return kind == KubeKind::kNode || kind == KubeKind::kNamespace;
}

}  // namespace

KubernetesDiscoverer::KubernetesDiscoverer(Dependencies dependencies, std::string job,
                                           KubernetesOptions options,
                                           std::shared_ptr<const Relabeling> relabeling,
                                           std::string host, Random random)
    : dependencies_(std::move(dependencies)),
      job_(std::move(job)),
      options_(std::move(options)),
      relabeling_(std::move(relabeling)),
      random_(random),
      builder_(job_, *relabeling_, std::move(host), options_.log_roots),
      backoff_(kMinBackoff, kMaxBackoff, Random(random_.Next())),
      connect_timer_(dependencies_.loop),
      update_timer_(dependencies_.loop),
      wait_timer_(dependencies_.loop) {
  const auto find = [this](KubeKind kind) {
    return [this, kind](const std::string& ns, const std::string& name) {
      return Find(kind, ns, name);
    };
  };
  around_ = {find(KubeKind::kPod), find(KubeKind::kService), find(KubeKind::kNode),
             find(KubeKind::kNamespace)};
}

KubernetesDiscoverer::~KubernetesDiscoverer() {
  reflectors_.clear();  // Before the client that they use.
}

void KubernetesDiscoverer::Start(std::function<void(DiscoveryResult)> changed) {
  changed_ = std::move(changed);
  if (options_.role == KubeRole::kPod) {
    folder_watch_ = std::make_unique<PodFolderWatch>(dependencies_.loop, dependencies_.logger,
                                                     options_.pod_logs_path);
    folder_watch_->Start([this](PodFolderScan scan) { FoldersLooked(std::move(scan)); });
  }
  Connect();
}

void KubernetesDiscoverer::Stop() {
  changed_ = nullptr;
  connect_timer_.Stop();
  update_timer_.Stop();
  wait_timer_.Stop();
  for (const auto& reflector : reflectors_)
    reflector->Stop();
  if (folder_watch_ != nullptr) folder_watch_->Stop();
}

// --- Reaching the server.

void KubernetesDiscoverer::Connect() {
  Result<KubeAccess> access = FindKubeAccess(options_, dependencies_.environment);
  if (access) {
    connect_error_.clear();
    backoff_.Reset();
    return StartReflectors(std::move(*access));
  }
  connect_error_ = access.error().message;
  const milliseconds wait = backoff_.Next();
  dependencies_.logger.WriteLimited(
      LogLevel::kWarn, "kubernetes_connect:" + job_, "kubernetes",
      "the API server cannot be reached; trying again",
      {{"job", job_}, {"error", connect_error_}, {"wait_ms", wait.count()}});
  connect_timer_.StartOnce(wait, [this] { Connect(); });
}

// The server did not let us in, or is not there: the kubeconfig may say something else now. Tokens
// and certificates in files are read again for each request anyhow.
void KubernetesDiscoverer::Reconnect() {
  if (options_.kubeconfig_file.empty() || connect_timer_.active()) return;
  connect_timer_.StartOnce(kReconnect, [this] {
    Result<KubeAccess> access = FindKubeAccess(options_, dependencies_.environment);
    if (!access || access->text == access_.text) return;
    dependencies_.logger.Info("kubernetes", "the kubeconfig has changed: connecting anew",
                              {{"job", job_}, {"access", access->from}});
    StartReflectors(std::move(*access));
  });
}

std::vector<std::string> KubernetesDiscoverer::Namespaces() const {
  std::vector<std::string> namespaces = options_.namespaces;
  const bool own = options_.own_namespace && !access_.ns.empty();
  if (own && std::find(namespaces.begin(), namespaces.end(), access_.ns) == namespaces.end())
    namespaces.push_back(access_.ns);
  if (namespaces.empty()) namespaces.emplace_back();
  return namespaces;
}

KubeSelector KubernetesDiscoverer::SelectorOf(KubeRole role) const {
  KubeSelector selector{role, {}, {}};
  for (const KubeSelector& given : options_.selectors) {
    if (given.role == role) selector = given;
  }
  const auto also = [&selector](const std::string& field) {
    selector.field += (selector.field.empty() ? "" : ",") + field;
  };
  if (options_.role == KubeRole::kPod && role == KubeRole::kPod)
    also("spec.nodeName=" + options_.node_name);
  if (options_.role == KubeRole::kPod && role == KubeRole::kNode)
    also("metadata.name=" + options_.node_name);
  return selector;
}

void KubernetesDiscoverer::StartReflectors(KubeAccess access) {
  const int64_t now_ns = dependencies_.clock.MonotonicNanos();
  if (options_.role == KubeRole::kPod) {
    // What was known stays known until the first list says otherwise.
    for (const auto& reflector : reflectors_) {
      if (reflector->resource().kind != KubeKind::kPod) continue;
      for (const auto& [key, pod] : reflector->objects())
        gone_pods_[PodFolderName(pod.ns, pod.name, KubeLogUid(pod))] = {pod, now_ns};
    }
  }
  reflectors_.clear();
  access_ = std::move(access);
  client_ = std::make_unique<HttpClient>(dependencies_.loop, dependencies_.clock,
                                         dependencies_.logger, access_.http);
  for (const KubeKind kind : KindsOf(options_)) {
    const KubeSelector selector =
        kind == KubeKind::kNamespace ? KubeSelector{} : SelectorOf(RoleOf(kind));
    if (IsClusterWide(kind)) {
      AddReflector(kind, {}, selector);
      continue;
    }
    for (const std::string& ns : Namespaces())
      AddReflector(kind, ns, selector);
  }
  dependencies_.logger.Info("kubernetes", "asking the API server",
                            {{"job", job_},
                             {"role", KubeRoleName(options_.role)},
                             {"server", access_.server},
                             {"access", access_.from},
                             {"node", options_.node_name}});
  for (const auto& reflector : reflectors_)
    reflector->Start();
}

void KubernetesDiscoverer::AddReflector(KubeKind kind, const std::string& ns,
                                        const KubeSelector& selector) {
  const bool is_pod_job = options_.role == KubeRole::kPod && kind == KubeKind::kPod;
  KubeReflector::Events events;
  events.changed = [this, is_pod_job](std::vector<KubeObject> gone) {
    if (!is_pod_job) gone.clear();
    ObjectsChanged(std::move(gone));
  };
  events.refused = [this] { Reconnect(); };
  reflectors_.push_back(std::make_unique<KubeReflector>(
      KubeReflector::Dependencies{dependencies_.loop, dependencies_.clock, dependencies_.logger,
                                  *client_},
      access_.server, KubeResource{kind, ns, selector.label, selector.field},
      Random(random_.Next()), std::move(events)));
}

const KubeObject* KubernetesDiscoverer::Find(KubeKind kind, const std::string& ns,
                                             const std::string& name) const {
  const std::string key = ns + "/" + name;
  for (const auto& reflector : reflectors_) {
    if (reflector->resource().kind != kind) continue;
    const auto found = reflector->objects().find(key);
    if (found != reflector->objects().end()) return &found->second;
  }
  return nullptr;
}

bool KubernetesDiscoverer::synced() const {
  return !reflectors_.empty() &&
         std::all_of(reflectors_.begin(), reflectors_.end(),
                     [](const auto& reflector) { return reflector->synced(); });
}

// --- What has changed.

void KubernetesDiscoverer::ObjectsChanged(std::vector<KubeObject> gone) {
  const int64_t now_ns = dependencies_.clock.MonotonicNanos();
  for (KubeObject& pod : gone) {
    std::string folder = PodFolderName(pod.ns, pod.name, KubeLogUid(pod));
    gone_pods_.insert_or_assign(std::move(folder), GonePod{std::move(pod), now_ns});
  }
  UpdateLater();
}

void KubernetesDiscoverer::FoldersLooked(PodFolderScan scan) {
  if (scan.error != folder_error_ && !scan.error.empty()) {
    dependencies_.logger.Warn("kubernetes", "the folder of the pods' logs cannot be read",
                              {{"job", job_}, {"error", scan.error}, {"hint", "pod_logs_path"}});
  }
  if (scan.ignored > 0) {
    dependencies_.logger.WriteLimited(
        LogLevel::kWarn, "kubernetes_folder:" + job_, "kubernetes",
        "left out: not what the kubelet calls a pod's folder, or a link in its place",
        {{"job", job_}, {"name", scan.ignored_name}, {"all", scan.ignored}});
  }
  ignored_folders_ = scan.ignored;
  ignored_folder_ = scan.ignored_name;
  folder_error_ = std::move(scan.error);
  const bool first = !std::exchange(folders_looked_, true);
  if (!first && folders_ == scan.folders) return;
  folders_ = std::move(scan.folders);
  UpdateLater();
}

void KubernetesDiscoverer::UpdateLater() {
  if (update_timer_.active() || !changed_) return;
  update_timer_.StartOnce(std::max(kUpdateDelay, update_cost_ * kUpdateShare),
                          [this] { Update(); });
}

// --- What pages and metrics show.

std::vector<std::string> KubernetesDiscoverer::Problems() const {
  std::vector<std::string> problems;
  if (!connect_error_.empty()) problems.push_back("Kubernetes: " + connect_error_);
  for (const auto& reflector : reflectors_) {
    if (reflector->well()) continue;
    const std::string why = reflector->error().empty() ? "no answer yet" : reflector->error();
    problems.push_back("Kubernetes API (" + access_.from + ", " + access_.server + "), " +
                       reflector->resource().Describe() + ": " + why);
  }
  if (!folder_error_.empty()) problems.push_back("logs of pods: " + folder_error_);
  if (ignored_folders_ > 0) {
    problems.push_back(std::to_string(ignored_folders_) + " names under " + options_.pod_logs_path +
                       " are left out, such as " + ignored_folder_);
  }
  if (!ignored_pods_.empty()) {
    problems.push_back(std::to_string(ignored_pods_.size()) +
                       " pods with impossible names are left out, such as " +
                       *ignored_pods_.begin());
  }
  if (waiting_ > 0) {
    problems.push_back(std::to_string(waiting_) +
                       " pods wait for the labels that the API server has for them");
  }
  if (without_labels_ > 0) {
    problems.push_back(std::to_string(without_labels_) +
                       " pods are read without labels from the API server");
  }
  return problems;
}

void KubernetesDiscoverer::CollectMetrics(MetricSink& sink) const {
  const auto add = [this, &sink](std::string_view name, std::string_view label, uint64_t value) {
    sink.Add(name, {job_, KubeRoleName(options_.role), label}, static_cast<double>(value));
  };
  KubeReflectorCounters sum;
  std::size_t objects = 0;
  bool well = !reflectors_.empty();
  for (const auto& reflector : reflectors_) {
    const KubeReflectorCounters& counters = reflector->counters();
    sum.lists += counters.lists;
    sum.watches += counters.watches;
    sum.events += counters.events;
    sum.failures += counters.failures;
    sum.expired += counters.expired;
    sum.ignored_objects += counters.ignored_objects;
    objects += reflector->objects().size();
    well = well && reflector->well();
  }
  add("agent_kubernetes_requests_total", "list", sum.lists);
  add("agent_kubernetes_requests_total", "watch", sum.watches);
  add("agent_kubernetes_ignored_total", "object", sum.ignored_objects);
  const std::string_view role = KubeRoleName(options_.role);
  sink.Add("agent_kubernetes_api_up", {job_, role}, well ? 1 : 0);
  sink.Add("agent_kubernetes_objects", {job_, role}, static_cast<double>(objects));
  sink.Add("agent_kubernetes_events_total", {job_, role}, static_cast<double>(sum.events));
  sink.Add("agent_kubernetes_request_failures_total", {job_, role},
           static_cast<double>(sum.failures));
  sink.Add("agent_kubernetes_expired_total", {job_, role}, static_cast<double>(sum.expired));
  if (options_.role != KubeRole::kPod) return;
  sink.Add("agent_kubernetes_left_out", {job_, "folder"}, static_cast<double>(ignored_folders_));
  sink.Add("agent_kubernetes_left_out", {job_, "pod"}, static_cast<double>(ignored_pods_.size()));
  sink.Add("agent_kubernetes_pods_waiting", {job_}, static_cast<double>(waiting_));
  sink.Add("agent_kubernetes_pods_without_labels", {job_}, static_cast<double>(without_labels_));
}

}  // namespace agent
