// What is remembered between lines, and the errors of the configuration. The databases are made by
// tests/data/geo/make.py.

#include <deque>
#include <fstream>
#include <string>
#include <vector>

#include "pipeline/geo/geo_databases.h"
#include "pipeline/pipeline.h"
#include "pipeline/stages/stages.h"
#include "tests/pipeline/stages/counted.h"
#include "tests/pipeline/stages/line_runner.h"
#include "tests/pipeline/stages/stage_fixture.h"

namespace agent {
namespace {

const std::string kCity = AGENT_GEO_DATA "/city.mmdb";
const std::string kAsn = AGENT_GEO_DATA "/asn.mmdb";

std::string CityYaml() {
  return "{db: " + kCity + ", db_type: city, source: ip}";
}

std::string ProblemsOf(const std::string& yaml) {
  const StageFixture stage(MakeGeoipStage, yaml);
  return stage.problems();
}

bool Built(const std::string& yaml) {
  return StageFixture(MakeGeoipStage, yaml).built();
}

std::string LabelsOf(StageFixture& stage, EntryIndex entry, std::string_view name) {
  return std::string(stage.label_sets().Get(stage.block().LabelsOf(entry)).Value(name));
}

// How often this process has the file mapped.
int MappingsOf(const std::string& path) {
  std::ifstream maps("/proc/self/maps");
  int count = 0;
  for (std::string line; std::getline(maps, line);)
    count += line.ends_with(path) ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("geoip: the same address in entries with other labels", "[stages][geoip]") {
  StageFixture stage(MakeGeoipStage, CityYaml());
  std::vector<EntryIndex> entries;
  for (int i = 0; i < 6; ++i)
    entries.push_back(stage.Add("x", {{"ip", Value::String("192.0.2.1")}}));
  for (const EntryIndex entry : entries) {
    const std::string value = entry % 2 == 0 ? "even" : "odd";
    stage.block().SetLabels(entry, stage.label_sets().Intern({{"n", value}}));
  }

  stage.Run();

  for (const EntryIndex entry : entries) {
    CHECK(LabelsOf(stage, entry, "n") == (entry % 2 == 0 ? "even" : "odd"));
    CHECK(LabelsOf(stage, entry, "geoip_city_name") == "Northhaven");
  }
}

TEST_CASE("geoip: what is no address is counted, each time", "[stages][geoip]") {
  LineRunner runner("- regex: {expression: '^(?P<ip>.+)$'}\n- geoip: " + CityYaml());
  REQUIRE(runner.built());

  runner.Run({"no address", "no address", "192.0.2.1", "10.0.0.1", "", std::string(100, '1')});

  CHECK(Failures(runner.pipeline().counters()) == "address 3");
}

TEST_CASE("geoip: more addresses than are remembered", "[stages][geoip]") {
  StageFixture stage(MakeGeoipStage, CityYaml());
  for (int round = 0; round < 3; ++round) {
    // A new block: the texts of the last one are gone.
    stage.Reset({});
    std::deque<std::string> addresses;
    for (int i = 0; i < 1024; ++i) {
      addresses.push_back((i % 2 == 0 ? "192.0.2." : "10.0.0.") + std::to_string(i / 2 % 256));
      stage.Add("x", {{"ip", Value::String(addresses.back())}});
    }
    stage.Run();
    for (EntryIndex i = 0; i < 1024; ++i) {
      const int host = static_cast<int>(i) / 2 % 256;
      const std::string want = i % 2 != 0 || host >= 192 ? ""
                               : host < 128              ? "Northland"
                                                         : "Midland";
      REQUIRE(LabelsOf(stage, i, "geoip_country_name") == want);
    }
  }
}

TEST_CASE("geoip: what is remembered survives a sweep of the label sets", "[stages][geoip]") {
  StageFixture stage(MakeGeoipStage, CityYaml());
  stage.Add("x", {{"ip", Value::String("192.0.2.1")}});
  stage.Run();
  stage.label_sets().Sweep();
  // The numbers of the sets that were swept are given to others.
  stage.label_sets().Intern({{"other", "1"}});
  stage.label_sets().Intern({{"other", "2"}});
  stage.Reset({});
  const EntryIndex entry = stage.Add("x", {{"ip", Value::String("192.0.2.1")}});

  stage.Run();

  CHECK(LabelsOf(stage, entry, "geoip_city_name") == "Northhaven");
  CHECK(LabelsOf(stage, entry, "other").empty());
}

TEST_CASE("geoip: the pipelines of all workers share a database", "[stages][geoip]") {
  const std::string yaml = "- geoip: " + CityYaml();
  Problems problems("test.yaml", yaml);
  const ConfigNode stages = LoadYaml(yaml, problems);
  LabelSets sets;
  FakeClock clock;
  Logger logger(-1, LogLevel::kError, LogFormat::kLogfmt);
  CustomMetrics metrics;
  GeoDatabases databases;
  const auto build = [&] {
    return Pipeline::Build(stages, "stages", "job", problems,
                           {.label_sets = sets,
                            .clock = clock,
                            .logger = logger,
                            .metrics = metrics,
                            .geo_databases = &databases});
  };
  const int before = MappingsOf(kCity);

  const auto one = build();
  const auto two = build();

  REQUIRE(one != nullptr);
  REQUIRE(two != nullptr);
  CHECK(MappingsOf(kCity) == before + 1);
}

TEST_CASE("geoip: required fields", "[stages][geoip]") {
  CHECK(ProblemsOf("{}") ==
        "stages[0].stage.db: db path cannot be empty; db: /var/lib/GeoIP/GeoLite2-City.mmdb\n"
        "stages[0].stage.db_type: db type should be either city or asn; city for a City, Country "
        "or Enterprise database, asn for an ASN or ISP database\n"
        "stages[0].stage.source: without a source there is no address: no label will be set; name "
        "the extracted value that holds the address\n");
  CHECK_FALSE(Built("{}"));
  CHECK_FALSE(Built("{db: " + kCity + ", source: ip}"));
  CHECK_FALSE(Built("{db_type: city, source: ip}"));
  CHECK(ProblemsOf("{db: " + kCity + ", db_type: city, source: ''}") ==
        "stages[0].stage.source: source cannot be empty; name the extracted value that holds the "
        "address\n");
  CHECK_FALSE(Built("{db: " + kCity + ", db_type: city, source: ''}"));
}

TEST_CASE("geoip: a database that cannot be opened is a problem with its path", "[stages][geoip]") {
  CHECK(ProblemsOf("{db: /nowhere/x.mmdb, db_type: city, source: ip}") ==
        "stages[0].stage.db: cannot open /nowhere/x.mmdb: No such file or directory; put a MaxMind "
        "database (.mmdb) there, or correct the path\n");
  CHECK_FALSE(Built("{db: /nowhere/x.mmdb, db_type: city, source: ip}"));
  const std::string script = AGENT_GEO_DATA "/make.py";
  CHECK(ProblemsOf("{db: " + script + ", db_type: city, source: ip}") ==
        "stages[0].stage.db: cannot read " + script +
            ": The MaxMind DB file contains invalid metadata; give the path of a MaxMind database "
            "(.mmdb); if it is one, fetch it again\n");
  CHECK(ProblemsOf("{db: /, db_type: city, source: ip}") ==
        "stages[0].stage.db: / is not a file; give the path of a MaxMind database (.mmdb); if it "
        "is one, fetch it again\n");
}

TEST_CASE("geoip: what will set no label is warned of", "[stages][geoip]") {
  CHECK(ProblemsOf("{db: " + kCity + ", db_type: country, source: ip}") ==
        "stages[0].stage.db_type: there is no db type 'country': no label will be set; use city or "
        "asn\n");
  CHECK(Built("{db: " + kCity + ", db_type: country, source: ip}"));
  CHECK(ProblemsOf("{db: " + kCity + ", db_type: asn, source: ip}") ==
        "stages[0].stage.db_type: a database of type 'GeoLite2-City' has no such values: no label "
        "will be set; use db_type: city, or an ASN database\n");
  CHECK(ProblemsOf("{db: " + kAsn + ", db_type: city, source: ip}") ==
        "stages[0].stage.db_type: a database of type 'GeoLite2-ASN' has no such values: no label "
        "will be set; use db_type: asn, or a City database\n");
  CHECK(Built("{db: " + kCity + ", db_type: city}"));
  CHECK(ProblemsOf(CityYaml()).empty());
}

TEST_CASE("geoip: what is mistyped is refused", "[stages][geoip]") {
  CHECK(ProblemsOf("{db: " + kCity + ", db_type: city, source: 5}") ==
        "stages[0].stage.source: expected a string, got a number; write \"5\" in quotes\n");
  CHECK_FALSE(Built("{db: " + kCity + ", db_type: city, source: [ip]}"));
  CHECK_FALSE(Built("{db: true, db_type: city, source: ip}"));
}

}  // namespace agent
