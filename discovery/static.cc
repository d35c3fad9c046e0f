#include "discovery/static.h"

#include <utility>

#include "discovery/target_builder.h"

namespace agent {
namespace {

constexpr std::string_view kAddressLabel = "__address__";

}  // namespace

StaticDiscoverer::StaticDiscoverer(std::string job, std::vector<StaticTargets> groups,
                                   std::shared_ptr<const Relabeling> relabeling, std::string host)
    : job_(std::move(job)),
      groups_(std::move(groups)),
      relabeling_(std::move(relabeling)),
      host_(std::move(host)) {}

void StaticDiscoverer::Start(std::function<void(DiscoveryResult)> changed) {
  TargetBuilder builder(job_, *relabeling_, host_);
  const auto add = [&builder](const Labels& group, std::string_view address) {
    Labels labels = group;
    labels.Set(kAddressLabel, address);
    builder.Add(labels);
  };
  for (const StaticTargets& group : groups_) {
    if (group.addresses.empty()) add(group.labels, "localhost");
    for (const std::string& address : group.addresses)
      add(group.labels, address);
  }
  changed(builder.Take());
}

void StaticDiscoverer::Stop() {}

}  // namespace agent
