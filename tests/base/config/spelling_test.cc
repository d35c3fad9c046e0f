#include "base/config/spelling.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace agent {
namespace {

TEST_CASE("spelling: a slip finds the word that was meant", "[config][spelling]") {
  struct Case {
    std::string word;
    std::string want;
  };
  const std::vector<std::string> candidates = {"expression", "source", "replace", "job_name",
                                               "url"};
  const auto c = GENERATE(values<Case>({
      {"expresion", "expression"},   // One letter left out.
      {"expressoin", "expression"},  // Two swapped.
      {"Source", "source"},          // Case.
      {"jobname", "job_name"},       // Separators do not count.
      {"job-name", "job_name"},
      {"urls", "url"},
      {"ulr", "url"},
      {"xyz", ""},  // Nothing near.
      {"", ""},
      {"completely_different", ""},
  }));
  INFO(c.word);

  CHECK(NearestSpelling(c.word, candidates) == c.want);
}

TEST_CASE("spelling: very long words are left alone", "[config][spelling]") {
  CHECK(NearestSpelling(std::string(5000, 'a'), {std::string(5001, 'a')}).empty());
}

TEST_CASE("spelling: the nearer of two wins", "[config][spelling]") {
  CHECK(NearestSpelling("labelalow", {"labeldrop", "labelallow"}) == "labelallow");
}

}  // namespace
}  // namespace agent
