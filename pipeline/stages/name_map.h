// The body of `labels`, `structured_metadata` and their kind: names, each with the extracted key
// that it is taken from.
//
//   - labels:
//       level:            # The key of the same name.
//       service: app

#pragma once

#include <string>
#include <vector>

#include "pipeline/stage.h"

namespace agent {

struct NamedSource {
  std::string name;
  std::string source_name;
  Slot source = 0;  // Counts as read.
};

// Reports values that are no names, and names that are no label names ("invalid label name: x"). A
// null or empty body gives nothing.
std::vector<NamedSource> ReadNameMap(const ConfigNode& node, StageContext& context);

// The body of `labeldrop` and `labelallow`: a list of label names that is not empty.
std::vector<std::string> ReadNameList(const ConfigNode& node, const std::string& stage,
                                      StageContext& context);

}  // namespace agent
