// Puts environment variables into the text of a configuration (-config.expand-env), by the rules
// that Promtail has: only "${NAME}" and its forms with an operator, everywhere, comments included.
//
//   ${A}  ${A:-default}  ${A=default}  ${#A}  ${A^} ${A^^} ${A,} ${A,,}
//   ${A:start} ${A:start:length}  ${A#glob} ${A##glob} ${A%glob} ${A%%glob}
//   ${A/old/new} ${A//old/new} ${A/#old/new} ${A/%old/new}
//   $$ is $, \\ is \, \/ is /
//
// ${A:?x} and ${A:+x} mean the same as ${A:-x}: a quirk that configurations may rely on.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/environment.h"
#include "base/config/problems.h"

namespace agent {

class ExpandedText {
 public:
  [[nodiscard]] const std::string& text() const { return text_; }
  // Leads from a place in text() to the one in the original text: for what stands in a value, to
  // the
  // "${…}" that it came from.
  [[nodiscard]] Place Original(const Place& place) const;

 private:
  friend class EnvExpander;

  // Where a part of the text came from.
  struct Piece {
    std::size_t begin = 0;     // In the expanded text.
    std::size_t original = 0;  // In the original.
    std::size_t original_length = 0;
    bool verbatim = true;  // False: the value of a "${…}".
  };

  std::string text_;
  std::vector<Piece> pieces_;  // Ascending; the first begins at 0.
  std::vector<std::size_t> line_starts_;
  std::vector<std::size_t> original_line_starts_;
};

// Expands `text`. What is wrong is reported to `problems` (made for the original text), and stands
// in the result as it was written.
ExpandedText ExpandEnv(std::string_view text, const Environment& environment, Problems& problems);

}  // namespace agent
