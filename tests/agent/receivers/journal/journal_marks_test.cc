#include "agent/receivers/journal/journal_marks.h"

#include <string>

#include <catch2/catch.hpp>

namespace agent {

TEST_CASE("journal marks: the cursor of the last entry that is settled", "[journal]") {
  JournalMarks marks;
  CHECK(marks.Take(0).empty());
  marks.Add(10, "a");
  marks.Add(25, "b");
  marks.Add(30, "c");

  CHECK(marks.Take(9).empty());
  CHECK(marks.Take(29) == "b");
  CHECK(marks.Take(29).empty());
  CHECK(marks.Take(30) == "c");
  CHECK(marks.size() == 0);
}

TEST_CASE("journal marks: entries without a line are passed with the one before them",
          "[journal]") {
  JournalMarks marks;
  for (int i = 0; i < 100'000; ++i)
    marks.Add(0, "skipped" + std::to_string(i));
  CHECK(marks.size() == 1);
  CHECK(marks.Take(0) == "skipped99999");
  marks.Add(5, "line");
  marks.Add(5, "skipped");
  CHECK(marks.Take(4).empty());
  CHECK(marks.Take(5) == "skipped");
}

TEST_CASE("journal marks: they are bounded, and never ahead of what is settled", "[journal]") {
  JournalMarks marks;
  constexpr uint64_t kEntries = 1'000'000;
  for (uint64_t end = 1; end <= kEntries; ++end)
    marks.Add(end, std::to_string(end));
  CHECK(marks.size() <= JournalMarks::kMax);

  const std::string half = marks.Take(kEntries / 2);
  REQUIRE_FALSE(half.empty());
  CHECK(std::stoull(half) <= kEntries / 2);
  CHECK(std::stoull(half) > kEntries / 2 - 1000);
  CHECK(marks.Take(kEntries) == std::to_string(kEntries));
}

}  // namespace agent
