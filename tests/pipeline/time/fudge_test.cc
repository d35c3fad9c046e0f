#include "pipeline/time/fudge.h"

#include <optional>
#include <string>

#include <catch2/catch.hpp>

#include "base/label_sets.h"

namespace agent {
namespace {

LabelSetId SetOf(LabelSets& sets, const std::string& value) {
  return sets.With(kEmptyLabelSet, "app", value);
}

TEST_CASE("fudge: each failure is a nanosecond after the last time of its label set",
          "[time][fudge]") {
  LabelSets sets;
  FudgeTable table(sets);
  const LabelSetId a = SetOf(sets, "a");
  const LabelSetId b = SetOf(sets, "b");

  CHECK(table.Next(a) == std::nullopt);
  table.Remember(a, 100);
  table.Remember(b, 500);

  CHECK(table.Next(a) == 101);
  CHECK(table.Next(a) == 102);
  CHECK(table.Next(b) == 501);
  table.Remember(a, 50);  // Going back is allowed.
  CHECK(table.Next(a) == 51);
}

TEST_CASE("fudge: the least recently used label set is forgotten", "[time][fudge]") {
  LabelSets sets;
  FudgeTable table(sets, 2);
  const LabelSetId a = SetOf(sets, "a");
  const LabelSetId b = SetOf(sets, "b");
  const LabelSetId c = SetOf(sets, "c");
  table.Remember(a, 1);
  table.Remember(b, 2);
  CHECK(table.Next(a) == 2);  // Now b is the oldest.

  table.Remember(c, 3);

  CHECK(table.size() == 2);
  CHECK(table.Next(b) == std::nullopt);
  CHECK(table.Next(a) == 3);
  CHECK(table.Next(c) == 4);
}

TEST_CASE("fudge: label sets are known by their text across a sweep", "[time][fudge]") {
  LabelSets sets;
  FudgeTable table(sets);
  table.Remember(SetOf(sets, "a"), 100);
  table.Remember(SetOf(sets, "b"), 200);

  sets.Sweep();

  const LabelSetId b = SetOf(sets, "b");  // May get the number that a had.
  const LabelSetId a = SetOf(sets, "a");
  CHECK(table.Next(b) == 201);
  CHECK(table.Next(a) == 101);
}

TEST_CASE("fudge: a forgotten set is not found by its number", "[time][fudge]") {
  LabelSets sets;
  FudgeTable table(sets, 1);
  const LabelSetId a = SetOf(sets, "a");
  const LabelSetId b = SetOf(sets, "b");

  for (int i = 0; i < 3; ++i) {
    table.Remember(a, 10);
    table.Remember(b, 20);
    CHECK(table.Next(a) == std::nullopt);
    CHECK(table.Next(b) == 21);
  }
}

}  // namespace
}  // namespace agent
