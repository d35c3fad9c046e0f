// Why an entry was dropped on purpose. Reasons are few and known when the pipeline is built.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace agent {

using DropReason = uint32_t;

class DropReasons {
 public:
  struct Info {
    std::string name;
    bool promtail_counts = true;  // Shown in logentry_dropped_lines_total; all are in the ledger.
  };

  // The number of a reason, new or not.
  DropReason Intern(std::string_view name, bool promtail_counts = true);
  [[nodiscard]] const std::vector<Info>& all() const { return all_; }

 private:
  std::vector<Info> all_;
};

}  // namespace agent
