#include "agent/pipeline_test/test_verdict.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "pipeline/time/rfc3339.h"

namespace agent {
namespace {

using Kind = DifferenceRow::Kind;

// Above this the work of finding the best pairs is no longer nothing.
constexpr std::size_t kMaxCompared = 4'000'000;

bool Same(const ExpectedEntry& expected, const TestEntry& got, Unmentioned unmentioned) {
  if (expected.has_extracted || unmentioned == Unmentioned::kForbidden) {
    return expected.entry == got;
  }
  TestEntry compared = got;
  compared.extracted.clear();
  return expected.entry == compared;
}

// Lengths of the longest common subsequences of what is left from (i, j) on.
class CommonLengths {
 public:
  CommonLengths(std::size_t rows, std::size_t columns)
      : columns_(columns + 1), lengths_((rows + 1) * columns_, 0) {}
  uint32_t& At(std::size_t i, std::size_t j) { return lengths_[i * columns_ + j]; }

 private:
  std::size_t columns_;
  std::vector<uint32_t> lengths_;
};

// What lies between two pairs that are the same: side by side as far as it goes.
void PairRest(std::size_t expected, std::size_t expected_end, std::size_t got, std::size_t got_end,
              std::vector<EntryPair>& pairs) {
  while (expected < expected_end || got < got_end) {
    EntryPair pair;
    if (expected < expected_end) pair.expected = expected++;
    if (got < got_end) pair.got = got++;
    pairs.push_back(pair);
  }
}

class Comparison {
 public:
  Comparison(const PipelineTest& test, const TestRun& run, Unmentioned unmentioned)
      : test_(test), run_(run), unmentioned_(unmentioned) {}

  std::vector<DifferenceRow> Compare() {
    CompareProblems();
    if (run_.problems.has_errors() || !test_.errors.empty()) return std::move(rows_);
    if (ExpectsNothing()) {
      Row(Kind::kHeading, "nothing is expected: give 'entries', 'metrics', 'errors' or 'warnings'");
      for (const TestEntry& entry : run_.entries)
        ShowEntry(Kind::kGot, entry);
      return std::move(rows_);
    }
    if (test_.entries) CompareEntries();
    if (test_.metrics || unmentioned_ == Unmentioned::kForbidden) CompareMetrics();
    return std::move(rows_);
  }

 private:
  void Row(Kind kind, std::string text) { rows_.push_back({kind, std::move(text)}); }

  // A test that cannot fail is none.
  [[nodiscard]] bool ExpectsNothing() const {
    return !test_.entries && !test_.metrics && test_.errors.empty() && test_.warnings.empty();
  }

  static std::string TextOf(const Problem& problem) {
    std::string text = problem.path.empty() ? "" : problem.path + ": ";
    text += problem.message;
    return problem.hint.empty() ? text : text + "; " + problem.hint;
  }

  static bool Mentions(const std::vector<std::string>& parts, const std::string& text) {
    return std::any_of(parts.begin(), parts.end(), [&text](const std::string& part) {
      return text.find(part) != std::string::npos;
    });
  }

  // An error that nobody expects, and a message that nobody has heard.
  void CompareProblems() {
    std::vector<std::string> errors;
    std::vector<std::string> warnings;
    for (const Problem& problem : run_.problems.all()) {
      (problem.severity == Severity::kError ? errors : warnings).push_back(TextOf(problem));
    }
    const bool unexpected = std::any_of(errors.begin(), errors.end(), [this](const auto& text) {
      return !Mentions(test_.errors, text);
    });
    if (unexpected) {
      Row(Kind::kHeading, test_.errors.empty() ? "the configuration has errors"
                                               : "the configuration has other errors");
      ShowProblems();
    }
    RequireMentioned("errors", test_.errors, errors);
    RequireMentioned("warnings", test_.warnings, warnings);
  }

  void ShowProblems() {
    const std::string text = run_.problems.Format(/*color=*/false);
    std::size_t begin = 0;
    while (begin < text.size()) {
      const std::size_t end = text.find('\n', begin);
      Row(Kind::kNote, text.substr(begin, end - begin));
      begin = end + 1;
    }
  }

  void RequireMentioned(const std::string& what, const std::vector<std::string>& parts,
                        const std::vector<std::string>& texts) {
    for (const std::string& part : parts) {
      const bool found = std::any_of(texts.begin(), texts.end(), [&part](const std::string& text) {
        return text.find(part) != std::string::npos;
      });
      if (found) continue;
      Row(Kind::kHeading, what);
      Row(Kind::kExpected, YamlText(part));
      for (const std::string& text : texts)
        Row(Kind::kGot, text);
    }
  }

