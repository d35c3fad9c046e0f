// From discovered labels to targets: relabelling, then what the special labels say. Used by every
// discoverer of files.

#pragma once

#include <memory>
#include <set>
#include <string>
#include <tuple>

#include "base/labels.h"
#include "discovery/discoverer.h"
#include "discovery/relabel.h"
#include "discovery/target.h"

namespace agent {

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
  std::set<std::tuple<std::string, std::string, Labels>> known_;  // Path, exclusion, labels.
};

}  // namespace agent
