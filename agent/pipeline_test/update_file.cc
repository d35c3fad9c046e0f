#include "agent/pipeline_test/update_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "agent/pipeline_test/yaml_entries.h"
#include "agent/tail/positions_file.h"

namespace agent {
namespace {

using Rows = std::vector<std::string>;

// Rows from `begin` up to and without `end`, counted from 0.
struct RowRange {
  std::size_t begin = 0;
  std::size_t end = 0;
};

Rows SplitRows(const std::string& text) {
  Rows rows;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    rows.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return rows;
}

std::size_t IndentOf(const std::string& row) {
  return std::min(row.find_first_not_of(' '), row.size());
}

bool IsBlank(const std::string& row) {
  return row.find_first_not_of(" \t\r") == std::string::npos;
}
bool IsComment(const std::string& row) {
  const std::size_t first = row.find_first_not_of(" \t");
  return first != std::string::npos && row[first] == '#';
}
// A "-" whose item begins in the next row.
bool IsLoneDash(const std::string& row) {
  const std::size_t first = row.find_first_not_of(" \t");
  return first != std::string::npos && row[first] == '-' &&
         row.find_first_not_of(" \t\r", first + 1) == std::string::npos;
}

class Updater {
 public:
  Updater(const PipelineTestFile& file, Unmentioned unmentioned)
      : file_(file), unmentioned_(unmentioned), rows_(SplitRows(file.text)) {
    for (const auto& [key, value] : file.root->pairs())
      starts_.push_back(RowOf(key.place()));
    for (const ConfigNode& test : file.root->Find("tests")->items())
      starts_.push_back(RowOf(test.place()));
  }

  Status Add(const TestUpdate& update) {
    const PipelineTest& test = *update.test;
    const Place& place = test.node->place();
    const std::string& row = rows_[RowOf(place)];
    if (place.column > row.size() || row[place.column - 1] == '{') {
      return Refuse(test, "it is written as {...}: give its keys rows of their own");
    }
    if (test.entries) {
      if (Status status = UpdateEntries(test, *update.run); !status) return status;
    } else if (!test.metrics) {
      AddEntries(test, *update.run);
    }
    const bool metrics_differ =
        test.metrics ? *test.metrics != update.run->metrics
                     : unmentioned_ == Unmentioned::kForbidden && !update.run->metrics.empty();
    if (!metrics_differ) return {};
    if (test.metrics) return UpdateMetrics(test, *update.run);
    AddMetrics(test, *update.run);
    return {};
  }

  std::string Text() {
    std::sort(edits_.begin(), edits_.end(), [](const Edit& a, const Edit& b) {
      return std::pair(a.range.begin, a.order) > std::pair(b.range.begin, b.order);
    });
    for (const Edit& edit : edits_) {
      const auto begin = rows_.begin() + static_cast<std::ptrdiff_t>(edit.range.begin);
      const auto at =
          rows_.erase(begin, rows_.begin() + static_cast<std::ptrdiff_t>(edit.range.end));
      rows_.insert(at, edit.rows.begin(), edit.rows.end());
    }
    std::string text;
    for (const std::string& row : rows_)
      text += row + "\n";
    if (!file_.text.ends_with('\n') && !text.empty()) text.pop_back();
    return text;
  }

 private:
  struct Edit {
    RowRange range;
    Rows rows;
    std::size_t order = 0;  // Of those at one place.
  };
  // Where a key and its value stand in the rows of a test.
  struct Block {
    RowRange range;          // Without the blank rows and comments behind it.
    std::string key_prefix;  // What stands before the key: indentation, or "  - ".
  };

  static std::size_t RowOf(const Place& place) { return place.line > 0 ? place.line - 1 : 0; }

  Status Refuse(const PipelineTest& test, const std::string& why) const {
    return Error{ErrorCode::kInvalid,
                 file_.path + ":" + std::to_string(test.line()) + ": cannot be updated: " + why};
  }

  // Where the test ends: the next test, or the next key of the file.
  [[nodiscard]] std::size_t EndOfTest(const PipelineTest& test) const {
    std::size_t end = rows_.size();
    for (const std::size_t start : starts_) {
      if (start > RowOf(test.node->place())) end = std::min(end, start);
    }
    return WithoutTail(RowOf(test.node->place()) + 1, end);
  }

  // Blank rows and comments at the end belong to what follows.
  [[nodiscard]] std::size_t WithoutTail(std::size_t begin, std::size_t end) const {
    while (end > begin &&
           (IsBlank(rows_[end - 1]) || IsComment(rows_[end - 1]) || IsLoneDash(rows_[end - 1]))) {
      --end;
    }
    return end;
  }

