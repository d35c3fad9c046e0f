#include "pipeline/time/rfc3339.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include <catch2/catch.hpp>

namespace agent {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

TEST_CASE("rfc3339: reads times with every kind of fraction and offset", "[time][rfc3339]") {
  struct Case {
    std::string_view text;
    int64_t want;
  };
  const auto c = GENERATE(values<Case>({
      {"1970-01-01T00:00:00Z", 0},
      {"2023-05-06T07:08:09Z", 1683356889 * kSecond},
      {"2023-05-06T07:08:09.1Z", 1683356889 * kSecond + 100'000'000},
      {"2023-05-06T07:08:09,25Z", 1683356889 * kSecond + 250'000'000},
      {"2023-05-06T07:08:09.123456789Z", 1683356889 * kSecond + 123'456'789},
      {"2023-05-06T07:08:09.1234567899999Z", 1683356889 * kSecond + 123'456'789},
      {"2023-05-06T07:08:09+02:00", 1683349689 * kSecond},
      {"2023-05-06T07:08:09.5-03:30", 1683369489 * kSecond + 500'000'000},
      {"2023-05-06T07:08:09+24:60", (1683356889 - 90000) * kSecond},
      {"2023-05-06T7:08:09Z", 1683356889 * kSecond},
      {"2024-02-29T23:59:59Z", 1709251199 * kSecond},
      {"1969-12-31T23:59:59.999999999Z", -1},
  }));
  INFO(c.text);
  Rfc3339Parser parser;

  CHECK(parser.Parse(c.text) == c.want);
  CHECK(parser.Parse(c.text) == c.want);  // From memory.
}

TEST_CASE("rfc3339: refuses what is no such time", "[time][rfc3339]") {
  const auto text = GENERATE(values<std::string_view>({"",
                                                       "2023-05-06",
                                                       "2023-05-06T07:08:09",
                                                       "2023-05-06 07:08:09Z",
                                                       "2023-05-06t07:08:09z",
                                                       "2023-13-06T07:08:09Z",
                                                       "2023-00-06T07:08:09Z",
                                                       "2023-02-30T07:08:09Z",
                                                       "2023-02-29T07:08:09Z",
                                                       "2023-05-00T07:08:09Z",
                                                       "2023-05-06T24:08:09Z",
                                                       "2023-05-06T07:60:09Z",
                                                       "2023-05-06T07:08:60Z",
                                                       "2023-05-06T07:08:09.Z",
                                                       "2023-05-06T07:08:09Zx",
                                                       "x2023-05-06T07:08:09Z",
                                                       "2023-05-06T07:08:09+0200",
                                                       "2023-05-06T07:08:09+25:00",
                                                       "2023-05-06T07:08:09+02:61",
                                                       "2023-05-06T07:08:09 02:00",
                                                       "23-05-06T07:08:09Z",
                                                       "2023-5-06T07:08:09Z",
                                                       "2023-05-06T07:8:09Z",
                                                       "+023-05-06T07:08:09Z"}));
  INFO(text);
  Rfc3339Parser parser;

  CHECK(parser.Parse(text) == std::nullopt);

  // Nor after a good one has been remembered.
  REQUIRE(parser.Parse("2023-05-06T07:08:09Z"));
  CHECK(parser.Parse(text) == std::nullopt);
}

TEST_CASE("rfc3339: a remembered second does not leak into others", "[time][rfc3339]") {
  Rfc3339Parser parser;

  CHECK(parser.Parse("2023-05-06T07:08:09.5Z") == 1683356889 * kSecond + 500'000'000);
  CHECK(parser.Parse("2023-05-06T07:08:09Z") == 1683356889 * kSecond);
  CHECK(parser.Parse("2023-05-06T07:08:10Z") == 1683356890 * kSecond);
  CHECK(parser.Parse("2024-05-06T07:08:10Z") == 1714979290 * kSecond);
  CHECK(parser.Parse("2024-05-06T7:08:10.25Z") == 1714979290 * kSecond + 250'000'000);
}

TEST_CASE("rfc3339: times beyond 64 bits become the nearest", "[time][rfc3339]") {
  Rfc3339Parser parser;

  CHECK(parser.Parse("9999-12-31T23:59:59Z") == std::numeric_limits<int64_t>::max());
  CHECK(parser.Parse("0001-01-01T00:00:00Z") == std::numeric_limits<int64_t>::min());
}

}  // namespace
}  // namespace agent
