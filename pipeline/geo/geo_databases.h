// The databases of a configuration: each path is opened once, whatever number of stages and workers
// use it. A reload begins with none and opens them again.

#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "pipeline/geo/geo_database.h"

namespace agent {

// Used by the thread that builds pipelines; the databases themselves by any.
class GeoDatabases {
 public:
  // Valid as long as this.
  Result<const GeoDatabase*> Open(const std::string& path);

 private:
  std::map<std::string, std::unique_ptr<GeoDatabase>> databases_;  // By path.
};

}  // namespace agent
