// Finds targets of one job.

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/metrics/metrics.h"
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

  // Calls `changed` with the full set of targets as soon as it is known (from inside, or later),
  // and whenever it changes, until Stop().
  virtual void Start(std::function<void(DiscoveryResult)> changed) = 0;
  virtual void Stop() = 0;

  // What it cannot read or reach at present, one sentence each, for pages. The targets that were
  // found before stay.
  [[nodiscard]] virtual std::vector<std::string> Problems() const { return {}; }
  // Numbers of its own.
  virtual void CollectMetrics(MetricSink& /*sink*/) const {}
};

}  // namespace agent
