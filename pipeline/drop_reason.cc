#include "pipeline/drop_reason.h"

namespace agent {

DropReason DropReasons::Intern(std::string_view name, bool promtail_counts) {
  for (DropReason i = 0; i < all_.size(); ++i) {
    if (all_[i].name == name) return i;
  }
  all_.push_back({std::string(name), promtail_counts});
  return static_cast<DropReason>(all_.size() - 1);
}

}  // namespace agent
