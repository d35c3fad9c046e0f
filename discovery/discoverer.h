// Finds targets of one job.

#pragma once

#include <functional>
#include <vector>

#include "discovery/target.h"

namespace agent {

struct DiscoveryResult {
  std::vector<Target> targets;
  std::vector<DroppedTarget> dropped;
};

// Loop thread.
class Discoverer {
 public:
  virtual ~Discoverer() = default;

  // Calls `changed` with the full set of targets now, and whenever it changes, until Stop().
  virtual void Start(std::function<void(DiscoveryResult)> changed) = 0;
  virtual void Stop() = 0;
};

}  // namespace agent
