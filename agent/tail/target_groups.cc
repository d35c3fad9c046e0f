#include "agent/tail/target_groups.h"

#include <xxhash.h>

#include <algorithm>
#include <utility>

namespace agent {

bool TargetGroup::Wants(const std::string& path) const {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&path](const ScanPattern& pattern) { return pattern.Wants(path); });
}

TargetGroup* TargetGroups::Find(uint32_t id) {
  const auto at = groups_.find(id);
  return at == groups_.end() ? nullptr : &at->second;
}

TargetGroup& TargetGroups::GroupOf(const Target& target) {
  const std::string labels = FormatLabels(target.labels);
  const auto [at, fresh] = by_name_.try_emplace(target.job + '\n' + labels, next_id_);
  TargetGroup& group = groups_[at->second];
  if (fresh) {
    group.id = next_id_++;
    group.job = target.job;
    group.labels = target.labels;
    group.labels_hash = XXH3_64bits(labels.data(), labels.size());
  }
  return group;
}

void TargetGroups::AddPattern(TargetGroup& group, const Target& target, Logger& logger) {
  const std::string path = AbsolutePath(target.path);
  for (const ScanPattern& known : group.patterns) {
    const std::string exclude = known.exclude ? known.exclude->pattern() : std::string();
    if (known.glob.pattern() == path && exclude == target.path_exclude) return;
  }
  Result<Glob> glob = Glob::Compile(path);
  if (!glob.ok()) {
    logger.Error("tail", "target left out: its __path__ is no glob",
                 {{"job", target.job}, {"error", glob.error().message}});
    return;
  }
  ScanPattern pattern{group.id, std::move(glob).value(), std::nullopt};
  if (!target.path_exclude.empty()) {
    Result<Glob> exclude = Glob::Compile(target.path_exclude);
    if (exclude.ok()) {
      pattern.exclude = std::move(exclude).value();
    } else {
      logger.Error("tail", "__path_exclude__ is no glob: nothing is excluded",
                   {{"job", target.job}, {"error", exclude.error().message}});
    }
  }
  group.patterns.push_back(std::move(pattern));
}

void TargetGroups::Set(const std::vector<Target>& targets, Logger& logger) {
  for (auto& [id, group] : groups_) {
    group.wanted = false;
    group.patterns.clear();
  }
  for (const Target& target : targets) {
    TargetGroup& group = GroupOf(target);
    group.wanted = true;
    AddPattern(group, target, logger);
  }
  auto patterns = std::make_shared<ScanPatterns>();
  for (const auto& [id, group] : groups_)
    patterns->insert(patterns->end(), group.patterns.begin(), group.patterns.end());
  patterns_ = std::move(patterns);
}

void TargetGroups::Prune(const std::function<bool(uint32_t)>& in_use) {
  for (auto at = by_name_.begin(); at != by_name_.end();) {
    const TargetGroup& group = groups_[at->second];
    if (group.wanted || in_use(group.id)) {
      ++at;
      continue;
    }
    groups_.erase(at->second);
    at = by_name_.erase(at);
  }
}

}  // namespace agent
