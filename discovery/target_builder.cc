#include "discovery/target_builder.h"

#include <optional>
#include <utility>

namespace agent {
namespace {

constexpr std::string_view kHostLabel = "__host__";
constexpr std::string_view kPathLabel = "__path__";
constexpr std::string_view kPathExcludeLabel = "__path_exclude__";

Labels WithoutInternal(const Labels& labels) {
  Labels visible;
  for (const Label& label : labels) {
    if (!label.name.starts_with("__")) visible.Set(label.name, label.value);
  }
  return visible;
}

}  // namespace

TargetBuilder::TargetBuilder(std::string job, const Relabeling& relabeling, std::string host)
    : job_(std::move(job)), relabeling_(relabeling), host_(std::move(host)) {}

void TargetBuilder::Add(Labels discovered) {
  Labels labels = discovered;
  if (const std::optional<std::size_t> rule = relabeling_.Apply(labels)) {
    return Drop(std::move(discovered), "dropped", relabeling_.Describe(*rule));
  }
  const std::string* const host = labels.Find(kHostLabel);
  if (host != nullptr && *host != host_) {
    return Drop(std::move(discovered), "wrong_host",
                "__host__ is '" + *host + "', this host is '" + host_ + "'");
  }
  const std::string* const path = labels.Find(kPathLabel);
  if (path == nullptr) {
    return Drop(std::move(discovered), "no_path", "no label __path__ after relabelling");
  }
  Target target;
  target.job = job_;
  target.path = *path;
  target.path_exclude = labels.Value(kPathExcludeLabel);
  target.labels = WithoutInternal(labels);
  if (!known_.emplace(target.path, target.path_exclude, target.labels).second) {
    return Drop(std::move(discovered), "exists",
                "another target has the same path and labels: " + target.path);
  }
  target.discovered = std::move(discovered);
  result_.targets.push_back(std::move(target));
}

DiscoveryResult TargetBuilder::Take() {
  known_.clear();
  return std::exchange(result_, {});
}

void TargetBuilder::Drop(Labels discovered, std::string reason, std::string detail) {
  result_.dropped.push_back({.job = job_,
                             .discovered = std::move(discovered),
                             .reason = std::move(reason),
                             .detail = std::move(detail)});
}

}  // namespace agent
