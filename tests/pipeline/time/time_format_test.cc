#include "pipeline/time/time_format.h"

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>

#include "base/clock.h"
#include "pipeline/time/location.h"

namespace agent {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

class StoppedClock final : public Clock {
 public:
  explicit StoppedClock(std::string_view now) : now_(*Rfc3339Parser().Parse(now)) {}
  [[nodiscard]] int64_t WallNanos() const override { return now_; }
  [[nodiscard]] int64_t MonotonicNanos() const override { return 0; }

 private:
  int64_t now_;
};

struct Case {
  std::string_view format;
  std::string_view text;
  std::string_view want;  // RFC 3339; "" when it must not parse.
  std::string_view location = {};
  std::string_view now = "2024-06-15T00:00:00Z";
};

void Check(const Case& c) {
  INFO(c.format << " | " << c.text << " | " << c.location << " | " << c.now);
  const StoppedClock clock(c.now);
  const auto local = Location::Utc();
  std::unique_ptr<Location> location;
  if (!c.location.empty()) location = Location::Load(c.location).value();
  TimeFormat format(c.format, location.get(), *local, clock);

  const std::optional<int64_t> got = format.Parse(c.text);

  if (c.want.empty()) {
    CHECK(got == std::nullopt);
  } else {
    CHECK(got == Rfc3339Parser().Parse(c.want));
  }
}

TEST_CASE("time format: predefined names", "[time]") {
  Check(GENERATE(values<Case>({
      {"ANSIC", "Sat May  6 07:08:09 2023", "2023-05-06T07:08:09Z"},
      {"UnixDate", "Sat May  6 07:08:09 UTC 2023", "2023-05-06T07:08:09Z"},
      {"UnixDate", "Sat May  6 07:08:09 PST 2023", "2023-05-06T07:08:09Z"},
      {"RubyDate", "Sat May 06 07:08:09 -0700 2023", "2023-05-06T14:08:09Z"},
      {"RFC822", "06 May 23 07:08 GMT", "2023-05-06T07:08:00Z"},
      {"RFC822Z", "06 May 23 07:08 +0200", "2023-05-06T05:08:00Z"},
      {"RFC850", "Saturday, 06-May-23 07:08:09 GMT", "2023-05-06T07:08:09Z"},
      {"RFC1123", "Sat, 06 May 2023 07:08:09 GMT", "2023-05-06T07:08:09Z"},
      {"RFC1123Z", "Sat, 06 May 2023 07:08:09 +0000", "2023-05-06T07:08:09Z"},
      {"RFC3339", "2023-05-06T07:08:09.25+01:00", "2023-05-06T06:08:09.25Z"},
      {"RFC3339Nano", "2023-05-06T07:08:09Z", "2023-05-06T07:08:09Z"},
      {"rfc3339", "2023-05-06T07:08:09Z", ""},  // Names are exact; this is a layout.
  })));
}

TEST_CASE("time format: a location does nothing to predefined names", "[time]") {
  Check({"ANSIC", "Sat May  6 07:08:09 2023", "2023-05-06T07:08:09Z", "Asia/Tokyo"});
  Check({"RFC1123", "Sat, 06 May 2023 07:08:09 CEST", "2023-05-06T07:08:09Z", "Europe/Paris"});
}

TEST_CASE("time format: elements of a layout", "[time]") {
  Check(GENERATE(values<Case>({
      {"2006-01-02 15:04:05", "2023-05-06 07:08:09", "2023-05-06T07:08:09Z"},
      {"06/1/2 3:4:5", "23/5/6 7:8:9", "2023-05-06T07:08:09Z"},
      {"06-01-02", "68-01-01", "2068-01-01T00:00:00Z"},
      {"06-01-02", "69-01-01", "1969-01-01T00:00:00Z"},
      {"02/Jan/2006:15:04:05 -0700", "06/mAy/2023:07:08:09 +0200", "2023-05-06T05:08:09Z"},
      {"January 2, 2006", "DECEMBER 31, 2023", "2023-12-31T00:00:00Z"},
      {"Jan _2 2006", "May  6 2023", "2023-05-06T00:00:00Z"},
      {"Jan _2 2006", "May 6 2023", "2023-05-06T00:00:00Z"},
      {"Jan _2 2006", "May 16 2023", "2023-05-16T00:00:00Z"},
      {"2006 002", "2024 060", "2024-02-29T00:00:00Z"},
      {"2006 __2", "2023  60", "2023-03-01T00:00:00Z"},
      {"2006 002", "2023 366", ""},
      {"2006 002", "2023 000", ""},
      {"2006-01-02 002", "2023-03-01 060", "2023-03-01T00:00:00Z"},
      {"2006-01-02 002", "2023-03-02 060", ""},
      {"Monday 2006-01-02", "Friday 2023-05-06", "2023-05-06T00:00:00Z"},
      {"Monday 2006-01-02", "Fryday 2023-05-06", ""},
      {"Mon 2006-01-02", "tue 2023-05-06", "2023-05-06T00:00:00Z"},
      {"2006-01-02 03:04 PM", "2023-05-06 12:08 AM", "2023-05-06T00:08:00Z"},
      {"2006-01-02 03:04 PM", "2023-05-06 12:08 PM", "2023-05-06T12:08:00Z"},
      {"2006-01-02 3:04pm", "2023-05-06 1:08pm", "2023-05-06T13:08:00Z"},
      {"2006-01-02 3:04pm", "2023-05-06 1:08PM", ""},
      {"2006-01-02 3:04PM", "2023-05-06 13:08PM", ""},
      {"_2006", "_2023", "2023-01-01T00:00:00Z"},
      {"Month 2006", "Month 2023", "2023-01-01T00:00:00Z"},
      {"20060102150405.000", "20230506070809.123", "2023-05-06T07:08:09.123Z"},
  })));
}

TEST_CASE("time format: fractions of a second", "[time]") {
  Check(GENERATE(values<Case>({
      {"2006-01-02 15:04:05", "2023-05-06 07:08:09.5", "2023-05-06T07:08:09.5Z"},
      {"2006-01-02 15:04:05", "2023-05-06 07:08:09,1234567891", "2023-05-06T07:08:09.123456789Z"},
      {"2006-01-02 15:04:05", "2023-05-06 07:08:09.", ""},
      {"2006-01-02 15:04:05 MST", "2023-05-06 07:08:09.25 GMT", "2023-05-06T07:08:09.25Z"},
      {"2006-01-02 15:04:05.000", "2023-05-06 07:08:09.010", "2023-05-06T07:08:09.01Z"},
      {"2006-01-02 15:04:05.000", "2023-05-06 07:08:09,010", "2023-05-06T07:08:09.01Z"},
      {"2006-01-02 15:04:05.000", "2023-05-06 07:08:09.01", ""},
      {"2006-01-02 15:04:05.000", "2023-05-06 07:08:09.0101", ""},
      {"2006-01-02 15:04:05.000", "2023-05-06 07:08:09", ""},
      {"2006-01-02 15:04:05.999", "2023-05-06 07:08:09", "2023-05-06T07:08:09Z"},
      {"2006-01-02 15:04:05.999", "2023-05-06 07:08:09.123456", "2023-05-06T07:08:09.123456Z"},
      {"2006-01-02 15:04:05,000", "2023-05-06 07:08:09,999", "2023-05-06T07:08:09.999Z"},
  })));
}

TEST_CASE("time format: offsets", "[time]") {
  Check(GENERATE(values<Case>({
      {"2006-01-02 15:04 -0700", "2023-05-06 07:08 +0530", "2023-05-06T01:38:00Z"},
      {"2006-01-02 15:04 -07:00", "2023-05-06 07:08 -05:30", "2023-05-06T12:38:00Z"},
      {"2006-01-02 15:04 -07", "2023-05-06 07:08 +02", "2023-05-06T05:08:00Z"},
      {"2006-01-02 15:04 -070000", "2023-05-06 07:08 +005328", "2023-05-06T06:14:32Z"},
      {"2006-01-02 15:04 -07:00:00", "2023-05-06 07:08 +00:53:28", "2023-05-06T06:14:32Z"},
      {"2006-01-02 15:04 -0700", "2023-05-06 07:08 Z", ""},
      {"2006-01-02 15:04 Z0700", "2023-05-06 07:08 Z", "2023-05-06T07:08:00Z"},
      {"2006-01-02 15:04 Z07:00", "2023-05-06 07:08 +01:00", "2023-05-06T06:08:00Z"},
      {"2006-01-02 15:04 Z07:00", "2023-05-06 07:08 +0100", ""},
      {"2006-01-02 15:04 -0700", "2023-05-06 07:08 +2500", ""},
      {"2006-01-02 15:04 -0700", "2023-05-06 07:08 +0000", "2023-05-06T07:08:00Z", "Asia/Tokyo"},
  })));
}

TEST_CASE("time format: zone names", "[time]") {
  Check(GENERATE(values<Case>({
      {"2006-01-02 15:04 MST", "2023-07-01 12:00 CEST", "2023-07-01T10:00:00Z", "Europe/Paris"},
      {"2006-01-02 15:04 MST", "2023-07-01 12:00 PST", "2023-07-01T12:00:00Z", "Europe/Paris"},
      {"2006-01-02 15:04 MST", "2023-01-01 12:00 CEST", "2023-01-01T10:00:00Z", "Europe/Paris"},
      {"2006-01-02 15:04 MST", "2023-07-01 12:00 UTC", "2023-07-01T12:00:00Z", "Europe/Paris"},
      {"2006-01-02 15:04 MST", "2023-07-01 12:00 GMT+3", "2023-07-01T12:00:00Z"},
      {"2006-01-02 15:04 MST", "2023-07-01 12:00 GMT+24", ""},
      {"2006-01-02 15:04 MST", "2023-07-01 12:00 +03", "2023-07-01T12:00:00Z"},
      {"2006-01-02 15:04 MST", "2023-07-01 12:00 ChST", "2023-07-01T12:00:00Z"},
      {"2006-01-02 15:04 MST", "2023-07-01 12:00 WITA", "2023-07-01T12:00:00Z"},
      {"2006-01-02 15:04 MST", "2023-07-01 12:00 AB", ""},
      {"2006-01-02 15:04 MST", "2023-07-01 12:00 ABCD", ""},
      {"2006-01-02 15:04 MST", "2023-07-01 12:00 ABCDT", "2023-07-01T12:00:00Z"},
      {"2006-01-02 15:04 MST", "2023-07-01 12:00 cest", ""},
      {"2006-01-02 15:04 MST", "2007-08-30 10:39 IST", "2007-08-30T09:39:00Z", "Europe/Dublin"},
  })));
}

TEST_CASE("time format: texts without an offset are in the location", "[time]") {
  Check(GENERATE(values<Case>({
      {"2006-01-02 15:04:05.000", "2023-05-06 07:08:09.010", "2023-05-05T22:08:09.01Z",
       "Asia/Tokyo"},
      {"2006-01-02 15:04", "2024-01-15 12:00", "2024-01-15T11:00:00Z", "Europe/Berlin"},
      {"2006-01-02 15:04", "2024-07-15 12:00", "2024-07-15T10:00:00Z", "Europe/Berlin"},
      {"2006-01-02 15:04", "2024-03-31 02:30", "2024-03-31T01:30:00Z", "Europe/Berlin"},
      {"2006-01-02 15:04", "2024-10-27 02:30", "2024-10-27T01:30:00Z", "Europe/Berlin"},
      {"2006-01-02 15:04", "2024-03-31 01:59", "2024-03-31T00:59:00Z", "Europe/Berlin"},
      {"2006-01-02 15:04", "2024-03-31 03:00", "2024-03-31T01:00:00Z", "Europe/Berlin"},
      {"2006-01-02 15:04", "2024-03-10 02:30", "2024-03-10T06:30:00Z", "America/New_York"},
      {"2006-01-02 15:04", "2024-11-03 01:30", "2024-11-03T05:30:00Z", "America/New_York"},
      {"2006-01-02 15:04", "2070-07-01 12:00", "2070-07-01T10:00:00Z", "Europe/Berlin"},
      {"2006-01-02 15:04", "1890-01-01 12:00", "1890-01-01T11:06:32Z", "Europe/Berlin"},
      {"2006-01-02 15:04", "2024-01-15 12:00", "2024-01-15T12:00:00Z", "UTC"},
  })));
}

TEST_CASE("time format: layouts without a year take the one that fits now", "[time]") {
  Check(GENERATE(values<Case>({
      {"Jan _2 15:04:05", "Jun 14 10:00:00", "2024-06-14T10:00:00Z"},
      {"Jan _2 15:04:05", "Dec 31 23:59:59", "2023-12-31T23:59:59Z", "", "2024-01-01T00:00:05Z"},
      {"Jan _2 15:04:05", "Jan  1 00:00:01", "2025-01-01T00:00:01Z", "", "2024-12-31T23:59:59Z"},
      {"Jan _2 15:04:05", "Nov 30 00:00:00", "2024-11-30T00:00:00Z", "", "2024-01-01T00:00:05Z"},
      {"Jan _2 15:04:05", "Feb 29 10:00:00", "2024-02-29T10:00:00Z"},
      {"Jan _2 15:04:05", "Feb 29 10:00:00", "2023-03-01T10:00:00Z", "", "2023-06-01T00:00:00Z"},
      {"Jan _2 15:04:05", "Feb 30 10:00:00", ""},
      {"Jan _2 15:04:05", "Jun 14 10:00:00", "2024-06-14T08:00:00Z", "Europe/Berlin"},
      {"Jan _2 15:04:05 -0700", "Jun 14 10:00:00 +0300", "2024-06-14T07:00:00Z"},
      {"15:04", "10:20", "2024-01-01T10:20:00Z"},
  })));
}

TEST_CASE("time format: spaces in a layout stand for any number of them", "[time]") {
  Check(GENERATE(values<Case>({
      {"2006-01-02 15:04", "2023-05-06    07:08", "2023-05-06T07:08:00Z"},
      {"2006-01-02   15:04", "2023-05-06 07:08", "2023-05-06T07:08:00Z"},
      {"2006-01-02 15:04", "2023-05-0607:08", ""},
      {"2006-01-02 ", "2023-05-06", "2023-05-06T00:00:00Z"},
      {"2006-01-02", "2023-05-06 ", ""},
      {"2006-01-02", " 2023-05-06", ""},
      {"2006-01-02", "2023-05", ""},
  })));
}

TEST_CASE("time format: days are checked against their month", "[time]") {
  Check(GENERATE(values<Case>({
      {"2006-01-02", "2023-02-29", ""},
      {"2006-01-02", "2024-02-29", "2024-02-29T00:00:00Z"},
      {"2006-01-02", "1900-02-29", ""},
      {"2006-01-02", "2000-02-29", "2000-02-29T00:00:00Z"},
      {"2006-01-02", "2023-04-31", ""},
      {"2006-01-02", "2023-04-00", ""},
      {"2006-01-02", "2023-13-01", ""},
      {"2006-01-02 15:04:05", "2023-04-01 24:00:00", ""},
      {"2006-01-02 15:04:05", "2023-04-01 23:60:00", ""},
      {"2006-01-02 15:04:05", "2023-04-01 23:59:60", ""},
  })));
}

TEST_CASE("time format: unix times", "[time][unix]") {
  struct UnixCase {
    std::string_view format;
    std::string_view text;
    std::optional<int64_t> want;
  };
  const auto c = GENERATE(values<UnixCase>({
      {"Unix", "1700000000", 1700000000 * kSecond},
      {"Unix", "+1700000000", 1700000000 * kSecond},
      {"Unix", "-5", -5 * kSecond},
      {"Unix", "1700000000.25", 1700000000 * kSecond + 250'000'000},
      {"Unix", "1700000001.000001", 1700000001 * kSecond + 1000},
      {"Unix", "1.0000000019", kSecond + 1},
      {"Unix", "-1.5", -kSecond / 2},
      {"Unix", "-0.5", kSecond / 2},
      {"Unix", "1.-5", kSecond - 50'000'000},
      {"Unix", "1.", std::nullopt},
      {"Unix", ".5", std::nullopt},
      {"Unix", "1.2.3", std::nullopt},
      {"Unix", "1e9", std::nullopt},
      {"Unix", " 1", std::nullopt},
      {"Unix", "", std::nullopt},
      {"Unix", "+-1", std::nullopt},
      {"Unix", "99999999999999999999", std::nullopt},
      {"Unix", "99999999999", std::numeric_limits<int64_t>::max()},
      {"UnixMs", "1700000000123", 1700000000 * kSecond + 123'000'000},
      {"UnixMs", "-1", -1'000'000},
      {"UnixMs", "1.5", std::nullopt},
      {"UnixUs", "1700000000123456", 1700000000 * kSecond + 123'456'000},
      {"UnixNs", "1700000000123456789", 1700000000 * kSecond + 123'456'789},
      {"UnixNs", "1700000000.1", std::nullopt},
  }));
  INFO(c.format << " " << c.text);
  const StoppedClock clock("2024-06-15T00:00:00Z");
  const auto local = Location::Utc();
  TimeFormat format(c.format, nullptr, *local, clock);

  CHECK(format.Parse(c.text) == c.want);
}

TEST_CASE("time format: tells layouts that mean nothing", "[time]") {
  const StoppedClock clock("2024-06-15T00:00:00Z");
  const auto local = Location::Utc();

  CHECK_FALSE(TimeFormat("yyyy-MM-dd", nullptr, *local, clock).has_elements());
  CHECK(TimeFormat("15:04", nullptr, *local, clock).has_elements());
  CHECK(TimeFormat("UnixMs", nullptr, *local, clock).has_elements());
}

TEST_CASE("location: an unknown zone is an error with the nearest spelling", "[time][location]") {
  const auto unknown = Location::Load("Europe/Berln");

  REQUIRE_FALSE(unknown.ok());
  CHECK(unknown.error().message ==
        "unknown time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?");
  CHECK_FALSE(Location::Load("../../etc/passwd").ok());
  CHECK_FALSE(Location::Load("/etc/localtime").ok());
  CHECK_FALSE(Location::Load("file:/etc/localtime").ok());
  CHECK_FALSE(Location::Load("Fixed/UTC+01:00:00").ok());
  CHECK(Location::Load("Local").ok());
}

TEST_CASE("layout: formats as Go does", "[time][layout]") {
  struct FormatCase {
    std::string_view layout;
    std::string_view want;
  };
  const auto c = GENERATE(values<FormatCase>({
      {"2006-01-02T15:04:05.000Z07:00", "2023-05-06T07:08:09.012Z"},
      {"Mon Monday Jan January 1 01", "Sat Saturday May May 5 05"},
      {"2 02 _2 002 __2 06", "6 06  6 126 126 23"},
      {"3 03 PM pm 4 04 5 05", "7 07 AM am 8 08 9 09"},
      {".999 ,000 .999999999", ".012 ,012 .012345"},
      {"MST -0700 Z07:00 -07 -07:00:00", "UTC +0000 Z +00 +00:00:00"},
  }));
  INFO(c.layout);
  ParsedTime time;
  time.unix_seconds = 1683356889;
  time.nanos = 12'345'000;

  std::string got;
  Layout(c.layout).Format(time, got);

  CHECK(got == c.want);
}

}  // namespace
}  // namespace agent
