#include <chrono>
#include <string>

#include <catch2/catch.hpp>

#include "agent/config/effective_yaml.h"
#include "tests/agent/config/load.h"

namespace agent {
namespace {

LoadedConfig LoadJournal(const std::string& journal) {
  return LoadText(kClients + "scrape_configs:\n- job_name: j\n  journal: " + journal + "\n");
}

TEST_CASE("journal: every key, and the defaults", "[config][journal]") {
  const LoadedConfig loaded = LoadJournal(
      "{path: /var/log/journal, max_age: 12h, json: true, labels: {job: systemd}, matches: "
      "'_SYSTEMD_UNIT=a.service  PRIORITY=3'}");

  REQUIRE(Errors(loaded).empty());
  CHECK(Warnings(loaded).empty());
  const auto& journal = loaded.config.scrape_configs[0].journal;
  REQUIRE(journal.has_value());
  CHECK(journal->path == "/var/log/journal");
  CHECK(journal->max_age == std::chrono::hours(12));
  CHECK(journal->max_age_given);
  CHECK(journal->json);
  CHECK(journal->labels == Labels{{"job", "systemd"}});
  CHECK(journal->matches == std::vector<std::string>{"_SYSTEMD_UNIT=a.service", "PRIORITY=3"});

  const LoadedConfig defaults = LoadJournal("{}");
  REQUIRE(Errors(defaults).empty());
  const auto& plain = defaults.config.scrape_configs[0].journal;
  REQUIRE(plain.has_value());
  CHECK(plain->path.empty());
  CHECK(plain->max_age == std::chrono::hours(7));
  CHECK_FALSE(plain->max_age_given);
  CHECK_FALSE(plain->json);
  CHECK(plain->matches.empty());
}

TEST_CASE("journal: what is printed can be loaded, and means the same", "[config][journal]") {
  for (const char* journal :
       {"{}", "{max_age: 90m, matches: A=b C=d, labels: {a: b}, json: true}"}) {
    const std::string printed = EffectiveYaml(LoadJournal(journal).config);
    const LoadedConfig again = LoadText(printed);
    REQUIRE(Errors(again).empty());
    CHECK(EffectiveYaml(again.config) == printed);
  }
}

TEST_CASE("journal: what is wrong is told with its place", "[config][journal]") {
  CHECK_THAT(Errors(LoadJournal("{matches: A}")),
             Catch::Contains("4:22 scrape_configs[0].journal.matches: 'A' is not of the form "
                             "FIELD=value"));
  CHECK_THAT(Errors(LoadJournal("{matches: A=b=c}")),
             Catch::Contains("'A=b=c' is not of the form"));
  CHECK_THAT(Errors(LoadJournal("{matches: unit=b}")),
             Catch::Contains("'unit' is not the name of a journal field"));
  CHECK_THAT(Errors(LoadJournal("{max_age: 7d}")), Catch::Contains("write hours, such as 24h"));
  CHECK_THAT(Errors(LoadJournal("{maxage: 7h}")), Catch::Contains("did you mean 'max_age'?"));
  CHECK_THAT(Errors(LoadJournal("{labels: {a b: c}}")), Catch::Contains("not a valid label name"));
  CHECK_THAT(Errors(LoadJournal("")), Catch::Contains("no valid target scrape config"));
}

TEST_CASE("journal: beside files it is not read, as in Promtail, and that is said",
          "[config][journal]") {
  const LoadedConfig loaded = LoadText(kClients +
                                       "scrape_configs:\n- job_name: j\n  journal: {}\n  "
                                       "static_configs: [{labels: {__path__: /x}}]\n");
  CHECK(Errors(loaded).empty());
  CHECK_THAT(Warnings(loaded), Catch::Contains("the journal is not read"));
  CHECK_FALSE(loaded.config.scrape_configs[0].journal.has_value());
}

}  // namespace
}  // namespace agent
