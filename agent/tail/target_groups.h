// The targets, put together by what their entries are called: targets with the same job and labels
// form a group, and within a group a file is read once, whatever the number of paths that lead to
// it.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/tail/scanner.h"
#include "base/labels.h"
#include "base/log.h"
#include "discovery/target.h"

namespace agent {

struct TargetGroup {
  uint32_t id = 0;
  std::string job;
  Labels labels;
  uint64_t labels_hash = 0;
  bool wanted = false;   // Some target has it. If not, its files are on their way out.
  bool scanned = false;  // What the journal knows of it has been looked for.

  // Of the latest targets.
  std::vector<ScanPattern> patterns;

  [[nodiscard]] bool Wants(const std::string& path) const;
};

// Loop thread.
class TargetGroups {
 public:
  // Replaces the targets. A pattern that is no glob is logged and left out.
  void Set(const std::vector<Target>& targets, Logger& logger);
  // Forgets groups that no target has and for which `in_use` is false.
  void Prune(const std::function<bool(uint32_t)>& in_use);

  // Null when there is none.
  [[nodiscard]] TargetGroup* Find(uint32_t id);
  [[nodiscard]] std::map<uint32_t, TargetGroup>& all() { return groups_; }
  // Of all wanted groups. Shared with the thread that scans.
  [[nodiscard]] const std::shared_ptr<const ScanPatterns>& patterns() const { return patterns_; }

 private:
  TargetGroup& GroupOf(const Target& target);
  void AddPattern(TargetGroup& group, const Target& target, Logger& logger);

  std::map<uint32_t, TargetGroup> groups_;
  std::map<std::string, uint32_t> by_name_;
  uint32_t next_id_ = 1;
  std::shared_ptr<const ScanPatterns> patterns_ = std::make_shared<ScanPatterns>();
};

}  // namespace agent
