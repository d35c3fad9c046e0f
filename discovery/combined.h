// Several ways of finding the targets of one job, as one: `static_configs` beside
// `file_sd_configs`, or two `kubernetes_sd_configs`.

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "discovery/discoverer.h"

namespace agent {

// Loop thread.
class CombinedDiscoverer final : public Discoverer {
 public:
  explicit CombinedDiscoverer(std::vector<std::unique_ptr<Discoverer>> parts);

  // Reports what is known so far each time that one of the parts reports. A target that an earlier
  // part has found as well is dropped as "exists".
  void Start(std::function<void(DiscoveryResult)> changed) override;
  void Stop() override;
  [[nodiscard]] std::vector<std::string> Problems() const override;
  void CollectMetrics(MetricSink& sink) const override;

 private:
  [[nodiscard]] DiscoveryResult Together() const;

  const std::vector<std::unique_ptr<Discoverer>> parts_;
  std::vector<DiscoveryResult> found_;  // Of each part.
};

}  // namespace agent
