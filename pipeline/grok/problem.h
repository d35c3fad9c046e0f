// What is wrong with a grok expression, and where in it.

#pragma once

#include <cstddef>
#include <string>

namespace agent {

struct GrokProblem {
  std::string pattern;  // The one in whose text it is; empty: the expression itself.
  std::string message;
  std::string hint;  // May be empty.
  // Bytes of that text. Length 0: all of it.
  std::size_t position = 0;
  std::size_t length = 0;
};

}  // namespace agent
