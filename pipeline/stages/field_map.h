// The body of `convert` and `rename`: a map from names of extracted values to something.

#pragma once

#include <string>
#include <vector>

#include "base/config/yaml.h"
#include "pipeline/stage.h"

namespace agent {

struct FieldEntry {
  std::string name;  // `[a][b]` is "a.b".
  const ConfigNode* key = nullptr;
  const ConfigNode* value = nullptr;
};

// Reports a body that is no map or empty, keys that are no names, and names that come twice.
// `example` is what to write: "convert: { status: int }".
std::vector<FieldEntry> ReadFieldMap(const ConfigNode& node, const std::string& example,
                                     StageContext& context);

// The name in a scalar; empty after a problem, which has been reported under `path`.
std::string ReadFieldName(const ConfigNode& node, const std::string& path, StageContext& context);

}  // namespace agent
