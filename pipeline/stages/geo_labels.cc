#include "pipeline/stages/geo_labels.h"

#include <cstdint>
#include <optional>

#include "base/go_format.h"

namespace agent {
namespace {

std::vector<std::string> ReadCity(const GeoDatabase& database, GeoDatabase::Record record) {
  std::string latitude;
  std::string longitude;
  const double north = database.Float(record, {"location", "latitude"}).value_or(0);
  const double east = database.Float(record, {"location", "longitude"}).value_or(0);
  if (north != 0 || east != 0) {
    AppendGoFloat(north, latitude);
    AppendGoFloat(east, longitude);
  }
  return {
      database.Text(record, {"city", "names", "en"}),
      database.Text(record, {"country", "names", "en"}),
      database.Text(record, {"continent", "names", "en"}),
      database.Text(record, {"continent", "code"}),
      latitude,
      longitude,
      database.Text(record, {"postal", "code"}),
      database.Text(record, {"location", "time_zone"}),
      // From the largest to the smallest: the last one is the most specific.
      database.Text(record, {"subdivisions", "-1", "names", "en"}),
      database.Text(record, {"subdivisions", "-1", "iso_code"}),
  };
}

std::vector<std::string> ReadAsn(const GeoDatabase& database, GeoDatabase::Record record) {
  const uint64_t number = database.Integer(record, {"autonomous_system_number"}).value_or(0);
  return {
      number == 0 ? std::string() : std::to_string(number),
      database.Text(record, {"autonomous_system_organization"}),
  };
}

}  // namespace

std::vector<std::string> GeoLabelNames(GeoKind kind) {
  if (kind == GeoKind::kAsn) {
    return {"geoip_autonomous_system_number", "geoip_autonomous_system_organization"};
  }
  return {
      "geoip_city_name",        "geoip_country_name",      "geoip_continent_name",
      "geoip_continent_code",   "geoip_location_latitude", "geoip_location_longitude",
      "geoip_postal_code",      "geoip_timezone",          "geoip_subdivision_name",
      "geoip_subdivision_code",
  };
}

std::vector<std::string> ReadGeoLabels(GeoKind kind, const GeoDatabase& database,
                                       GeoDatabase::Record record) {
  return kind == GeoKind::kAsn ? ReadAsn(database, record) : ReadCity(database, record);
}

bool LacksGeoKind(std::string_view database_type, GeoKind kind) {
  const auto has = [&](std::string_view word) {
    return database_type.find(word) != std::string_view::npos;
  };
  const bool has_asn = has("ASN") || has("ISP");
  const bool has_city = has("City") || has("Country") || has("Enterprise");
  return kind == GeoKind::kAsn ? has_city && !has_asn : has_asn && !has_city;
}

}  // namespace agent
