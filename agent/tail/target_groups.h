// The targets, put together by what their entries are called: targets with the same job and labels
// form a group, and within a group a file is read once, whatever the number of paths that lead to
// it.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "agent/tail/file_tree.h"
#include "agent/tail/scanner.h"
#include "agent/tail/stream_decoder.h"
#include "base/labels.h"
#include "base/log.h"
#include "discovery/target.h"

namespace agent {

// How the files of a job are read.
struct FileContent {
  Compression compression = Compression::kNone;
  std::chrono::nanoseconds initial_delay{0};  // Of a compressed file that is found.
  std::string encoding = {};                  // Of the text; empty: UTF-8.
};
using FileContents = std::map<std::string, FileContent, std::less<>>;  // By job.

struct TargetGroup {
  uint32_t id = 0;
  std::string job;
  Labels labels;
  std::optional<ContainerStreams> streams;  // As in Target.
  uint64_t labels_hash = 0;
  FileContent content;
  std::string record_job;  // RecordJob()'s.
  bool wanted = false;     // Some target has it. If not, its files are on their way out.
  bool scanned = false;    // What the journal knows of it has been looked for.

  // Of the latest targets.
  ScanPatterns patterns;

  [[nodiscard]] bool Wants(const std::string& path) const;
};

// Loop thread.
class TargetGroups {
 public:
  // Of every job that is not as usual. Replaces those before.
  void SetContents(FileContents contents);
  // Replaces the targets. Cheap for those that are the same objects as before. A pattern that is no
  // glob is logged and left out.
  void Set(const std::vector<std::shared_ptr<const Target>>& targets, Logger& logger);
  // Forgets groups that no target has and for which `in_use` is false.
  void Prune(const std::function<bool(uint32_t)>& in_use);

  // Null when there is none.
  [[nodiscard]] TargetGroup* Find(uint32_t id);
  [[nodiscard]] std::map<uint32_t, TargetGroup>& all() { return groups_; }
  // Targets whose files are opened as they appear, by path.
  struct Prompt {
    std::vector<uint32_t> groups;    // That read it; none, while the target is awaited.
    std::vector<std::string> roots;  // As in Target.
  };
  using PromptPaths = std::unordered_map<std::string, Prompt>;
  [[nodiscard]] const PromptPaths& prompt_paths() const { return prompt_paths_; }
  // Of all wanted groups. Shared with the thread that scans.
  [[nodiscard]] const std::shared_ptr<const ScanPatterns>& patterns() const { return patterns_; }

 private:
  // What one target, or several of a group, want to have read.
  struct Wish {
    std::shared_ptr<const ScanPattern> pattern;  // Null: it is no glob.
    uint64_t round = 0;                          // Of the latest Set() that had it.
  };
  struct KnownTarget {
    std::shared_ptr<const Target> target;  // Held, so that its address stays its own.
    uint32_t group = 0;
    Wish* wish = nullptr;  // In wishes_.
    uint64_t round = 0;
  };

  void SetContent(TargetGroup& group) const;
  TargetGroup& GroupOf(const Target& target);
  KnownTarget& Know(const std::shared_ptr<const Target>& target, Logger& logger);
  Wish& WishOf(const TargetGroup& group, const Target& target, Logger& logger);

  FileContents contents_;
  std::map<uint32_t, TargetGroup> groups_;
  std::unordered_map<std::string, uint32_t> by_name_;
  std::unordered_map<const Target*, KnownTarget> known_;
  std::unordered_map<std::string, Wish> wishes_;  // By group, path and exclusion.
  uint32_t next_id_ = 1;
  uint64_t round_ = 0;
  PromptPaths prompt_paths_;
  std::shared_ptr<const ScanPatterns> patterns_ = std::make_shared<ScanPatterns>();
};

// Things that have a path, to find those that a group wants without asking it for each.
template <typename T>
class ByPath {
 public:
  void Add(const std::string& path, T thing) {
    tree_.Add(path);
    things_.emplace(path, thing);
  }
  [[nodiscard]] bool empty() const { return things_.empty(); }

  std::vector<T> WantedBy(const TargetGroup& group) {
    std::vector<T> wanted;
    if (empty()) return wanted;
    std::unordered_set<std::string> seen;
    for (const std::shared_ptr<const ScanPattern>& pattern : group.patterns) {
      Glob::Visitor visitor;
      visitor.match = [&](const std::string& path) {
        if (pattern->exclude && pattern->exclude->Match(path)) return;
        if (!seen.insert(path).second) return;
        const auto [first, last] = things_.equal_range(path);
        for (auto at = first; at != last; ++at)
          wanted.push_back(at->second);
      };
      pattern->glob.Expand(visitor, tree_);
    }
    return wanted;
  }

 private:
  PathTree tree_;
  std::unordered_multimap<std::string, T> things_;
};

}  // namespace agent
