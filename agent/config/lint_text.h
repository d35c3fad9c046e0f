// What lint.cc looks for in expressions and names, apart from where they stand.

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace agent {

// An expression where backslashes were doubled as in double quotes or in a program: '\\d+' is a
// backslash and the letter d.
struct DoubledBackslash {
  std::size_t position = std::string::npos;  // Of the first; npos: there is none.
  std::string single;                        // The expression as it was meant.
};
// `backslashes`: how many make one too many; 2, and 4 inside of a selector's strings.
DoubledBackslash FindDoubledBackslash(std::string_view expression, std::size_t backslashes);

// A `replace` stage replaces the group and keeps the text around it, so a replacement that has the
// text around it too gives it twice.
struct RepeatedText {
  bool found = false;
  std::string result;       // What comes out for any match.
  std::string replacement;  // What to write instead.
};
RepeatedText FindRepeatedText(std::string_view expression, std::string_view replacement);

// Names of groups of an expression that match a number without a bound, such as (?P<loss>[\d.]+).
std::vector<std::string> NumericGroups(std::string_view expression);

// Whether a field of this name has, nearly always, a new value with every line.
bool IsUnboundedName(std::string_view name);

}  // namespace agent
