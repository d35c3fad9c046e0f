// Texts of log lines as a terminal can show them: nothing in them moves the cursor or changes a
// colour, and what is too long is cut, with a note of its length.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace agent {

// The columns that a text takes on a terminal. Only for what these functions return, and ASCII.
std::size_t ColumnsOf(std::string_view text);

// Control characters, invisible characters and bytes that are not UTF-8 as escapes (\n, \x1b); cut
// to `columns` with its length: "GET /api ...(1834 bytes)". At least 30 columns are needed.
std::string ShowText(std::string_view text, std::size_t columns);

// The same in double quotes; in single ones where there are double quotes inside. Backslashes stay
// as they are.
std::string ShowQuoted(std::string_view text, std::size_t columns);

// Two versions of a text, cut so that what is different is seen.
struct ShownPair {
  std::string before;
  std::string after;
  // They begin alike, and at least half of the longer one is the same: not just another text.
  bool is_edit = false;
};
ShownPair ShowDifference(std::string_view before, std::string_view after, std::size_t columns);

// The end of a path or name that is too long: ".../app/current.log".
std::string ShowEnd(std::string_view text, std::size_t columns);

}  // namespace agent
