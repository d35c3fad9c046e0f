#include "discovery/docker/docker_table.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>

#include "discovery/docker/docker_labels.h"

namespace agent {
namespace {

using std::chrono::nanoseconds;

// How long a container that is gone stays a target: by then its deleted log is known as such.
constexpr int64_t kLingerNs = 15 * kNanosPerSecond;

bool HasEnded(const DockerContainer& container) {
  return container.status == "exited" || container.status == "dead" ||
         container.status == "removing";
}

Labels WithoutInternal(const Labels& labels) {
  Labels visible;
  for (const Label& label : labels) {
    if (!label.name.starts_with("__")) visible.Set(label.name, label.value);
  }
  return visible;
}

}  // namespace

DockerTable::DockerTable(std::string job, std::shared_ptr<const Relabeling> relabeling,
                         std::shared_ptr<const DockerOptions> options, const Clock& clock)
    : job_(std::move(job)),
      relabeling_(std::move(relabeling)),
      options_(std::move(options)),
      clock_(clock) {}

void DockerTable::SetNetworks(DockerNetworks networks) {
  if (networks == networks_) return;
  networks_ = std::move(networks);
  EvaluateAll();
}

void DockerTable::SetRoot(const std::string& root) {
  if (root.empty() || root == root_) return;
  root_ = root;
  changed_ = true;
  EvaluateAll();
}

void DockerTable::EvaluateAll() {
  for (auto& [id, entry] : entries_)
    Evaluate(entry);
}

void DockerTable::Put(DockerContainer container) {
  Entry& entry = entries_[container.id];
  if (entry.gone_ns != 0) return;
  const DockerContainer& before = entry.container;
  if (HasEnded(container) && !before.id.empty()) {
    container.networks = before.networks;
    container.ports = before.ports;
  }
  if (HasEnded(container) && container.finished_ns == 0) {
    container.finished_ns = before.finished_ns > 0 ? before.finished_ns : clock_.WallNanos();
  }
  if (container.log_path.empty()) container.log_path = before.log_path;
  entry.container = std::move(container);
  Evaluate(entry);
}

void DockerTable::Ended(const std::string& id) {
  const auto at = entries_.find(id);
  if (at == entries_.end()) return;
  at->second.container.status = "exited";
  at->second.container.finished_ns = clock_.WallNanos();
  Evaluate(at->second);
}

void DockerTable::Gone(const std::string& id) {
  const auto at = entries_.find(id);
  if (at == entries_.end() || at->second.gone_ns != 0) return;
  at->second.gone_ns = clock_.MonotonicNanos();
  Evaluate(at->second);
}

bool DockerTable::TooOld(const Entry& entry) const {
  if (entry.gone_ns != 0) return clock_.MonotonicNanos() - entry.gone_ns > kLingerNs;
  if (!HasEnded(entry.container)) return false;
  const int64_t age = nanoseconds(options_->exited_max_age).count();
  return clock_.WallNanos() - entry.container.finished_ns > std::max(age, kLingerNs);
}

void DockerTable::Expire() {
  for (auto at = entries_.begin(); at != entries_.end();) {
    Entry& entry = at->second;
    if (TooOld(entry) && (entry.target || entry.log)) {
      entry.target.reset();
      entry.log.reset();
      changed_ = true;
    }
    at = entry.gone_ns != 0 && TooOld(entry) ? entries_.erase(at) : std::next(at);
  }
}

bool DockerTable::expires() const {
  return std::any_of(entries_.begin(), entries_.end(), [](const auto& item) {
    return item.second.gone_ns != 0 ||
           ((item.second.target || item.second.log) && HasEnded(item.second.container));
  });
}

bool DockerTable::IsRunning(const std::string& id) const {
  const auto at = entries_.find(id);
  return at != entries_.end() && at->second.gone_ns == 0 &&
         at->second.container.status == "running";
}

std::vector<std::string> DockerTable::Keep(const std::vector<DockerListed>& listed) {
  std::vector<std::string> changed;
  std::map<std::string, uint64_t> now;
  for (const DockerListed& one : listed) {
    now[one.id] = one.fingerprint;
    const auto before = listed_.find(one.id);
    if (before == listed_.end() || before->second != one.fingerprint) changed.push_back(one.id);
  }
  listed_ = std::move(now);
  for (const auto& [id, entry] : entries_) {
    if (!listed_.contains(id)) Gone(id);
  }
  return changed;
}

DiscoveryResult DockerTable::Result() {
  changed_ = false;
  DiscoveryResult result;
  result.log_folders.push_back(options_->log_path_prefix + root_ + "/containers");
  for (const auto& [id, entry] : entries_) {
    if (entry.target) result.targets.push_back(entry.target);
    if (entry.dropped) result.dropped.push_back(entry.dropped);
    if (entry.log) result.containers.push_back(entry.log);
  }
  return result;
}

const DockerContainer* DockerTable::Find(std::string_view id_or_name) const {
  for (const auto& [id, entry] : entries_) {
    if (id == id_or_name || (entry.container.name.size() == id_or_name.size() + 1 &&
                             entry.container.name.ends_with(id_or_name))) {
      return &entry.container;
    }
  }
  return nullptr;
}

void DockerTable::Evaluate(Entry& entry) {
  const std::shared_ptr<const Target> before = std::exchange(entry.target, nullptr);
  const bool was_dropped = std::exchange(entry.dropped, nullptr) != nullptr;
  const std::shared_ptr<const ContainerLog> log = std::exchange(entry.log, nullptr);
  if (!TooOld(entry)) WorkOut(entry);
  if (entry.target && before && *entry.target == *before) entry.target = before;
  if (entry.log && log && *entry.log == *log) entry.log = log;
  if (entry.target != before || entry.log != log || (entry.dropped != nullptr) != was_dropped)
    changed_ = true;
}

void DockerTable::WorkOut(Entry& entry) const {
  const auto find = [this](std::string_view name) { return Find(name); };
  const std::vector<Labels> sets = DockerLabels(entry.container, networks_, *options_, find);
  Target target;
  std::string path = LogPath(entry.container);
  if (!path.empty()) entry.path = std::move(path);
  target.path = entry.path;
  target.awaited = entry.container.status == "created" && entry.gone_ns == 0;
  if (target.awaited) target.waits_for = "the container is created, and not started yet";
  std::string rule;
  // The first port whose labels are kept: a log is read once, however many ports there are.
  const bool kept = std::any_of(sets.begin(), sets.end(), [&](const Labels& labels) {
    return Relabel(labels, target, rule);
  });
  if (!kept) {
    entry.dropped = std::make_shared<DroppedTarget>(
        DroppedTarget{job_, sets.front(), "dropped", std::move(rule)});
  } else if (target.path.empty()) {
    target.path = "docker:" + entry.container.id;
    entry.log = std::make_shared<ContainerLog>(
        ContainerLog{std::move(target), options_, entry.container.id, entry.container.tty,
                     !HasEnded(entry.container) && entry.gone_ns == 0});
  } else {
    entry.target = std::make_shared<Target>(std::move(target));
  }
}

bool DockerTable::Relabel(const Labels& discovered, Target& target, std::string& rule) const {
  ContainerStreams streams;
  for (const bool err : {false, true}) {
    Labels labels = discovered;
    labels.Set(kDockerStreamLabel, err ? "stderr" : "stdout");
    if (const std::optional<std::size_t> dropped_by = relabeling_->Apply(labels)) {
      if (rule.empty()) rule = relabeling_->Describe(*dropped_by);
      continue;
    }
    (err ? streams.err : streams.out) = WithoutInternal(labels);
  }
  if (!streams.out && !streams.err) return false;
  target.job = job_;
  target.discovered = discovered;
  target.labels = streams.out ? *streams.out : *streams.err;
  target.streams = std::move(streams);
  return true;
}

std::string DockerTable::LogPath(const DockerContainer& container) const {
  if (container.log_driver != "json-file") return {};
  std::string folder = root_ + "/containers/" + container.id;
  std::string path = folder + "/" + container.id + "-json.log";
  if (!container.log_path.empty()) {
    path = container.log_path;
    folder = path.substr(0, path.rfind('/'));
  }
  path.insert(0, options_->log_path_prefix);
  folder.insert(0, options_->log_path_prefix);
  // Not access(): to a user who is not root that says nothing of capabilities (DAC_READ_SEARCH).
  const bool readable = ::faccessat(AT_FDCWD, folder.c_str(), R_OK | X_OK, AT_EACCESS) == 0;
  if (readable || IsHeld(path)) return path;
  return {};
}

bool DockerTable::IsHeld(const std::string& path) const {
  return options_->is_held && options_->is_held(path);
}

bool DockerTable::PutVanished(DockerContainer container) {
  container.log_driver = "json-file";
  if (entries_.contains(container.id) || LogPath(container).empty()) return false;
  container.status = "exited";
  const std::string id = container.id;
  Put(std::move(container));
  Gone(id);
  return true;
}

}  // namespace agent
