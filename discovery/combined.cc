#include "discovery/combined.h"

#include <cstddef>
#include <utility>

#include "discovery/target_builder.h"

namespace agent {

CombinedDiscoverer::CombinedDiscoverer(std::vector<std::unique_ptr<Discoverer>> parts)
    : parts_(std::move(parts)), found_(parts_.size()) {}

void CombinedDiscoverer::Start(std::function<void(DiscoveryResult)> changed) {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    parts_[i]->Start([this, i, changed](DiscoveryResult found) {
      found_[i] = std::move(found);
      changed(Together());
    });
  }
}

void CombinedDiscoverer::Stop() {
  for (const auto& part : parts_)
    part->Stop();
}

std::vector<std::string> CombinedDiscoverer::Problems() const {
  std::vector<std::string> all;
  for (const auto& part : parts_) {
    for (std::string& problem : part->Problems())
      all.push_back(std::move(problem));
  }
  return all;
}

void CombinedDiscoverer::CollectMetrics(MetricSink& sink) const {
  for (const auto& part : parts_)
    part->CollectMetrics(sink);
}

DiscoveryResult CombinedDiscoverer::Together() const {
  DiscoveryResult all;
  TargetSet known;
  for (const DiscoveryResult& found : found_) {
    for (const std::shared_ptr<const Target>& target : found.targets) {
      if (parts_.size() == 1 || known.Insert(*target)) {
        all.targets.push_back(target);
      } else {
        all.dropped.push_back(TargetSet::Duplicate(*target));
      }
    }
    all.dropped.insert(all.dropped.end(), found.dropped.begin(), found.dropped.end());
    all.containers.insert(all.containers.end(), found.containers.begin(), found.containers.end());
    all.log_folders.insert(all.log_folders.end(), found.log_folders.begin(),
                           found.log_folders.end());
  }
  return all;
}

}  // namespace agent
