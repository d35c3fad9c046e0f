// Finds targets of one job.

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics/metrics.h"
#include "discovery/docker/container_log.h"
#include "discovery/target.h"

namespace agent {

// Targets never change once they are made, so that thousands of them can be handed on as they are;
// one that is the same as before may well be the same object.
struct DiscoveryResult {
  std::vector<std::shared_ptr<const Target>> targets;
  std::vector<std::shared_ptr<const DroppedTarget>> dropped;
  // Containers whose logs are no files.
  std::vector<std::shared_ptr<const ContainerLog>> containers = {};
  // Where folders of containers with their logs appear: "/var/lib/docker/containers".
  std::vector<std::string> log_folders = {};
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
