#include <catch2/catch.hpp>

#include "tests/pipeline/stages/line_runner.h"

namespace agent {
namespace {

constexpr int64_t kSecond = 1683356889;  // 2023-05-06T07:08:09Z

}  // namespace

TEST_CASE("docker: the same whether Docker wrote the line or something else did",
          "[stages][docker]") {
  const std::string line = GENERATE(values<std::string>({
      R"({"log":"hi \"there\"\n","stream":"stdout","time":"2023-05-06T07:08:09.1Z"})",
      R"({"log":"hi \"there\"\n","stream":"stdout","attrs":{"tag":"x"},"time":"2023-05-06T07:08:09.1Z"})",
      R"({"log":"hi \"there\"\n","stream":"stdout","attrs":{"tag":["x"]},"time":"2023-05-06T07:08:09.1Z"})",
      R"({ "time" : "2023-05-06T07:08:09.1Z", "stream":"stdout", "log":"hi \u0022there\u0022\n" } )",
      R"({"log":"no","stream":"no","time":"no","log":"hi \"there\"\n","stream":"stdout","time":"2023-05-06T07:08:09.1Z"})",
  }));
  INFO(line);
  LineRunner runner("[docker: {}]");
  runner.labels = {{"app", "a"}};

  const auto out = runner.Run({line});

  REQUIRE(out.size() == 1);
  CHECK(out[0].line == "hi \"there\"\n");
  CHECK(out[0].labels == R"({app="a", stream="stdout"})");
  CHECK(out[0].timestamp_ns == kSecond * kNanosPerSecond + 100'000'000);
}

TEST_CASE("docker: lines that are no wrapper stay as they are", "[stages][docker]") {
  const std::string line = GENERATE(values<std::string>(
      {"plain text", "", "[1]", R"({"log":"cut)", R"({"log":"x","stream":"stdout")"}));
  INFO(line);
  LineRunner runner("[docker: ]");

  const auto out = runner.Run({line});

  REQUIRE(out.size() == 1);
  CHECK(out[0].line == line);
  CHECK(out[0].labels == "{}");
  CHECK(out[0].timestamp_ns == FakeClock::kStart);
}

TEST_CASE("docker: fields that are missing or of another type", "[stages][docker]") {
  LineRunner runner("[docker: {}]");

  const auto out = runner.Run({
      R"({"stream":"stderr","time":"2023-05-06T07:08:09Z"})",
      R"({"log":1.50,"stream":true,"time":5})",
      R"({"log":{"b":1,"a":2},"stream":null})",
      "{\"log\":\"x\",\"stream\":\"\xff\",\"time\":\"2023-05-06T07:08:09Z\"}",
      "null",
  });

  REQUIRE(out.size() == 5);
  CHECK(out[0].line == R"({"stream":"stderr","time":"2023-05-06T07:08:09Z"})");
  CHECK(out[0].labels == R"({stream="stderr"})");
  CHECK(out[0].timestamp_ns == kSecond * kNanosPerSecond);
  CHECK(out[1].line == "1.5");
  CHECK(out[1].labels == R"({stream="true"})");
  CHECK(out[2].line == R"({"a":2,"b":1})");
  CHECK(out[2].labels == "{}");
  CHECK(out[3].line == "x");
  CHECK(out[3].labels == "{}");
  CHECK(out[4].line == "null");
}

TEST_CASE("docker: without a time, one nanosecond after the last of the same labels",
          "[stages][docker]") {
  LineRunner runner("[docker: {}]");

  const auto out = runner.Run({
      R"({"log":"a","stream":"stdout","time":"2023-05-06T07:08:09Z"})",
      R"({"log":"b","stream":"stdout","time":"yesterday"})",
      R"({"log":"c","stream":"stderr","time":"yesterday"})",
      R"({"log":"d","stream":"stdout"})",
      "not docker",
  });

  CHECK(out[1].timestamp_ns == kSecond * kNanosPerSecond + 1);
  CHECK(out[2].timestamp_ns == FakeClock::kStart);
  CHECK(out[3].timestamp_ns == kSecond * kNanosPerSecond + 2);
  CHECK(out[4].timestamp_ns == FakeClock::kStart);
}

TEST_CASE("docker: on other lines, what was extracted before under its names counts",
          "[stages][docker]") {
  LineRunner runner(R"(
    - regex: {expression: '^(?P<timestamp>\S+) (?P<stream>\w+) (?P<output>.*)$'}
    - docker: {}
  )");
  INFO(runner.problems());
  REQUIRE(runner.built());

  const auto out = runner.Run({"2023-05-06T07:08:09Z left text"});

  CHECK(out[0].line == "text");
  CHECK(out[0].labels == R"({stream="left"})");
  CHECK(out[0].timestamp_ns == kSecond * kNanosPerSecond);
}

TEST_CASE("docker: on other lines, labels count as extracted", "[stages][docker]") {
  LineRunner runner("[docker: {}]");
  runner.labels = {{"output", "from the label"}};

  const auto out = runner.Run({"plain", R"({"log":"x"})"});

  CHECK(out[0].line == "from the label");
  CHECK(out[1].line == "x");
}

TEST_CASE("docker: later stages see what was extracted", "[stages][docker]") {
  LineRunner runner(R"(
    - docker: {}
    - labels: {was: timestamp, from: stream, text: output}
  )");

  const auto out = runner.Run({R"({"log":"x","stream":"stdout","time":"2023-05-06T07:08:09.1Z"})",
                               R"({"stream":"stderr"})"});

  CHECK(out[0].labels ==
        R"({from="stdout", stream="stdout", text="x", was="2023-05-06T07:08:09.1Z"})");
  CHECK(out[1].labels == R"({from="stderr", stream="stderr"})");
}

TEST_CASE("docker: a body is ignored", "[stages][docker]") {
  LineRunner runner("[docker: {something: else}]");
  CHECK(runner.built());
}

}  // namespace agent
