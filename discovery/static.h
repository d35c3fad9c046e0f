// `static_configs`: targets that stand in the configuration.

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "discovery/discoverer.h"
#include "discovery/relabel.h"

namespace agent {

struct StaticTargets {
  // Each is a target with the label `__address__`, whose value means nothing here. None: one, with
  // "localhost".
  std::vector<std::string> addresses;
  Labels labels;
};

// Reports once, from inside Start(). Loop thread.
class StaticDiscoverer final : public Discoverer {
 public:
  // Shared: all discoverers of a job have the same rules. `host` as for TargetBuilder.
  StaticDiscoverer(std::string job, std::vector<StaticTargets> groups,
                   std::shared_ptr<const Relabeling> relabeling, std::string host);

  void Start(std::function<void(DiscoveryResult)> changed) override;
  void Stop() override;

 private:
  const std::string job_;
  const std::vector<StaticTargets> groups_;
  const std::shared_ptr<const Relabeling> relabeling_;
  const std::string host_;
};

}  // namespace agent
