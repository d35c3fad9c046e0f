#include "agent/convert/finding.h"

#include <catch2/catch.hpp>

namespace agent::convert {

using enum FindingKind;

TEST_CASE("findings: a line each, by place, with how many there are of each kind", "[convert]") {
  Findings findings;
  findings.Add(kDiffers, {7, 3, 1}, "b", "comes later");
  findings.Add(kNoEquivalent, {2, 5, 1}, "output.kafka", "is not spoken");
  findings.Add(kNoEffect, {}, "-flag", "does nothing");
  findings.Add(kNoEquivalent, {2, 5, 1}, "output.kafka", "is not spoken");

  CHECK(FormatFindings("f.yml", findings.Sorted(), /*color=*/false) ==
        "f.yml: -flag: no effect: does nothing\n"
        "f.yml:2:5: output.kafka: no equivalent: is not spoken\n"
        "f.yml:7:3: b: differs: comes later\n"
        "f.yml: 1 without equivalent, 1 to know, 1 without effect\n");
}

TEST_CASE("findings: none means that all was carried over", "[convert]") {
  CHECK(FormatFindings("f.yml", {}, /*color=*/false) == "f.yml: all of it is carried over\n");
}

TEST_CASE("findings: what comes from the file cannot move the cursor of a terminal", "[convert]") {
  const std::vector<Finding> findings = {{kDiffers, {1, 1, 1}, "a\x1b[2J", "b\n"}};

  CHECK(FormatFindings("f\r", findings, /*color=*/false) ==
        "f?:1:1: a?[2J: differs: b?\nf?: 1 to know\n");
}

TEST_CASE("findings: colours say how bad it is", "[convert]") {
  const std::vector<Finding> findings = {{kNoEquivalent, {1, 1, 1}, "k", "m"}};

  CHECK(FormatFindings("f", findings, /*color=*/true).find("\x1b[31mno equivalent:\x1b[0m") !=
        std::string::npos);
}

}  // namespace agent::convert
