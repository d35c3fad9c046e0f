// What stands in a file of targets: a list of groups, in YAML or JSON.
//
//   - targets: [localhost]
//     labels: { job: web, __path__: /srv/web/*.log }

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/labels.h"
#include "base/result.h"

namespace agent {

struct TargetGroupText {
  std::vector<std::string> addresses;  // Each is a target; none: no target.
  Labels labels;
};

// By the end of `path`: ".json" is JSON, everything else YAML. Strict: unknown keys, wrong types
// and names that are no label names are errors. kInvalid with "path:line:column: …" as far as that
// is known, for the first thing that is wrong. An empty YAML file has no groups.
Result<std::vector<TargetGroupText>> ParseTargetGroups(const std::string& path,
                                                       std::string_view text);

}  // namespace agent