  // nullopt: the key does not stand there as the first thing of a row.
  [[nodiscard]] std::optional<Block> FindBlock(const PipelineTest& test,
                                               std::string_view key) const {
    Block block;
    const std::size_t first = RowOf(test.node->place());
    block.range.end = EndOfTest(test);
    const ConfigNode* found = nullptr;
    for (const auto& [name, value] : test.node->pairs()) {
      if (name.text() == key) found = &name;
    }
    if (found == nullptr) return std::nullopt;
    block.range.begin = RowOf(found->place());
    if (block.range.begin < first || block.range.begin >= block.range.end) return std::nullopt;
    for (const auto& [name, value] : test.node->pairs()) {
      const std::size_t row = RowOf(name.place());
      if (row > block.range.begin) block.range.end = std::min(block.range.end, row);
      if (row == block.range.begin && &name != found) return std::nullopt;
    }
    block.range.end = WithoutTail(block.range.begin + 1, block.range.end);
    block.key_prefix = rows_[block.range.begin].substr(0, found->place().column - 1);
    if (block.key_prefix.find_first_not_of(" -") != std::string::npos) return std::nullopt;
    return block;
  }

  // The rows of each part of a list or map that is written in rows, each with the comments above
  // it; nullopt when it is not. `places`: where the parts begin.
  [[nodiscard]] std::optional<std::vector<RowRange>> Parts(const Block& block,
                                                           const std::vector<Place>& places) const {
    std::vector<RowRange> parts;
    std::size_t earliest = block.range.begin + 1;
    for (const Place& place : places) {
      std::size_t begin = RowOf(place);
      if (begin < earliest || begin >= block.range.end) return std::nullopt;
      while (begin > earliest && (IsComment(rows_[begin - 1]) || IsLoneDash(rows_[begin - 1]))) {
        --begin;
      }
      if (!parts.empty()) parts.back().end = begin;
      parts.push_back({begin, block.range.end});
      earliest = RowOf(place) + 1;
    }
    return parts;
  }

  void Copy(const RowRange& range, Rows& rows) const {
    rows.insert(rows.end(), rows_.begin() + static_cast<std::ptrdiff_t>(range.begin),
                rows_.begin() + static_cast<std::ptrdiff_t>(range.end));
  }

  // The row with the key: as it is, with its comment, where the value stands in rows below.
  [[nodiscard]] std::string KeyRow(const Block& block, const std::string& key, bool value_below,
                                   const std::string& value) const {
    const std::string& row = rows_[block.range.begin];
    if (value_below && value.empty()) return row;
    std::string out = block.key_prefix + key + ":" + (value.empty() ? "" : " " + value);
    const std::size_t close = row.find_last_of("]}");
    const std::size_t comment = row.find(" #", close == std::string::npos ? 0 : close);
    const bool one_row = block.range.end == block.range.begin + 1;
    if (comment != std::string::npos && (value_below || one_row)) out += " " + row.substr(comment);
    return out;
  }

  void Replace(const RowRange& range, Rows rows) {
    const bool carriage_returns = !rows_.empty() && rows_[0].ends_with('\r');
    for (std::string& row : rows) {
      if (carriage_returns && !row.ends_with('\r')) row += '\r';
    }
    edits_.push_back({range, std::move(rows), edits_.size()});
  }

  Status UpdateEntries(const PipelineTest& test, const TestRun& run) {
    const std::vector<ExpectedEntry>& expected = *test.entries;
    const std::vector<EntryPair> pairs = PairEntries(expected, run.entries, unmentioned_);
    if (std::all_of(pairs.begin(), pairs.end(), [](const EntryPair& pair) { return pair.same; })) {
      return {};
    }
    const std::optional<Block> block = FindBlock(test, "entries");
    if (!block) return Refuse(test, "its 'entries' do not begin a row of their own");
    std::vector<Place> places;
    places.reserve(expected.size());
    for (const ExpectedEntry& entry : expected)
      places.push_back(entry.place);
    const auto parts = expected.empty() ? std::nullopt : Parts(*block, places);
    const std::size_t indent =
        parts ? IndentOf(rows_[RowOf(places[0])]) : block->key_prefix.size() + 2;
    const bool any_extracted = std::any_of(expected.begin(), expected.end(),
                                           [](const auto& entry) { return entry.has_extracted; });
    Rows rows = {KeyRow(*block, "entries", parts.has_value(), run.entries.empty() ? "[]" : "")};
    for (const EntryPair& pair : pairs) {
      if (!pair.got) continue;
      if (pair.same && parts) {
        Copy((*parts)[*pair.expected], rows);
        continue;
      }
      bool with_extracted = any_extracted;
      if (pair.expected) {
        with_extracted = expected[*pair.expected].has_extracted;
        // Its comments are still about it.
        if (parts) Copy({(*parts)[*pair.expected].begin, RowOf(places[*pair.expected])}, rows);
        if (IsLoneDash(rows.back())) rows.pop_back();
      }
      const TestEntry& got = run.entries[*pair.got];
      with_extracted =
          with_extracted || (unmentioned_ == Unmentioned::kForbidden && !got.extracted.empty());
      const Rows entry = EntryRows(got, test.start_ns, with_extracted, indent);
      rows.insert(rows.end(), entry.begin(), entry.end());
    }
    Replace(block->range, std::move(rows));
    return {};
  }

