// What a geo database says about an address, as labels.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pipeline/geo/geo_database.h"

namespace agent {

enum class GeoKind : uint8_t { kCity, kAsn };

// The labels of a kind of database, in the order of ReadGeoLabels().
std::vector<std::string> GeoLabelNames(GeoKind kind);

// Their values in a record; empty: the label is not set.
std::vector<std::string> ReadGeoLabels(GeoKind kind, const GeoDatabase& database,
                                       GeoDatabase::Record record);

// Whether a database of that type ("GeoLite2-City") surely has nothing of the kind.
bool LacksGeoKind(std::string_view database_type, GeoKind kind);

}  // namespace agent
