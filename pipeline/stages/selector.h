// The selector of a `match` stage: label matchers, then line filters, as LogQL writes them.
//
//   {app=~"api|web", env!="prod"} |= "error" !~ "status=2\\d\\d"
//
// A label that an entry lacks has the empty value. Expressions on labels must match all of the
// value; line filters look anywhere in the line. All of them must hold.

#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/labels.h"
#include "base/result.h"
#include "pipeline/regex/regex.h"

namespace agent {

// Used by one thread.
class Selector {
 public:
  // An error's message ends with where it is: "… at line 1, col 7"; `offset`, when not null, gets
  // the place in the text.
  static Result<std::unique_ptr<Selector>> Parse(std::string_view text,
                                                 std::size_t* offset = nullptr);

  bool MatchesLabels(const Labels& labels);
  bool MatchesLine(std::string_view line);
  [[nodiscard]] bool has_line_filters() const { return !filters_.empty(); }

 private:
  friend class SelectorParser;
  struct Condition {
    std::string name;  // Of a label; empty for line filters.
    bool negated = false;
    std::string text;  // What to compare with, when there is no expression.
    std::unique_ptr<Regex> regex;
  };

  std::vector<Condition> matchers_;
  std::vector<Condition> filters_;
};

}  // namespace agent
