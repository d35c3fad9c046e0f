// Holds what came out of a test against what it says, and shows the difference.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/pipeline_test/test_file.h"
#include "agent/pipeline_test/test_run.h"

namespace agent {

// What a test does not mention.
enum class Unmentioned : uint8_t {
  kIgnored,    // Extracted values and metrics are compared where a test has some.
  kForbidden,  // Those that a test does not mention must not be there.
};

struct DifferenceRow {
  enum class Kind : uint8_t { kHeading, kNote, kExpected, kGot };

  Kind kind = Kind::kHeading;
  std::string text;
};

// An entry that was expected beside the one that came out in its place; one of them may be missing.
struct EntryPair {
  std::optional<std::size_t> expected;
  std::optional<std::size_t> got;
  bool same = false;
};

// In the order of the entries on both sides. As many as can be the same are beside one another.
std::vector<EntryPair> PairEntries(const std::vector<ExpectedEntry>& expected,
                                   const std::vector<TestEntry>& got, Unmentioned unmentioned);

// Empty: as expected.
std::vector<DifferenceRow> CompareTest(const PipelineTest& test, const TestRun& run,
                                       Unmentioned unmentioned);

}  // namespace agent
