// Finds personal data and secrets in a text and writes something else in their place.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/regex/go_regex.h"
#include "pipeline/redact/detector.h"
#include "pipeline/redact/keyed_hash.h"
#include "pipeline/redact/trigger_scanner.h"

namespace agent::redact {

// What stands in place of a value, cut at the `{hash}`es: the hash stands between two parts.
struct Replacement {
  std::vector<std::string> parts = {""};

  // `text` with `{detector}` and `{DETECTOR}` replaced by the name.
  static Replacement Parse(std::string_view text, const Detector& detector);
};

// A value that was found.
struct Match {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t detector = 0;  // Index in RedactorOptions::detectors.
};

struct RedactorOptions {
  std::vector<const Detector*> detectors;  // In the order of AllDetectors().
  std::vector<Replacement> replacements;   // One for each detector.
  std::string key;                         // For `{hash}`; empty where none has it.
  // Values that stay: exactly these texts, and what these expressions match as a whole.
  std::vector<std::string> allowed;
  std::vector<std::unique_ptr<GoRegex>> allowed_patterns;
};

// Used by one thread.
class Redactor {
 public:
  explicit Redactor(RedactorOptions options);
  // The options back, with all that they own.
  RedactorOptions Release() && { return std::move(options_); }

  // The values in `text`, which has kTextPadding readable bytes after it, in order; they do not
  // overlap: of several, the leftmost counts, then the longest, then the detector listed first.
  // Valid until the next call.
  std::span<const Match> Find(std::string_view text);
  // Writes `text` with a replacement for each value to `out`; false, and `out` is of no use, when
  // there is none. Of what was written nothing is found any more: a value may come to light once
  // another one, which it touched, is gone.
  bool Redact(std::string_view text, std::string& out);
  // The detector of each value that the last Redact() has replaced.
  [[nodiscard]] std::span<const std::size_t> replaced() const { return replaced_; }

  [[nodiscard]] const RedactorOptions& options() const { return options_; }

 private:
  [[nodiscard]] bool Stays(const Match& match, std::string_view value) const;
  void Resolve();
  void Replace(std::string_view text, std::string& out);

  RedactorOptions options_;
  const TriggerScanner scanner_;
  std::unique_ptr<KeyedHash> hash_;  // Null without a key.
  std::vector<Candidate> candidates_;
  std::vector<Match> matches_;
  std::vector<std::size_t> replaced_;
  std::string before_;
  std::string normalized_;
};

// Redacting twice must be as redacting once. The first detector whose replacement is found again,
// in the place of the detector's example; null when there is none.
const Detector* FirstUnstable(RedactorOptions& options);

}  // namespace agent::redact
