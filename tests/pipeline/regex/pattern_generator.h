// Expressions and texts made by chance, for comparing engines.

#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/random.h"

namespace agent {

class PatternGenerator {
 public:
  explicit PatternGenerator(uint64_t seed) : random_(seed) {}

  // A valid expression most of the time.
  std::string Pattern() { return Alternation(3); }

  // Short, from the same alphabet; now and then with bytes that are no UTF-8.
  std::string Text() {
    constexpr std::array<std::string_view, 21> kAscii = {"a", "a", "b", "c",  "ab", " ",  "\n",
                                                         "k", "s", "K", "A",  "B",  "1",  "-",
                                                         "@", ".", "x", "\"", "_",  "\v", "]"};
    constexpr std::array<std::string_view, 9> kUnicode = {"é", "É", "ſ",        "K",           "日",
                                                          "α", "ü", "\xc2\x85", "\xef\xbf\xbd"};
    constexpr std::array<std::string_view, 5> kInvalid = {"\xff", "\xc3", "\xed\xa0\x80", "\x80",
                                                          "\xf0\x9f"};
    std::string text;
    const bool unicode = Below(2) == 0;
    const bool invalid = Below(4) == 0;
    for (std::size_t left = Below(16); left > 0; --left) {
      if (invalid && Below(4) == 0) {
        text += Pick(kInvalid);
      } else {
        text += unicode && Below(3) == 0 ? Pick(kUnicode) : Pick(kAscii);
      }
    }
    return text;
  }

 private:
  std::size_t Below(std::size_t n) { return random_.Next() % n; }
  template <std::size_t N>
  std::string Pick(const std::array<std::string_view, N>& choices) {
    return std::string(choices[Below(N)]);
  }

  std::string Alternation(int depth) {
    std::string pattern = Concatenation(depth);
    while (Below(4) == 0) {
      pattern += '|';
      if (Below(2) == 0) pattern += Concatenation(depth);
    }
    return pattern;
  }

  std::string Concatenation(int depth) {
    std::string pattern;
    for (std::size_t left = 1 + Below(4); left > 0; --left) {
      constexpr std::array<std::string_view, 10> kRepeats = {
          "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,2}?", "{2,}"};
      pattern += Atom(depth);
      if (Below(4) == 0) pattern += Pick(kRepeats);
    }
    return pattern;
  }

  std::string Atom(int depth) {
    constexpr std::array<std::string_view, 14> kLiterals = {"a", "b", "c", "ab", "bc",  "k", "s",
                                                            "é", "-", "@", " ",  "\\.", "K", "\\n"};
    constexpr std::array<std::string_view, 28> kClasses = {
        ".",          "\\d",          "\\w",    "\\s",         "\\S",
        "\\W",        "\\D",          "\\pL",   "\\PL",        "\\p{Lu}",
        "\\p{Greek}", "[abc]",        "[^a]",   "[a-c]",       "[^a-c ]",
        "[\\w-]",     "[\\s\\d]",     "[^\\W]", "[é-ü]",       "[a-zé]",
        "[^\\n]",     "[[:punct:]x]", "[]a]",   "[[:alpha:]]", "[[:^space:]]",
        "[\\pL_]",    "[k-s]",        "[a-]"};
    constexpr std::array<std::string_view, 6> kAssertions = {"^", "$", "\\b", "\\B", "\\A", "\\z"};
    constexpr std::array<std::string_view, 12> kRepeated = {
        "a*",   "b+",   "c?",        ".*",        ".+?",   "\\w+",
        "\\S+", "a{2}", "[ab]{1,3}", "\\Qa.b\\E", "\\x61", "\\x{e9}"};
    constexpr std::array<std::string_view, 9> kGroups = {
        "(", "(", "(?:", "(?P<n>", "(?i:", "(?s:", "(?m:", "(?U:", "(?i-s:"};
    constexpr std::array<std::string_view, 4> kFlags = {"(?i)", "(?m)", "(?s)", "(?U)"};
    switch (Below(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return Pick(kLiterals);
      case 4:
      case 5:
        return Pick(kClasses);
      case 6:
        return Pick(kAssertions);
      case 7:
        return Pick(kFlags) + Pick(kLiterals);
      case 8:
        return Pick(kRepeated);
      default:
        return depth == 0 ? "a" : Pick(kGroups) + Alternation(depth - 1) + ')';
    }
  }

  Random random_;
};

}  // namespace agent
