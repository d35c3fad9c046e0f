// What every stage counts: lines that went in, came out, and were dropped.

#include <string>

#include "tests/pipeline/stages/line_runner.h"

// clang-format off
#include <catch2/catch.hpp>
// clang-format on

namespace agent {
namespace {

// "drop 3-1-2": three in, one out, two dropped.
std::string Counted(const Pipeline& pipeline) {
  std::string text;
  for (const auto& stage : pipeline.stages()) {
    if (!text.empty()) text += ", ";
    text += stage->name + " " + std::to_string(stage->lines_in.value()) + "-" +
            std::to_string(stage->lines_out.value()) + "-" +
            std::to_string(stage->lines_dropped.value());
  }
  return text;
}

}  // namespace

TEST_CASE("stage statistics: lines in, out and dropped", "[stages]") {
  LineRunner runner(
      "- drop: {expression: noise}\n"
      "- match: {selector: '{a=\"1\"} |= \"x\"', stages: [{drop: {expression: 'x2'}}]}\n"
      "- match: {selector: '{a=\"1\"} |= \"gone\"', action: drop}\n"
      "- static_labels: {b: c}\n");
  REQUIRE(runner.built());
  runner.labels = Labels({{"a", "1"}});

  runner.Run({"noise", "x1", "x2", "gone", "noise"});
  runner.Run({"x3"});

  CHECK(Counted(runner.pipeline()) == "drop 6-4-2, match 4-3-1, match 3-2-1, static_labels 2-2-0");
}

TEST_CASE("stage statistics: what was kept back comes out later, and is not dropped", "[stages]") {
  LineRunner runner(
      "- multiline: {firstline: '^B'}\n"
      "- drop: {expression: B2}\n");
  REQUIRE(runner.built());

  runner.Run({"B1", "more", "B2", "more"});
  CHECK(Counted(runner.pipeline()) == "multiline 4-1-0, drop 1-1-0");

  runner.Flush(FlushReason::kEnd);
  CHECK(Counted(runner.pipeline()) == "multiline 4-2-0, drop 2-1-1");
}

}  // namespace agent
