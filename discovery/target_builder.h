// From discovered labels to targets: relabelling, then what the special labels say. Used by every
// discoverer of files.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>

#include "base/labels.h"
#include "discovery/discoverer.h"
#include "discovery/relabel.h"
#include "discovery/target.h"

namespace agent {

// Which targets there are: the same path, exclusion and labels are one.
class TargetSet {
 public:
  // False when it is there already.
  bool Insert(const Target& target);
  void Clear() { known_.clear(); }

  // What becomes of a second one.
  static DroppedTarget Duplicate(const Target& target);

 private:
  struct Key {
    uint64_t high = 0;
    uint64_t low = 0;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const { return key.low; }
  };

  // By 128 bits of a hash: a chance meeting is out of the question, and no text is kept.
  std::unordered_set<Key, KeyHash> known_;
  std::string text_;
};

// Collects the targets of one job for one DiscoveryResult.
class TargetBuilder {
 public:
  // `relabeling` outlives the builder. `host` is this machine's name: the environment's HOSTNAME,
  // else the system's.
  TargetBuilder(std::string job, const Relabeling& relabeling, std::string host);

  // Adds a target, or says why not: "dropped" by a rule, "wrong_host" (`__host__` is another
  // machine), "no_path" (no `__path__`), "exists" (same path, exclusion and labels as one before).
  void Add(Labels discovered);
  // What was added since the last call.
  DiscoveryResult Take();

 private:
  void Drop(Labels discovered, std::string reason, std::string detail);

  const std::string job_;
  const Relabeling& relabeling_;
  const std::string host_;
  DiscoveryResult result_;
  TargetSet known_;
};

}  // namespace agent
