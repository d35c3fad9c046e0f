#include "agent/tail/target_groups.h"

#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "agent/tail/file_table.h"

namespace agent {
namespace {

// Tells targets with different labels apart.
std::string LabelsText(const Target& target) {
  if (!target.streams) return FormatLabels(target.labels);
  const auto text = [](const std::optional<Labels>& labels) {
    return labels ? FormatLabels(*labels) : std::string("dropped");
  };
  return "stdout " + text(target.streams->out) + " stderr " + text(target.streams->err);
}

}  // namespace

bool TargetGroup::Wants(const std::string& path) const {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&path](const auto& pattern) { return pattern->Wants(path); });
}

TargetGroup* TargetGroups::Find(uint32_t id) {
  const auto at = groups_.find(id);
  return at == groups_.end() ? nullptr : &at->second;
}

void TargetGroups::SetContents(FileContents contents) {
  contents_ = std::move(contents);
  for (auto& [id, group] : groups_)
    SetContent(group);
}

void TargetGroups::SetContent(TargetGroup& group) const {
  const auto at = contents_.find(group.job);
  group.content = at != contents_.end() ? at->second : FileContent{};
  group.record_job = RecordJob(group.job, group.content.compression);
}

TargetGroup& TargetGroups::GroupOf(const Target& target) {
  const std::string labels = LabelsText(target);
  const auto [at, fresh] = by_name_.try_emplace(target.job + '\n' + labels, next_id_);
  TargetGroup& group = groups_[at->second];
  if (fresh) {
    group.id = next_id_++;
    group.job = target.job;
    group.labels = target.labels;
    group.streams = target.streams;
    group.labels_hash = XXH3_64bits(labels.data(), labels.size());
    SetContent(group);
  }
  return group;
}

TargetGroups::Wish& TargetGroups::WishOf(const TargetGroup& group, const Target& target,
                                         Logger& logger) {
  const std::string path = AbsolutePath(target.path);
  const auto [at, fresh] =
      wishes_.try_emplace(std::to_string(group.id) + '\n' + path + '\n' + target.path_exclude +
                          (target.roots.empty() ? "" : "\nconfined"));
  Wish& wish = at->second;
  if (!fresh) return wish;
  Result<Glob> glob = Glob::Compile(path);
  if (!glob.ok()) {
    logger.Error("tail", "target left out: its __path__ is no glob",
                 {{"job", target.job}, {"error", glob.error().message}});
    return wish;
  }
  ScanPattern pattern{group.id, std::move(glob).value(), std::nullopt, target.roots};
  if (!target.path_exclude.empty()) {
    Result<Glob> exclude = Glob::Compile(target.path_exclude);
    if (exclude.ok()) {
      pattern.exclude = std::move(exclude).value();
    } else {
      logger.Error("tail", "__path_exclude__ is no glob: nothing is excluded",
                   {{"job", target.job}, {"error", exclude.error().message}});
    }
  }
  wish.pattern = std::make_shared<ScanPattern>(std::move(pattern));
  return wish;
}

TargetGroups::KnownTarget& TargetGroups::Know(const std::shared_ptr<const Target>& target,
                                              Logger& logger) {
  const auto [at, fresh] = known_.try_emplace(target.get());
  KnownTarget& known = at->second;
  if (fresh) {
    const TargetGroup& group = GroupOf(*target);
    known.target = target;
    known.group = group.id;
    known.wish = &WishOf(group, *target, logger);
  }
  return known;
}

void TargetGroups::Set(const std::vector<std::shared_ptr<const Target>>& targets, Logger& logger) {
  ++round_;
  for (auto& [id, group] : groups_) {
    group.wanted = false;
    group.patterns.clear();
  }
  prompt_paths_.clear();
  auto patterns = std::make_shared<ScanPatterns>();
  for (const std::shared_ptr<const Target>& target : targets) {
    if (target->awaited) {
      prompt_paths_[target->path].roots = target->roots;
      continue;
    }
    KnownTarget& known = Know(target, logger);
    known.round = round_;
    TargetGroup& group = groups_[known.group];
    group.wanted = true;
    if (target->streams) prompt_paths_[target->path].groups.push_back(group.id);
    Wish& wish = *known.wish;
    if (std::exchange(wish.round, round_) == round_ || wish.pattern == nullptr) continue;
    group.patterns.push_back(wish.pattern);
    patterns->push_back(wish.pattern);
  }
  patterns_ = std::move(patterns);
  std::erase_if(known_, [this](const auto& item) { return item.second.round != round_; });
  std::erase_if(wishes_, [this](const auto& item) { return item.second.round != round_; });
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
