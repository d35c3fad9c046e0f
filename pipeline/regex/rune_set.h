// A set of characters, as a class in a regular expression describes it.

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace agent {

class RuneSet {
 public:
  struct Range {
    char32_t first = 0;
    char32_t last = 0;
  };
  static constexpr char32_t kMaxRune = 0x10FFFF;

  void Add(char32_t first, char32_t last) { ranges_.push_back({first, last}); }
  void Add(const RuneSet& other);
  void AddComplementOf(const RuneSet& other);
  // A general category such as "L" or "Lu"; `negated`: everything else.
  void AddCategory(std::string_view name, bool negated);
  // Adds the other case of what is in it. False when that needs Unicode tables, that is, for
  // anything beyond ASCII.
  bool FoldCase();
  void Negate() { negated_ = !negated_; }

  [[nodiscard]] bool negated() const { return negated_; }
  [[nodiscard]] bool has_categories() const { return !categories_.empty(); }
  // Sorted, neither overlapping nor touching. Before negation.
  [[nodiscard]] std::vector<Range> Ranges() const;
  // In PCRE2's form, before negation: "\p{L}\P{Nd}".
  [[nodiscard]] const std::string& categories() const { return categories_; }

 private:
  std::vector<Range> ranges_;
  std::string categories_;
  bool negated_ = false;
};

// \d, \s and \w as Go has them: ASCII only, and \s without the vertical tab. `name` is one of
// "dsw".
RuneSet PerlClass(char name);
// [:alpha:] and so on, by the name between the colons. Empty for an unknown one.
RuneSet PosixClass(std::string_view name);

}  // namespace agent
