#include "base/go_format.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include <catch2/catch.hpp>

namespace agent {
namespace {

using std::chrono::nanoseconds;

std::string Quoted(std::string_view text) {
  std::string out;
  AppendGoQuoted(text, out);
  return out;
}

std::string Float(double value) {
  std::string out;
  AppendGoFloat(value, out);
  return out;
}

TEST_CASE("go quote: escapes as strconv.Quote does", "[go_format]") {
  CHECK(Quoted("") == R"("")");
  CHECK(Quoted(R"(a"b\c)") == R"("a\"b\\c")");
  CHECK(Quoted("\a\b\f\n\r\t\v") == R"("\a\b\f\n\r\t\v")");
  CHECK(Quoted(std::string_view("\0\x1f\x7f", 3)) == R"("\x00\x1f\x7f")");
  CHECK(Quoted("\xff\xc3") == R"("\xff\xc3")");
}

TEST_CASE("go quote: printable runes stay, others become code points", "[go_format]") {
  CHECK(Quoted("\u00e9\u4e16\U0001F600\uFFFD") == "\"\u00e9\u4e16\U0001F600\uFFFD\"");
  CHECK(Quoted("\u00ad\u200b\ufeff\u00a0\u2028") == R"("\u00ad\u200b\ufeff\u00a0\u2028")");
  CHECK(Quoted("\U000E0001\U0010FFFF\uE000") == R"("\U000e0001\U0010ffff\ue000")");
}

TEST_CASE("go quote: the ends of the printable ranges", "[go_format]") {
  CHECK(Quoted("\u0377") == "\"\u0377\"");
  CHECK(Quoted("\u0378") == R"("\u0378")");
  CHECK(Quoted("\u037a") == "\"\u037a\"");
  CHECK(Quoted("\u038c") == "\"\u038c\"");
  CHECK(Quoted("\u038d") == R"("\u038d")");
  CHECK(Quoted("\U000323AF") == "\"\U000323AF\"");
  CHECK(Quoted("\U000323B0") == R"("\U000323b0")");
  CHECK(Quoted("\U000E01EF") == "\"\U000E01EF\"");
  CHECK(Quoted("\U000E01F0") == R"("\U000e01f0")");
}

TEST_CASE("go float: shortest digits without an exponent", "[go_format]") {
  CHECK(Float(0) == "0");
  CHECK(Float(-0.0) == "-0");
  CHECK(Float(100) == "100");
  CHECK(Float(0.1) == "0.1");
  CHECK(Float(-123456.789) == "-123456.789");
  CHECK(Float(1e23) == "100000000000000000000000");
  CHECK(Float(1.5e-7) == "0.00000015");
  CHECK(Float(std::numeric_limits<double>::max()) == "17976931348623157" + std::string(292, '0'));
  CHECK(Float(5e-324) == "0." + std::string(323, '0') + "5");
  CHECK(Float(std::numeric_limits<double>::infinity()) == "+Inf");
  CHECK(Float(-std::numeric_limits<double>::infinity()) == "-Inf");
  CHECK(Float(std::numeric_limits<double>::quiet_NaN()) == "NaN");
}

TEST_CASE("go float: the shortest form has an exponent where numbers get long", "[go_format]") {
  const auto [value, want] =
      GENERATE(table<double, std::string>({{0, "0"},
                                           {-1.5, "-1.5"},
                                           {999999, "999999"},
                                           {1e6, "1e+06"},
                                           {1234567, "1.234567e+06"},
                                           {0.0001, "0.0001"},
                                           {0.00001, "1e-05"},
                                           {0.1 + 0.2, "0.30000000000000004"},
                                           {-1e300, "-1e+300"},
                                           {INFINITY, "+Inf"},
                                           {NAN, "NaN"}}));
  std::string out;
  AppendGoShortest(value, out);

  CHECK(out == want);
}

TEST_CASE("go duration: what time.ParseDuration accepts", "[go_format]") {
  struct Case {
    const char* text;
    int64_t want;
  };
  const auto c = GENERATE(values<Case>({
      {"0", 0},
      {"-0", 0},
      {"+0", 0},
      {"1h30m", 5'400'000'000'000},
      {"-1.5s", -1'500'000'000},
      {"300ms", 300'000'000},
      {"1.s", 1'000'000'000},
      {".5s", 500'000'000},
      {"1us", 1'000},
      {"1\u00b5s", 1'000},
      {"1\u03bcs", 1'000},
      {"0.3333333333333333333h", 1'200'000'000'000},
      {"1.0000000000000000000000000001s", 1'000'000'000},
      {"9223372036854775807ns", std::numeric_limits<int64_t>::max()},
      {"-9223372036854775808ns", std::numeric_limits<int64_t>::min()},
      {"2562047h47m16.854775807s", std::numeric_limits<int64_t>::max()},
  }));
  INFO(c.text);
  const auto got = ParseGoDuration(c.text);
  REQUIRE(got.ok());
  CHECK(got->count() == c.want);
}

TEST_CASE("go duration: what it refuses, with what is expected", "[go_format]") {
  const char* text = GENERATE("", "-", "3", "1", "1d", ".s", "s", "9223372036854775808ns", "1e3s",
                              "1h-1m", "2562048h", "1s ", " 1s", "1.2.3s", "1m30");
  INFO(text);
  const auto got = ParseGoDuration(text);
  REQUIRE_FALSE(got.ok());
  CHECK(got.error().code == ErrorCode::kInvalid);
  CHECK_THAT(got.error().message, Catch::StartsWith("expected a duration such as 10s"));
}

TEST_CASE("go duration: written as Duration.String()", "[go_format]") {
  struct Case {
    int64_t nanos;
    const char* want;
  };
  const auto c = GENERATE(values<Case>({
      {0, "0s"},
      {1, "1ns"},
      {999, "999ns"},
      {1'000, "1\u00b5s"},
      {-1'500, "-1.5\u00b5s"},
      {1'500'000, "1.5ms"},
      {100'500'000, "100.5ms"},
      {1'000'000'000, "1s"},
      {60'000'000'000, "1m0s"},
      {90'000'000'000, "1m30s"},
      {3'600'000'000'000, "1h0m0s"},
      {3'601'500'000'000, "1h0m1.5s"},
      {std::numeric_limits<int64_t>::max(), "2562047h47m16.854775807s"},
      {std::numeric_limits<int64_t>::min(), "-2562047h47m16.854775808s"},
  }));
  CHECK(FormatGoDuration(nanoseconds(c.nanos)) == c.want);
}

TEST_CASE("prometheus duration: days and weeks, each unit once and in order", "[go_format]") {
  CHECK(ParsePrometheusDuration("0")->count() == 0);
  CHECK(*ParsePrometheusDuration("1d") == std::chrono::hours(24));
  CHECK(*ParsePrometheusDuration("2w3d") == std::chrono::hours(17 * 24));
  CHECK(*ParsePrometheusDuration("1y") == std::chrono::hours(365 * 24));
  CHECK(*ParsePrometheusDuration("1h30m5s250ms") == std::chrono::milliseconds(5'405'250));
  for (const char* text : {"0s", "5m", "1h30m5s250ms", "36h", "2d", "3w", "1y", "1m1s"}) {
    CHECK(FormatPrometheusDuration(*ParsePrometheusDuration(text)) == text);
  }
  const char* bad = GENERATE("", "1", "1.5h", "30m1h", "1h1h", "-1h", "1us", "h", "1 h", "300y");
  INFO(bad);
  CHECK_FALSE(ParsePrometheusDuration(bad).ok());
}

TEST_CASE("size: multiples of 1024 in any case", "[go_format]") {
  CHECK(*ParseSize("0") == 0);
  CHECK(*ParseSize("10b") == 10);
  CHECK(*ParseSize("8kb") == 8192);
  CHECK(*ParseSize("256KiB") == 262144);
  CHECK(*ParseSize("2M") == 2097152);
  CHECK(*ParseSize("1 GB") == uint64_t{1} << 30);
  CHECK(*ParseSize("15EB") == uint64_t{15} << 60);
  const char* bad =
      GENERATE("", "kb", "-1", "1.5MB", "1x", "1kbb", "1bb", "1bi", "16EB", "99999999999999999999");
  INFO(bad);
  CHECK_FALSE(ParseSize(bad).ok());
}

TEST_CASE("go parse float: what strconv.ParseFloat accepts", "[go_format]") {
  struct Case {
    const char* text;
    double want;
  };
  const auto c = GENERATE(values<Case>({
      {"1.5", 1.5},
      {".5", 0.5},
      {"5.", 5},
      {"+5", 5},
      {"-1e2", -100},
      {"1.e2", 100},
      {"1E+2", 100},
      {"0x1p4", 16},
      {"0x.8p1", 1},
      {"0X1.8P+1", 3},
      {"1e-400", 0},
      {"1_0", 10},
      {"0x_1p1", 2},
      {"0x1p-2000", 0},
      {"inf", std::numeric_limits<double>::infinity()},
      {"-Infinity", -std::numeric_limits<double>::infinity()},
  }));
  INFO(c.text);
  const auto got = ParseGoFloat(c.text);
  REQUIRE(got.ok());
  CHECK(*got == c.want);
}

TEST_CASE("go parse float: not a number is a number, its sign is not", "[go_format]") {
  CHECK(std::isnan(*ParseGoFloat("NaN")));
  CHECK_FALSE(ParseGoFloat("+nan").ok());
}

TEST_CASE("go parse float: what it refuses", "[go_format]") {
  const char* text = GENERATE("", "+", ".", "1e", "1e+", "1e400", "-1e400", " 1", "1 ", "1e5x",
                              "infi", "0x", "0xp1", "0x10", "0b1", "_1", "1_", "1__0", "1_.5",
                              "0_x1p1", "1e_5", "0x1p2000", "--1", "1.2.3");
  INFO(text);
  CHECK_FALSE(ParseGoFloat(text).ok());
}

}  // namespace
}  // namespace agent
