// The first half of the compiler: puts the texts of patterns in place of references.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/convert_value.h"
#include "pipeline/grok/patterns.h"
#include "pipeline/grok/problem.h"

namespace agent {

class GrokExpander {
 public:
  // A reference with a field: the group that opens at that byte of the result.
  struct Reference {
    std::size_t opener = 0;
    std::string field;
    Conversion type = Conversion::kString;
    std::size_t source = 0;  // Where it stands in the expression; for those nested: the outermost.
    std::size_t length = 0;
    bool own = true;
  };
  struct SourceSpan {
    std::size_t begin = 0;
    std::size_t length = 0;
  };

  GrokExpander(const GrokPatterns& patterns, GrokProblem& problem)
      : patterns_(patterns), problem_(problem) {}

  // False after a problem. To be called once.
  bool Run(std::string_view text);

  // In RE2's dialect; groups of references have no names.
  [[nodiscard]] const std::string& result() const { return flat_; }
  [[nodiscard]] const std::vector<Reference>& references() const { return references_; }
  // Patterns that are not built in, each behind those that it refers to.
  [[nodiscard]] const std::vector<std::string>& used() const { return used_; }
  // Whether a byte of the result comes from a pattern that the expression refers to.
  [[nodiscard]] bool IsNested(std::size_t offset) const;
  // What of the expression a byte of the result comes from.
  [[nodiscard]] SourceSpan SourceOf(std::size_t offset) const;

 private:
  struct Cursor {
    std::string_view text;
    std::size_t at = 0;
    std::vector<std::size_t> open;  // Where groups begin that are not closed yet.

    [[nodiscard]] std::string_view rest() const { return text.substr(at); }
  };
  // A part of the result that comes from one place of the expression.
  struct Piece {
    std::size_t begin = 0;
    std::size_t end = 0;
    SourceSpan source;
    bool nested = false;
  };
  // The end of the result is `.` or `\S` with `*` or `+`, perhaps with parentheses around it.
  struct Loop {
    std::size_t edge = 0;   // Where the parentheses begin.
    std::size_t begin = 0;  // Where the atom begins.
    std::size_t atom_size = 0;
    bool at_least_once = false;
    bool lazy = false;
  };
  struct Parts {
    std::string_view name;
    std::string_view field;
    std::string_view type;
  };

  bool Expand(std::string_view text);
  bool Step(Cursor& cursor);
  void Emit(Cursor& cursor, std::size_t size, std::string_view replacement);
  void Copy(Cursor& cursor, std::size_t size) { Emit(cursor, size, cursor.rest().substr(0, size)); }
  void CopyAtom(Cursor& cursor, std::size_t size);
  void CopyRepetition(Cursor& cursor);
  bool CopyEscape(Cursor& cursor);
  bool CopyClass(Cursor& cursor);
  bool CopyOpening(Cursor& cursor);
  bool CopyFlags(Cursor& cursor);
  bool CopyClosing(Cursor& cursor);

  bool CopyReference(Cursor& cursor);
  bool ReadParts(const Cursor& cursor, std::size_t size, Parts& parts);
  bool OpenReference(const Cursor& cursor, std::size_t size, const Parts& parts);
  bool ExpandPattern(const Cursor& cursor, const Parts& parts, std::string_view text);
  [[nodiscard]] std::string_view NotAfter(const GrokPattern& pattern) const;
  void KeepLoopOff(std::string_view excluded);

  bool Fail(const Cursor& cursor, std::size_t position, std::size_t length, std::string message,
            std::string hint = {});

  const GrokPatterns& patterns_;
  GrokProblem& problem_;
  std::string flat_;
  std::vector<Reference> references_;
  std::vector<Piece> pieces_;
  std::vector<std::string> stack_;  // Patterns that are being expanded.
  std::vector<std::string> used_;
  SourceSpan outermost_;  // The reference of the expression that is being expanded.
  std::optional<Loop> loop_;
  std::optional<std::size_t> atom_;  // Where the `.` or `\S` begins that the result ends with.
  bool dot_is_everything_ = false;
};

}  // namespace agent
