#include "base/label_sets.h"

#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

namespace agent {

TEST_CASE("label sets: equal sets have one number", "[label_sets]") {
  LabelSets sets;

  const LabelSetId first = sets.Intern({{"a", "1"}, {"b", "2"}});
  const LabelSetId second = sets.Intern({{"b", "2"}, {"a", "1"}});

  CHECK(first == second);
  CHECK(first != kEmptyLabelSet);
  CHECK(sets.Text(first) == R"({a="1", b="2"})");
}

TEST_CASE("label sets: an empty value is a value, and absent is not", "[label_sets]") {
  LabelSets sets;

  const LabelSetId with = sets.With(kEmptyLabelSet, "a", "");

  CHECK(with != kEmptyLabelSet);
  CHECK(sets.Text(with) == R"({a=""})");
  CHECK(sets.Without(with, "a") == kEmptyLabelSet);
  CHECK(sets.Without(with, "b") == with);
}

TEST_CASE("label sets: a sweep forgets what is not pinned and gives the memory back",
          "[label_sets]") {
  LabelSets sets;
  const LabelSetId kept = sets.Intern({{"job", "kept"}});
  sets.Pin(kept);
  const std::size_t before = sets.memory_bytes();
  for (int i = 0; i < 1000; ++i)
    sets.Intern({{"job", "kept"}, {"id", std::to_string(i)}});
  const uint64_t epoch = sets.epoch();

  CHECK(sets.MostVaryingLabel() == "id");
  sets.Sweep();

  CHECK(sets.memory_bytes() == before);
  CHECK(sets.epoch() != epoch);
  CHECK(sets.Intern({{"job", "kept"}}) == kept);
  CHECK(sets.size() == 2);  // The empty one is always there.
}

TEST_CASE("label transition: sets labels, leaves those without a value, follows a sweep",
          "[label_sets]") {
  LabelSets sets;
  LabelTransition transition(sets, {"level", "app"});
  const LabelSetId start = sets.Intern({{"app", "web"}});
  sets.Pin(start);

  const std::vector<std::string_view> values = {"info", std::string_view()};
  CHECK(sets.Text(transition.Apply(start, values)) == R"({app="web", level="info"})");
  CHECK(transition.Apply(start, values) == transition.Apply(start, values));

  sets.Sweep();
  CHECK(sets.Text(transition.Apply(start, values)) == R"({app="web", level="info"})");
}

TEST_CASE("label transition: values that only join to the same text are told apart",
          "[label_sets]") {
  LabelSets sets;
  LabelTransition transition(sets, {"a", "b"});

  const std::vector<std::string_view> first = {"x", "yz"};
  const std::vector<std::string_view> second = {"xy", "z"};

  CHECK(transition.Apply(kEmptyLabelSet, first) != transition.Apply(kEmptyLabelSet, second));
}

}  // namespace agent
