// The patterns that every grok expression may name without defining them: the names, meanings and
// fields are those that Logstash's users know, the expressions are our own, in RE2's dialect.

#pragma once

#include <span>
#include <string_view>

namespace agent {

struct BuiltinPattern {
  std::string_view name;
  std::string_view text;  // Refers to others as `%{NAME}` and `%{NAME:field}`.
  // What a character class would contain: a match does not begin right behind such a character, as
  // far as what stands before it in the expression could give it back. (`.*%{NUMBER:n}` is to find
  // 12.5, not its last digit.)
  std::string_view not_after = {};
};

// Both sorted by name. Numbers, words, addresses, paths, dates, syslog's parts:
std::span<const BuiltinPattern> BasicPatterns();
// Whole lines that well-known programs write, and their parts:
std::span<const BuiltinPattern> FormatPatterns();

}  // namespace agent
