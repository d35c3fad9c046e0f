// An expression compiled to machine code by PCRE2, with a bound on the work of one search.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/regex/go_regex.h"
#include "pipeline/regex/to_pcre.h"

namespace agent {

// Used by one thread.
class JitProgram {
 public:
  // `pattern` is from ToPcre, for the same alphabet; `groups` is how many it captures. Null when
  // PCRE2 cannot compile it or has no machine code for this machine.
  static std::unique_ptr<JitProgram> Compile(const std::string& pattern, PcreAlphabet alphabet,
                                             std::size_t groups);
  JitProgram(const JitProgram&) = delete;
  JitProgram& operator=(const JitProgram&) = delete;
  ~JitProgram();

  enum class Outcome : uint8_t {
    kMatch,
    kNoMatch,
    kGaveUp,  // Too many steps, or out of stack: another engine must tell.
  };
  // The leftmost match from `from` on. `groups` has room for the whole match and all captured
  // groups. `text` must fit the alphabet; that is not checked.
  Outcome Search(std::string_view text, std::size_t from, std::span<TextSpan> groups);

 private:
  struct Code;
  explicit JitProgram(std::unique_ptr<Code> code);

  std::unique_ptr<Code> code_;
};

}  // namespace agent
