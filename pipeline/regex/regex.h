// Regular expressions for the hot path. The result is that of Go's regexp package, always: RE2
// decides what is valid and gives the bound; PCRE2's machine code, where it surely gives the same
// result, gives the speed. Groups that nobody reads are not captured, and a text that every match
// must contain is looked for first.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/config/field_reader.h"
#include "base/regex/go_regex.h"
#include "base/result.h"
#include "pipeline/regex/jit_program.h"
#include "pipeline/regex/literal.h"
#include "pipeline/regex/syntax.h"

namespace agent {

// Used by one thread: searching reuses memory.
class Regex {
 public:
  // As GoRegex::Compile: unanchored, kInvalid when Go would refuse the expression.
  static Result<std::unique_ptr<Regex>> Compile(std::string_view pattern,
                                                RegexProblem* problem = nullptr);
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;
  ~Regex();

  // By group number; [0] (the whole match) and unnamed groups are empty. A name may repeat: then
  // the last group of that name is the one that counts.
  [[nodiscard]] const std::vector<std::string>& group_names() const { return go_->group_names(); }
  // Without the whole match.
  [[nodiscard]] std::size_t group_count() const { return go_->group_count(); }
  [[nodiscard]] const std::string& pattern() const { return go_->pattern(); }

  // Says which groups searches shall report, by number and in which order; 0 is the whole match.
  // Until then it is all of them. The fewer, the faster.
  void Capture(std::vector<std::size_t> groups);
  [[nodiscard]] std::size_t captured() const { return captured_.size(); }

  // Whether there is a match anywhere in the text, which may be any bytes: an invalid one counts as
  // U+FFFD.
  bool Matches(std::string_view text);
  // The first match. `groups` has room for captured() spans, as offsets in `text`.
  bool Search(std::string_view text, std::span<TextSpan> groups);

  // All matches that do not overlap, by Go's rules: an empty match right after another one does not
  // count. `text` must stay valid until the last Next().
  //   regex.Begin(text);
  //   while (regex.Next(groups)) …
  void Begin(std::string_view text);
  bool Next(std::span<TextSpan> groups);

  // How often the step budget was used up and RE2 had to do it.
  [[nodiscard]] uint64_t gave_up() const { return gave_up_; }
  // Whether machine code runs it, at least for ASCII texts; for tests and for pages.
  [[nodiscard]] bool uses_jit();

 private:
  // How the bytes of a text are to be read.
  enum class Alphabet : uint8_t { kAscii, kUnicode };

  explicit Regex(std::unique_ptr<GoRegex> go);

  void Build();
  void SetSubject(std::string_view text);
  bool SearchSubject(std::size_t from);
  bool SearchRe2(std::size_t from);
  bool Rejected(std::string_view text);
  void CopyGroups(std::span<TextSpan> groups) const;

  std::unique_ptr<GoRegex> go_;
  std::optional<RegexNode> tree_;
  std::unique_ptr<GoRegex> pruned_;  // Captures only what is reported.
  std::unique_ptr<JitProgram> ascii_;
  std::unique_ptr<JitProgram> unicode_;
  std::optional<LiteralFinder> literal_;
  bool built_ = false;

  std::vector<std::size_t> captured_;       // What callers get: group numbers.
  std::vector<std::size_t> found_at_;       // Of each of them: its place in found_.
  std::vector<std::size_t> engine_groups_;  // Of each place in found_: the group's number.
  std::vector<TextSpan> found_;             // [0] is the whole match.
  std::vector<TextSpan> re2_groups_;

  // The text of the current search: the caller's, or a copy where that has invalid bytes.
  std::string_view subject_;
  Alphabet alphabet_ = Alphabet::kAscii;
  bool is_copy_ = false;
  SanitizedText copy_;

  // Begin() and Next().
  std::size_t next_ = 0;
  std::size_t previous_end_ = TextSpan::kNone;

  // After the budget was used up, RE2 does the next lines as well, ever more of them.
  uint64_t gave_up_ = 0;
  uint32_t rest_lines_ = 0;
  uint32_t backoff_ = 0;

  // Looking for the literal is given up for a while where nearly every line has it.
  uint32_t literal_seen_ = 0;
  uint32_t literal_rejected_ = 0;
  uint32_t literal_pause_ = 0;
};

// The expression in a field: null when the field is absent or after a problem, which has been
// reported.
std::unique_ptr<Regex> ReadRegex(FieldReader& fields, std::string_view key);
// The same for a field that must be there and not empty.
std::unique_ptr<Regex> ReadRequiredRegex(FieldReader& fields, std::string_view key);

}  // namespace agent
