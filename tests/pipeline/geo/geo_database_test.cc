// The databases are made by tests/data/geo/make.py.

#include "pipeline/geo/geo_database.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "pipeline/geo/geo_databases.h"
#include "tests/support/temp_dir.h"

// Comes last: it has a CHECK of its own.
// clang-format off
#include <catch2/catch.hpp>
// clang-format on

namespace agent {
namespace {

const std::string kCityPath = AGENT_GEO_DATA "/city.mmdb";
const std::string kAsnPath = AGENT_GEO_DATA "/asn.mmdb";

std::unique_ptr<GeoDatabase> Opened(const std::string& path) {
  auto database = GeoDatabase::Open(path);
  INFO((database.ok() ? "" : database.error().message));
  REQUIRE(database.ok());
  return std::move(database).value();
}

std::optional<GeoDatabase::Record> Found(const GeoDatabase& database, std::string_view address) {
  const auto found = database.Find(address);
  REQUIRE(found.ok());
  return *found;
}

std::string Bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void Write(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace

TEST_CASE("geo database: knows its type, its networks and what lies in them", "[geo]") {
  const auto city = Opened(kCityPath);

  CHECK(city->type() == "GeoLite2-City");
  CHECK(city->path() == kCityPath);
  const auto record = Found(*city, "192.0.2.1");
  REQUIRE(record);
  CHECK(city->Text(*record, {"city", "names", "en"}) == "Northhaven");
  CHECK(city->Text(*record, {"subdivisions", "-1", "iso_code"}) == "NC");
  CHECK(city->Text(*record, {"subdivisions", "0", "iso_code"}) == "NR");
  CHECK(city->Float(*record, {"location", "latitude"}) == 51.5142);
  CHECK(Found(*city, "192.0.2.127") == record);
  CHECK(Found(*city, "2001:db8::") == record);
  CHECK(Found(*city, "192.0.2.128") != record);
  CHECK_FALSE(Found(*city, "192.0.3.0"));
}

TEST_CASE("geo database: what is not there, or of another type, is nothing", "[geo]") {
  const auto city = Opened(kCityPath);
  const auto record = Found(*city, "198.51.100.7");
  REQUIRE(record);

  CHECK(city->Text(*record, {"city", "names", "en"}).empty());
  CHECK(city->Text(*record, {"country", "names", "en"}).empty());
  CHECK(city->Text(*record, {"postal", "code"}).empty());
  CHECK(city->Text(*record, {"nothing"}).empty());
  CHECK(city->Text(*record, {"subdivisions", "-1", "iso_code"}).empty());
  CHECK(city->Float(*record, {"location", "longitude"}) == -0.25);
  CHECK_FALSE(city->Float(*record, {"city"}));
  CHECK_FALSE(city->Integer(*record, {"city"}));
  const auto empty = Found(*city, "192.0.2.200");
  REQUIRE(empty);
  CHECK(city->Text(*empty, {"subdivisions", "-1", "iso_code"}).empty());
}

TEST_CASE("geo database: whole numbers", "[geo]") {
  const auto asn = Opened(kAsnPath);

  CHECK(asn->Integer(*Found(*asn, "192.0.2.1"), {"autonomous_system_number"}) == 64496);
  CHECK(asn->Integer(*Found(*asn, "198.51.100.1"), {"autonomous_system_number"}) == 4200000000);
}

TEST_CASE("geo database: addresses are what Go takes for one", "[geo]") {
  const auto city = Opened(kCityPath);
  const std::string good =
      GENERATE(as<std::string>{}, "192.0.2.1", "::ffff:192.0.2.1", "::ffff:c000:201", "2001:db8::1",
               "2001:DB8:0:0:0:0:0:1", "2001:db8::192.0.2.1");
  CHECK(Found(*city, good));

  const std::string bad =
      GENERATE(as<std::string>{}, "", "x", "192.0.2", "192.0.2.1 ", "192.0.02.1", "192.0.2.256",
               "3221225985", "0xc0.0.2.1", "192.0.2.1:80", "[2001:db8::1]", "2001:db8::1%lo",
               "2001:db8::1/64", "2001:db8:::1", "2001:db8::00001", "2001:db8:0:0:0:0:0:0:1");
  INFO(bad);
  CHECK_FALSE(Found(*city, bad));
  CHECK_FALSE(Found(*city, std::string("192.0.2.1\0x", 11)));
  CHECK_FALSE(Found(*city, std::string(200, '1')));
}

TEST_CASE("geo database: one of IPv4 knows no IPv6 address", "[geo]") {
  const auto asn = Opened(kAsnPath);

  CHECK_FALSE(Found(*asn, "2001:db8::1"));
  CHECK(Found(*asn, "::ffff:192.0.2.1"));
}

TEST_CASE("geo database: what cannot be opened says why, with its path", "[geo]") {
  const TempDir dir;
  const auto problem = [](const std::string& path) {
    const auto opened = GeoDatabase::Open(path);
    REQUIRE_FALSE(opened.ok());
    CHECK(opened.error().message.find(path) != std::string::npos);
    return opened.error();
  };

  CHECK(problem(dir.path() + "/missing.mmdb").code == ErrorCode::kNotFound);
  CHECK(problem(dir.path()).message == dir.path() + " is not a file");
  Write(dir.path() + "/text.mmdb", "no database");
  CHECK(problem(dir.path() + "/text.mmdb").code == ErrorCode::kInvalid);
  Write(dir.path() + "/empty.mmdb", "");
  CHECK(problem(dir.path() + "/empty.mmdb").code == ErrorCode::kInvalid);
  // Opening it for real would wait for somebody who writes.
  REQUIRE(mkfifo((dir.path() + "/pipe").c_str(), 0600) == 0);
  CHECK(problem(dir.path() + "/pipe").code == ErrorCode::kInvalid);
}

TEST_CASE("geo database: a damaged one gives errors or nothing, whatever is missing", "[geo]") {
  const TempDir dir;
  const std::string whole = Bytes(kCityPath);
  const std::string path = dir.path() + "/damaged.mmdb";
  std::size_t opened = 0;
  // A piece is cut out of the middle, so that the end, which is read first, is as it was.
  for (std::size_t at = 0; at + 16 < whole.size(); at += 3) {
    std::filesystem::remove(path);
    Write(path, whole.substr(0, at) + whole.substr(at + 16));
    const auto database = GeoDatabase::Open(path);
    if (!database.ok()) continue;
    ++opened;
    for (const char* address : {"192.0.2.1", "198.51.100.1", "2001:db8::1"}) {
      const auto found = (*database)->Find(address);
      if (!found.ok() || !*found) continue;
      (void)(*database)->Text(**found, {"city", "names", "en"});
      (void)(*database)->Text(**found, {"subdivisions", "-1", "names", "en"});
      (void)(*database)->Float(**found, {"location", "latitude"});
    }
  }
  CHECK(opened > 0);
}

TEST_CASE("geo databases: a path is opened once, another set opens it again", "[geo]") {
  const TempDir dir;
  const std::string path = dir.path() + "/db.mmdb";
  Write(path, Bytes(kCityPath));
  GeoDatabases databases;

  const auto first = databases.Open(path);
  REQUIRE(first.ok());
  // As an update does it: a new file takes the name.
  Write(dir.path() + "/new.mmdb", Bytes(kAsnPath));
  std::filesystem::rename(dir.path() + "/new.mmdb", path);
  const auto second = databases.Open(path);
  REQUIRE(second.ok());
  GeoDatabases reloaded;
  const auto third = reloaded.Open(path);
  REQUIRE(third.ok());

  CHECK(*first == *second);
  CHECK((*first)->type() == "GeoLite2-City");
  CHECK(Found(**first, "192.0.2.1"));
  CHECK((*third)->type() == "GeoLite2-ASN");
  CHECK_FALSE(databases.Open(dir.path() + "/missing.mmdb").ok());
}

}  // namespace agent