  Status UpdateMetrics(const PipelineTest& test, const TestRun& run) {
    const std::optional<Block> block = FindBlock(test, "metrics");
    if (!block) return Refuse(test, "its 'metrics' do not begin a row of their own");
    const ConfigNode& node = *test.node->Find("metrics");
    std::vector<Place> places;
    for (const auto& [name, value] : node.pairs())
      places.push_back(name.place());
    const auto parts = places.empty() ? std::nullopt : Parts(*block, places);
    const std::size_t indent =
        parts ? IndentOf(rows_[RowOf(places[0])]) : block->key_prefix.size() + 2;
    Rows rows = {KeyRow(*block, "metrics", parts.has_value(), run.metrics.empty() ? "{}" : "")};
    TestMetrics left = run.metrics;
    for (std::size_t i = 0; i < places.size(); ++i) {
      const std::string& name = node.pairs()[i].first.text();
      const auto got = left.find(name);
      if (got == left.end()) continue;
      if (parts && test.metrics->find(name)->second == got->second) {
        Copy((*parts)[i], rows);
      } else {
        if (parts) Copy({(*parts)[i].begin, RowOf(places[i])}, rows);
        rows.push_back(MetricRow(name, got->second, indent));
      }
      left.erase(got);
    }
    for (const auto& [name, value] : left)
      rows.push_back(MetricRow(name, value, indent));
    Replace(block->range, std::move(rows));
    return {};
  }

  // Behind the last row of the test.
  void AddRows(const PipelineTest& test, const std::string& head, Rows rows) {
    const std::size_t at = EndOfTest(test);
    rows.insert(rows.begin(), std::string(test.node->place().column - 1, ' ') + head);
    Replace({at, at}, std::move(rows));
  }

  void AddEntries(const PipelineTest& test, const TestRun& run) {
    const bool extracted = unmentioned_ == Unmentioned::kForbidden;
    Rows rows;
    for (const TestEntry& entry : run.entries) {
      const Rows own = EntryRows(entry, test.start_ns, extracted && !entry.extracted.empty(),
                                 test.node->place().column + 1);
      rows.insert(rows.end(), own.begin(), own.end());
    }
    AddRows(test, run.entries.empty() ? "entries: []" : "entries:", std::move(rows));
  }

  void AddMetrics(const PipelineTest& test, const TestRun& run) {
    Rows rows;
    for (const auto& [name, value] : run.metrics)
      rows.push_back(MetricRow(name, value, test.node->place().column + 1));
    AddRows(test, "metrics:", std::move(rows));
  }

  const PipelineTestFile& file_;
  const Unmentioned unmentioned_;
  Rows rows_;
  std::vector<std::size_t> starts_;  // Rows of the keys of the file, and of its tests.
  std::vector<Edit> edits_;
};

}  // namespace

Result<std::string> UpdateExpectations(const PipelineTestFile& file,
                                       const std::vector<TestUpdate>& updates,
                                       Unmentioned unmentioned) {
  Updater updater(file, unmentioned);
  for (const TestUpdate& update : updates) {
    if (Status status = updater.Add(update); !status) return std::move(status).error();
  }
  return updater.Text();
}

Status WriteTestFile(const std::string& path, const std::string& text) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  if (real == nullptr) return ErrnoError(errno, path);
  struct stat info {};
  if (::stat(real.get(), &info) != 0) return ErrnoError(errno, path);
  Status written = ReplaceFile(real.get(), text);
  if (written.ok() && ::chmod(real.get(), info.st_mode & 07777U) != 0) {
    return ErrnoError(errno, path);
  }
  return written;
}

}  // namespace agent
