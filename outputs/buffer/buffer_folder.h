// Folders of disk buffers: how they are called, who may write to one, and what is in them.
//
//   <folder of the output>/lock, cursor, *.seg      entries without a tenant
//   <folder of the output>/tenant-NAME/cursor, …    those of a tenant

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace agent {

// A name as that of a file: what is not a letter, a digit or one of "._-" becomes %XX; long ones
// are cut, with a hash.
std::string FileNameOf(std::string_view name);

// Of one lane of the output whose folder is `root`.
std::string LaneFolder(const std::string& root, const std::string& tenant);
// All that exist: `root` itself comes first, and is always among them.
std::vector<std::string> LaneFolders(const std::string& root);
// A buffer has been kept there: ids have been given out.
bool IsInUse(const std::string& lane_folder);
// Whose batches are in the folder of a lane. Reads the first one; empty when there is none.
std::string TenantIn(const std::string& lane_folder);

// Makes the folder, and claims it for this process until the descriptor is closed. kUnavailable:
// another has it; `holder` is its pid then, 0 where it is not known.
Result<UniqueFd> LockFolder(const std::string& root, int64_t& holder);

struct FolderSummary {
  uint64_t segments = 0;
  uint64_t bytes = 0;
  uint64_t batches = 0;  // Of those that are not delivered.
  uint64_t entries = 0;
  uint64_t damaged_bytes = 0;
  int64_t oldest_wall_ns = 0;  // 0: none.
  uint64_t cursor = 0;
  uint64_t last_id = 0;
  std::string kind;
};
// Of one lane. Changes nothing, and needs no lock. `check_payloads`: reads everything.
FolderSummary Summarize(const std::string& lane_folder, bool check_payloads);
// Of all lanes of an output.
FolderSummary SummarizeAll(const std::string& root);

}  // namespace agent
