// From discovered labels to targets: relabelling, then what the special labels say. Used by every
// discoverer of files.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/labels.h"
#include "discovery/discoverer.h"
#include "discovery/relabel.h"
#include "discovery/target.h"

namespace agent {

// 128 bits of a hash: a chance meeting is out of the question, and no text is kept.
struct TargetKey {
  uint64_t high = 0;
  uint64_t low = 0;
  bool operator==(const TargetKey&) const = default;
};
struct TargetKeyHash {
  std::size_t operator()(const TargetKey& key) const { return key.low; }
};

// Which targets there are: the same path, exclusion and labels are one.
class TargetSet {
 public:
  // False when it is there already.
  bool Insert(const Target& target);
  void Clear() { known_.clear(); }

  // What becomes of a second one.
  static std::shared_ptr<const DroppedTarget> Duplicate(const Target& target);

 private:
  std::unordered_set<TargetKey, TargetKeyHash> known_;
  std::string text_;
};

// Collects the targets of one job for one DiscoveryResult after the other. What was added last time
// with the same labels is not worked out again: keep the builder where one of many targets changes.
class TargetBuilder {
 public:
  // `relabeling` outlives the builder. `host` is this machine's name: the environment's HOSTNAME,
  // else the system's.
  // `roots` are those of all targets.
  TargetBuilder(std::string job, const Relabeling& relabeling, std::string host,
                std::vector<std::string> roots = {});

  // Adds a target, or says why not: "dropped" by a rule, "wrong_host" (`__host__` is another
  // machine), "no_path" (no `__path__`), "exists" (same path, exclusion and labels as one before).
  void Add(const Labels& discovered);
  // What was added since the last call.
  DiscoveryResult Take();

 private:
  // One of both.
  struct Outcome {
    std::shared_ptr<const Target> target;
    std::shared_ptr<const DroppedTarget> dropped;
  };
  using Outcomes = std::unordered_map<TargetKey, Outcome, TargetKeyHash>;

  [[nodiscard]] Outcome WorkOut(const Labels& discovered) const;
  [[nodiscard]] Outcome Drop(const Labels& discovered, std::string reason,
                             std::string detail) const;

  const std::string job_;
  const Relabeling& relabeling_;
  const std::string host_;
  const std::vector<std::string> roots_;
  DiscoveryResult result_;
  TargetSet known_;
  Outcomes outcomes_;  // By the discovered labels.
  Outcomes before_;    // Of the last result.
  std::string text_;
};

}  // namespace agent
