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

void AppendLabels(const Labels& labels, std::string& text) {
  for (const Label& label : labels) {
    AppendSized(label.name, text);
    AppendSized(label.value, text);
  }
}

TargetKey KeyOf(std::string_view text) {
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return {hash.high64, hash.low64};
}

}  // namespace

bool TargetSet::Insert(const Target& target) {
  text_.clear();
  AppendSized(target.path, text_);
  AppendSized(target.path_exclude, text_);
  AppendLabels(target.labels, text_);
  return known_.insert(KeyOf(text_)).second;
}

std::shared_ptr<const DroppedTarget> TargetSet::Duplicate(const Target& target) {
  return std::make_shared<DroppedTarget>(
      DroppedTarget{.job = target.job,
                    .discovered = target.discovered,
                    .reason = "exists",
                    .detail = "another target has the same path and labels: " + target.path});
}

TargetBuilder::TargetBuilder(std::string job, const Relabeling& relabeling, std::string host,
                             std::vector<std::string> roots)
    : job_(std::move(job)),
      relabeling_(relabeling),
      host_(std::move(host)),
      roots_(std::move(roots)) {}

void TargetBuilder::Add(const Labels& discovered) {
  text_.clear();
  AppendLabels(discovered, text_);
  const TargetKey key = KeyOf(text_);
  const auto [at, fresh] = outcomes_.try_emplace(key);
  Outcome& outcome = at->second;
  if (fresh) {
    const auto known = before_.find(key);
    outcome = known != before_.end() ? known->second : WorkOut(discovered);
  }
  if (outcome.target == nullptr) {
    result_.dropped.push_back(outcome.dropped);
  } else if (known_.Insert(*outcome.target)) {
    result_.targets.push_back(outcome.target);
  } else {
    result_.dropped.push_back(TargetSet::Duplicate(*outcome.target));
  }
}

TargetBuilder::Outcome TargetBuilder::WorkOut(const Labels& discovered) const {
  Labels labels = discovered;
  if (const std::optional<std::size_t> rule = relabeling_.Apply(labels)) {
    return Drop(discovered, "dropped", relabeling_.Describe(*rule));
  }
  const std::string* const host = labels.Find(kHostLabel);
  if (host != nullptr && *host != host_) {
    return Drop(discovered, "wrong_host",
                "__host__ is '" + *host + "', this host is '" + host_ + "'");
  }
  const std::string* const path = labels.Find(kPathLabel);
  if (path == nullptr) {
    return Drop(discovered, "no_path", "no label __path__ after relabelling");
  }
  Target target;
  target.job = job_;
  target.path = *path;
  target.path_exclude = labels.Value(kPathExcludeLabel);
  target.labels = WithoutInternal(labels);
  target.discovered = discovered;
  target.roots = roots_;
  return {std::make_shared<Target>(std::move(target)), nullptr};
}

DiscoveryResult TargetBuilder::Take() {
  known_.Clear();
  before_ = std::exchange(outcomes_, {});
  return std::exchange(result_, {});
}

TargetBuilder::Outcome TargetBuilder::Drop(const Labels& discovered, std::string reason,
                                           std::string detail) const {
  return {nullptr, std::make_shared<DroppedTarget>(DroppedTarget{.job = job_,
                                                                 .discovered = discovered,
                                                                 .reason = std::move(reason),
                                                                 .detail = std::move(detail)})};
}

}  // namespace agent
