#include "outputs/loki/loki_counters.h"

namespace agent {

std::string_view LossReasonName(LossReason reason) {
  switch (reason) {
    case LossReason::kIngesterError:
      return "ingester_error";
    case LossReason::kRateLimited:
      return "rate_limited";
    case LossReason::kStreamLimited:
      return "stream_limited";
    case LossReason::kLineTooLong:
      return "line_too_long";
    case LossReason::kNoLabels:
      return "no_labels";
    case LossReason::kLabelName:
      return "label_name";
    case LossReason::kMetadataName:
      return "metadata_name";
  }
  return "";
}

TenantCounters& LokiCounters::ForTenant(const std::string& tenant) {
  const MutexLock lock(mutex_);
  const auto found = tenants_.find(tenant);
  if (found != tenants_.end()) return found->second;
  return tenants_[tenants_.size() < kMaxTenants ? tenant : kOtherTenants];
}

void LokiCounters::ForEachTenant(
    const std::function<void(const std::string&, const TenantCounters&)>& visit) const {
  const MutexLock lock(mutex_);
  for (const auto& [tenant, counters] : tenants_)
    visit(tenant, counters);
}

}  // namespace agent
