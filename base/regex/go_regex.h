// Go's regular expressions in linear time: RE2 with what differs put right. For the hot path there
// is pipeline/regex/regex.h, which stands on this.

#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/config/field_reader.h"
#include "base/regex/dialect.h"
#include "base/result.h"

namespace agent {

// What a group matched, as byte offsets.
struct TextSpan {
  static constexpr std::size_t kNone = ~std::size_t{0};
  std::size_t begin = kNone;
  std::size_t end = kNone;

  // The group took part in the match.
  [[nodiscard]] bool matched() const { return begin != kNone; }
  // Empty when it took no part.
  [[nodiscard]] std::string_view In(std::string_view text) const {
    return matched() ? text.substr(begin, end - begin) : std::string_view{};
  }
  bool operator==(const TextSpan&) const = default;
};

enum class RegexScope : uint8_t {
  kAnywhere,   // The match may begin and end anywhere.
  kWholeText,  // It must be the whole text, and `.` matches a newline too: relabelling.
};

// Immutable; any number of threads may match at once.
class GoRegex {
 public:
  // kInvalid with the message when Go would refuse the expression; `problem`, when given, then says
  // where it is wrong.
  static Result<std::unique_ptr<GoRegex>> Compile(std::string_view pattern,
                                                  RegexScope scope = RegexScope::kAnywhere,
                                                  RegexProblem* problem = nullptr);
  // The same expression where only the groups in `captured` (by number; [0] is not looked at) are
  // captured. The groups keep their numbers; those left out never match anything.
  [[nodiscard]] std::unique_ptr<GoRegex> WithGroups(const std::vector<bool>& captured) const;

  GoRegex(const GoRegex&) = delete;
  GoRegex& operator=(const GoRegex&) = delete;
  ~GoRegex();

  // By group number; [0] (the whole match) and unnamed groups are empty. Names may repeat.
  [[nodiscard]] const std::vector<std::string>& group_names() const { return names_; }
  // Without the whole match.
  [[nodiscard]] std::size_t group_count() const { return names_.size() - 1; }
  // As it was given.
  [[nodiscard]] const std::string& pattern() const { return pattern_; }

  // The leftmost match that begins at `from` or later; what stands before `from` is still seen by
  // `^` and `\b`. Fills as many groups as `groups` has room for, the whole match first. `text` must
  // be valid UTF-8: an invalid byte would not count as a character.
  bool Search(std::string_view text, std::size_t from, std::span<TextSpan> groups) const;
  // Like Search from 0, for any bytes: an invalid one counts as U+FFFD.
  bool SearchBytes(std::string_view text, std::span<TextSpan> groups) const;
  [[nodiscard]] bool Matches(std::string_view text) const { return SearchBytes(text, {}); }

  // Appends `replacement` with `$1`, `${1}`, `$name` and `${name}` replaced by what those groups
  // matched in `text`, by Go's rules: the longest run of letters, digits and `_` is the name,
  // unknown names are empty, `$$` is a dollar sign. `groups` holds all groups.
  void Expand(std::string_view replacement, std::string_view text, std::span<const TextSpan> groups,
              std::string& out) const;

 private:
  struct Engine;
  GoRegex();
  bool SearchOnce(std::string_view text, std::size_t from, std::span<TextSpan> groups) const;

  void AppendGroup(std::string_view name, std::string_view text, std::span<const TextSpan> groups,
                   std::string& out) const;

  std::string pattern_;
  GoPattern scanned_;
  RegexScope scope_ = RegexScope::kAnywhere;
  std::vector<std::string> names_;
  std::vector<std::size_t> engine_group_;  // By group number: RE2's number, or 0 when not captured.
  bool splits_runes_ = false;  // Has `\B`, which RE2 also finds between the bytes of a character.
  std::unique_ptr<Engine> engine_;
};

// A copy of a text with one U+FFFD for each invalid byte, and the way back.
class SanitizedText {
 public:
  // Makes the copy; reuses memory.
  void Assign(std::string_view text);
  [[nodiscard]] std::string_view text() const { return copy_; }
  // The byte of the original text that stands at `offset` of the copy.
  [[nodiscard]] std::size_t ToOriginal(std::size_t offset) const;
  [[nodiscard]] TextSpan ToOriginal(const TextSpan& span) const;

 private:
  std::string copy_;
  std::vector<std::size_t> replaced_;  // Offsets in the copy, ascending, of what was a bad byte.
};

// Reports a bad expression at its value in a configuration; under the wrong part of it where the
// value stands in one line just as it is meant.
void ReportRegexProblem(FieldReader& fields, std::string_view key, const ConfigNode& value,
                        const RegexProblem& problem);

}  // namespace agent