  void CompareEntries() {
    for (const EntryPair& pair : PairEntries(*test_.entries, run_.entries, unmentioned_)) {
      if (pair.same) continue;
      if (pair.expected && pair.got) {
        const ExpectedEntry& expected = (*test_.entries)[*pair.expected];
        Row(Kind::kHeading, "entry " + std::to_string(*pair.expected + 1) + " (line " +
                                std::to_string(expected.place.line) + ")");
        CompareFields(expected, run_.entries[*pair.got]);
      } else if (pair.expected) {
        const ExpectedEntry& expected = (*test_.entries)[*pair.expected];
        Row(Kind::kHeading, "entry " + std::to_string(*pair.expected + 1) + " (line " +
                                std::to_string(expected.place.line) + ") did not come out");
        ShowEntry(Kind::kExpected, expected.entry);
      } else {
        Row(Kind::kHeading, "one more came out, as entry " + std::to_string(*pair.got + 1) +
                                " of " + std::to_string(run_.entries.size()));
        ShowEntry(Kind::kGot, run_.entries[*pair.got]);
      }
    }
  }

  void CompareFields(const ExpectedEntry& expected, const TestEntry& got) {
    const TestEntry& want = expected.entry;
    if (want.line != got.line) {
      Row(Kind::kExpected, "line: " + YamlText(want.line));
      Row(Kind::kGot, "line: " + YamlText(got.line));
    }
    if (want.timestamp_ns != got.timestamp_ns) {
      Row(Kind::kExpected, "timestamp: " + FormatRfc3339(want.timestamp_ns));
      Row(Kind::kGot, "timestamp: " + FormatRfc3339(got.timestamp_ns));
    }
    CompareValues("labels.", want.labels, got.labels);
    CompareValues("structured_metadata.", want.structured_metadata, got.structured_metadata);
    if (expected.has_extracted || unmentioned_ == Unmentioned::kForbidden) {
      CompareValues("extracted.", want.extracted, got.extracted);
    }
  }

  // Only what differs.
  void CompareValues(const std::string& prefix, const YamlValues& want, const YamlValues& got) {
    for (const auto& [name, value] : want) {
      const auto other = got.find(name);
      if (other != got.end() && other->second == value) continue;
      Row(Kind::kExpected, prefix + name + ": " + value);
      if (other != got.end()) Row(Kind::kGot, prefix + name + ": " + other->second);
    }
    for (const auto& [name, value] : got) {
      if (want.find(name) == want.end()) Row(Kind::kGot, prefix + name + ": " + value);
    }
  }

  void ShowEntry(Kind kind, const TestEntry& entry) {
    Row(kind, "line: " + YamlText(entry.line));
    if (entry.timestamp_ns != test_.start_ns) {
      Row(kind, "timestamp: " + FormatRfc3339(entry.timestamp_ns));
    }
    for (const auto& [name, value] : entry.labels)
      Row(kind, "labels." + name + ": " + value);
    for (const auto& [name, value] : entry.structured_metadata)
      Row(kind, "structured_metadata." + name + ": " + value);
  }

  void CompareMetrics() {
    const TestMetrics none;
    const TestMetrics& want = test_.metrics ? *test_.metrics : none;
    if (want == run_.metrics) return;
    Row(Kind::kHeading, "metrics");
    CompareValues("", want, run_.metrics);
  }

  const PipelineTest& test_;
  const TestRun& run_;
  const Unmentioned unmentioned_;
  std::vector<DifferenceRow> rows_;
};

}  // namespace

std::vector<EntryPair> PairEntries(const std::vector<ExpectedEntry>& expected,
                                   const std::vector<TestEntry>& got, Unmentioned unmentioned) {
  std::vector<EntryPair> pairs;
  std::size_t i = 0;
  std::size_t j = 0;
  // What is the same from the beginning needs no thought.
  while (i < expected.size() && j < got.size() && Same(expected[i], got[j], unmentioned)) {
    pairs.push_back({i++, j++, true});
  }
  const std::size_t rows = expected.size() - i;
  const std::size_t columns = got.size() - j;
  if (rows * columns > kMaxCompared) {
    PairRest(i, expected.size(), j, got.size(), pairs);
    for (EntryPair& pair : pairs) {
      pair.same =
          pair.expected && pair.got && Same(expected[*pair.expected], got[*pair.got], unmentioned);
    }
    return pairs;
  }
  CommonLengths common(rows, columns);
  for (std::size_t a = rows; a-- > 0;) {
    for (std::size_t b = columns; b-- > 0;) {
      common.At(a, b) = Same(expected[i + a], got[j + b], unmentioned)
                            ? common.At(a + 1, b + 1) + 1
                            : std::max(common.At(a + 1, b), common.At(a, b + 1));
    }
  }
  const std::size_t i0 = i;
  const std::size_t j0 = j;
  std::size_t next_i = i;
  std::size_t next_j = j;
  while (i < expected.size() && j < got.size()) {
    if (Same(expected[i], got[j], unmentioned)) {
      PairRest(next_i, i, next_j, j, pairs);
      pairs.push_back({i++, j++, true});
      next_i = i;
      next_j = j;
    } else if (common.At(i - i0 + 1, j - j0) >= common.At(i - i0, j - j0 + 1)) {
      ++i;
    } else {
      ++j;
    }
  }
  PairRest(next_i, expected.size(), next_j, got.size(), pairs);
  return pairs;
}

std::vector<DifferenceRow> CompareTest(const PipelineTest& test, const TestRun& run,
                                       Unmentioned unmentioned) {
  return Comparison(test, run, unmentioned).Compare();
}

}  // namespace agent
