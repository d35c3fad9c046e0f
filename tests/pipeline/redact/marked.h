// A text with each value that was found replaced by the name of its detector.

#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "pipeline/redact/redactor.h"
#include "tests/support/padded_text.h"

namespace agent::redact {

inline const Detector* ByName(std::string_view name) {
  for (const Detector& detector : AllDetectors()) {
    if (detector.name == name) return &detector;
  }
  return nullptr;
}

// Of these detectors; none: of all.
inline RedactorOptions OptionsFor(std::initializer_list<std::string_view> names,
                                  std::string_view replacement) {
  RedactorOptions options;
  for (const Detector& detector : AllDetectors()) {
    bool wanted = names.size() == 0;
    for (const std::string_view name : names)
      wanted = wanted || name == detector.name;
    if (!wanted) continue;
    options.detectors.push_back(&detector);
    options.replacements.push_back(Replacement::Parse(replacement, detector));
  }
  return options;
}

inline std::string Redacted(Redactor& redactor, std::string_view text) {
  const PaddedText padded(text);
  std::string out;
  return redactor.Redact(padded.view(), out) ? out : std::string(text);
}

inline std::string Marked(std::string_view text,
                          std::initializer_list<std::string_view> names = {}) {
  Redactor redactor(OptionsFor(names, "<{detector}>"));
  return Redacted(redactor, text);
}

struct MarkedCase {
  std::string text;
  std::string want;
};

// The cases that did not come out as wanted, for a message; empty when all did.
inline std::string Wrong(std::string_view detector, const std::vector<MarkedCase>& cases) {
  std::string wrong;
  for (const MarkedCase& one : cases) {
    const std::string got = Marked(one.text, {detector});
    if (got != one.want) wrong += one.text + "\n  wanted " + one.want + "\n  got    " + got + "\n";
  }
  return wrong;
}

// Texts in which the detector must find nothing.
inline std::string FoundIn(std::string_view detector, const std::vector<std::string>& texts) {
  std::vector<MarkedCase> cases;
  cases.reserve(texts.size());
  for (const std::string& text : texts)
    cases.push_back({text, text});
  return Wrong(detector, cases);
}

}  // namespace agent::redact
