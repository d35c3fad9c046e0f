#include "discovery/target_builder.h"

#include <xxhash.h>

#include <optional>
#include <string_view>
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

// With its length before it, so that no two lists of texts look the same.
void AppendSized(std::string_view part, std::string& text) {
  const std::size_t size = part.size();
  text.append(reinterpret_cast<const char*>(&size), sizeof(size));
  text += part;
}

}  // namespace

bool TargetSet::Insert(const Target& target) {
  text_.clear();
  AppendSized(target.path, text_);
  AppendSized(target.path_exclude, text_);
  for (const Label& label : target.labels) {
    AppendSized(label.name, text_);
    AppendSized(label.value, text_);
  }
  const XXH128_hash_t hash = XXH3_128bits(text_.data(), text_.size());
  return known_.insert({hash.high64, hash.low64}).second;
}

DroppedTarget TargetSet::Duplicate(const Target& target) {
  return {.job = target.job,
          .discovered = target.discovered,
          .reason = "exists",
          .detail = "another target has the same path and labels: " + target.path};
}

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
  target.discovered = std::move(discovered);
  if (!known_.Insert(target)) {
    result_.dropped.push_back(TargetSet::Duplicate(target));
    return;
  }
  result_.targets.push_back(std::move(target));
}

DiscoveryResult TargetBuilder::Take() {
  known_.Clear();
  return std::exchange(result_, {});
}

void TargetBuilder::Drop(Labels discovered, std::string reason, std::string detail) {
  result_.dropped.push_back({.job = job_,
                             .discovered = std::move(discovered),
                             .reason = std::move(reason),
                             .detail = std::move(detail)});
}

}  // namespace agent
