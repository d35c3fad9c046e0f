// Changes lines of a YAML text and leaves all others, with their comments and order, as they are.
// Works on what is written in block style; what is not has no block, and is left alone.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config/problems.h"

namespace agent::convert {

// Lines from 1; `end` is the one behind the last.
struct LineRange {
  std::size_t begin = 0;
  std::size_t end = 0;
};

class TextEdits {
 public:
  explicit TextEdits(std::string_view text);

  // The lines of a key and of what stands below it, when the key begins its line.
  [[nodiscard]] std::optional<LineRange> BlockOf(const Place& key) const;
  // The lines of an item of a list whose first key this is: "- job_name: x" and what follows.
  [[nodiscard]] std::optional<LineRange> ItemOf(const Place& first_key) const;
  // Where the lines below a key of a block begin to stand: their column from 0. Two more than the
  // key's own when there is none.
  [[nodiscard]] std::size_t IndentBelow(const LineRange& block) const;

  void Remove(const LineRange& range);
  // With `reason` above it, as a comment as well.
  void CommentOut(const LineRange& range, std::string_view reason);
  // Whole lines, each ending with a newline. Above line `line`; behind the last line for more.
  void InsertAbove(std::size_t line, std::string_view text);
  // Puts `text` in the place of `length` bytes. At most once for each line.
  void Replace(const Place& place, std::size_t length, std::string_view text);
  // Moves lines to the right.
  void Indent(const LineRange& range, std::size_t columns);

  [[nodiscard]] std::size_t line_count() const { return lines_.size(); }
  [[nodiscard]] std::string Result() const;

 private:
  struct Line {
    std::string text;  // Without its newline.
    std::string above;
    bool removed = false;
    std::optional<std::size_t> comment;  // The column of its "# ", from 0.
  };

  [[nodiscard]] LineRange Until(std::size_t begin, std::size_t indent, bool list_below) const;

  std::vector<Line> lines_;
};

}  // namespace agent::convert
