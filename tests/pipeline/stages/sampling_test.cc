// What only chance decides, and the errors of the configuration.

#include <cmath>
#include <string>

#include "base/random.h"
#include "pipeline/stages/stages.h"
#include "tests/pipeline/stages/stage_fixture.h"

namespace agent {
namespace {

std::string ProblemsOf(const std::string& yaml) {
  const StageFixture stage(MakeSamplingStage, yaml);
  return stage.problems();
}

bool Refused(const std::string& yaml) {
  const StageFixture stage(MakeSamplingStage, yaml);
  return !stage.built();
}

// Which of `count` lines are kept, as text: "+-+".
std::string Kept(const std::string& yaml, int count) {
  StageFixture stage(MakeSamplingStage, yaml);
  REQUIRE(stage.built());
  for (int i = 0; i < count; ++i)
    stage.Add("line");
  stage.Run();
  std::string kept(static_cast<std::size_t>(count), '-');
  for (const EntryIndex entry : stage.block().live())
    kept[entry] = '+';
  CHECK(stage.Dropped("sampling_stage") + stage.alive() == static_cast<std::size_t>(count));
  return kept;
}

}  // namespace

TEST_CASE("sampling: keeps about the share that was asked for, one by one", "[stages][sampling]") {
  const double rate = GENERATE(0.01, 0.25, 0.5, 0.9);
  constexpr int kLines = 20'000;

  const std::string kept = Kept("{rate: " + std::to_string(rate) + "}", kLines);

  // Five standard deviations, of the kept ones and of neighbours that are both kept.
  double both = 0;
  double one = 0;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (kept[i] == '-') continue;
    ++one;
    if (i > 0 && kept[i - 1] == '+') ++both;
  }
  CHECK(std::abs(one - kLines * rate) < 5 * std::sqrt(kLines * rate * (1 - rate)));
  const double pairs = rate * rate;
  CHECK(std::abs(both - kLines * pairs) < 7 * std::sqrt(kLines * pairs * (1 - pairs)));
}

TEST_CASE("sampling: the choice follows the generator that it was given", "[stages][sampling]") {
  // The fixture's generator is seeded with 1; the stage takes one number of it as its own seed.
  Random random(Random(1).Next());
  std::string want;
  for (int i = 0; i < 200; ++i)
    want += random.Uniform() < 0.3 ? '+' : '-';

  CHECK(Kept("{rate: 0.3}", 200) == want);
}

TEST_CASE("sampling: the bounds leave nothing to chance", "[stages][sampling]") {
  CHECK(Kept("{rate: 0}", 500) == std::string(500, '-'));
  CHECK(Kept("{rate: 1}", 500) == std::string(500, '+'));
}

TEST_CASE("sampling: a rate beyond the bounds is refused", "[stages][sampling]") {
  CHECK(ProblemsOf("{rate: 1.5}") == "stages[0].stage.rate: expected 0 to 1, got 1.5; \n");
  CHECK(ProblemsOf("{rate: -0.1}") == "stages[0].stage.rate: expected 0 to 1, got -0.1; \n");
  CHECK(ProblemsOf("{rate: .nan}") == "stages[0].stage.rate: expected 0 to 1, got .nan; \n");
  CHECK(Refused("{rate: 1.5}"));
}

TEST_CASE("sampling: a percentage is refused with the rate that was meant", "[stages][sampling]") {
  CHECK(ProblemsOf("{rate: 10%}") ==
        "stages[0].stage.rate: expected 0 to 1, got '10%'; write 0.1\n");
  CHECK(Refused("{rate: 10%}"));
  CHECK(ProblemsOf("{rate: ten%}") == "stages[0].stage.rate: expected a number, got 'ten%'; \n");
}

TEST_CASE("sampling: what is no number is refused", "[stages][sampling]") {
  CHECK(ProblemsOf("{rate: often}") == "stages[0].stage.rate: expected a number, got 'often'; \n");
  CHECK(ProblemsOf("{rate: [1]}") == "stages[0].stage.rate: expected a number, got a list; \n");
  CHECK(Refused("{rate: often}"));
  CHECK(Refused("[0.1]"));
}

TEST_CASE("sampling: a missing rate and unknown keys are warned of", "[stages][sampling]") {
  CHECK(ProblemsOf("{}") ==
        "stages[0].stage.rate: without a rate every line is dropped; give the share of lines to "
        "keep: rate: 0.1\n");
  CHECK_FALSE(Refused("{}"));
  CHECK(ProblemsOf("{rate: 0.5, rates: 1}") ==
        "stages[0].stage: unknown key 'rates' has no effect; did you mean 'rate'?\n");
  CHECK_FALSE(Refused("{rate: 0.5, rates: 1}"));
}

}  // namespace agent
