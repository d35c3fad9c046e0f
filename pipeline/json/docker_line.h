// Takes the wrapper off a line of Docker's json-file log:
//
//   {"log":"GET / 200\n","stream":"stdout","time":"2023-05-06T07:08:09.1Z"}

#pragma once

#include <span>
#include <string_view>

#include "pipeline/arena.h"
#include "pipeline/json/unescape.h"

namespace agent {

struct DockerLine {
  std::string_view log;  // Unescaped, in the arena.
  std::string_view stream;
  std::string_view time;
};

// Knows the line as Docker writes it and nothing else: the fields in this order, "attrs" with plain
// strings between stream and time or not, no white space. With AVX-512 it is eight times as fast as
// the complete parser, with AVX2 three times (figures in unescape.cc).
class DockerUnwrapper {
 public:
  // With the fastest way that this processor has, or (for tests) with a given one.
  DockerUnwrapper() : DockerUnwrapper(UnescapeVariants().front().unescape) {}
  explicit DockerUnwrapper(UnescapeFunction unescape) : unescape_(unescape) {}

  // False for anything else: the complete parser must read it. `line` has kTextPadding readable
  // bytes after it. All three texts have as well.
  bool Unwrap(std::string_view line, Arena& arena, DockerLine& out) const;

 private:
  UnescapeFunction unescape_;
};

}  // namespace agent
