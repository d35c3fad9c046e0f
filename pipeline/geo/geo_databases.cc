#include "pipeline/geo/geo_databases.h"

#include <utility>

namespace agent {

Result<const GeoDatabase*> GeoDatabases::Open(const std::string& path) {
  const auto known = databases_.find(path);
  if (known != databases_.end()) return known->second.get();
  Result<std::unique_ptr<GeoDatabase>> opened = GeoDatabase::Open(path);
  if (!opened.ok()) return std::move(opened).error();
  const auto added = databases_.emplace(path, std::move(opened).value()).first;
  return added->second.get();
}

}  // namespace agent
