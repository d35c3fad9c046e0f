// Redacts the input with all detectors, masked and hashed: once or twice must give the same, valid
// UTF-8 must stay valid, and every variant of the scan must find the same places.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/utf8.h"
#include "pipeline/redact/redactor.h"
#include "tests/support/padded_text.h"

namespace {

using agent::PaddedText;
using agent::redact::AllDetectors;
using agent::redact::Candidate;
using agent::redact::Detector;
using agent::redact::Redactor;
using agent::redact::RedactorOptions;
using agent::redact::Replacement;
using agent::redact::TriggerScanner;

std::vector<const Detector*> Detectors() {
  std::vector<const Detector*> all;
  for (const Detector& detector : AllDetectors())
    all.push_back(&detector);
  return all;
}

Redactor MakeRedactor(std::string_view replacement, std::string_view key) {
  RedactorOptions options;
  options.detectors = Detectors();
  for (const Detector* const detector : options.detectors)
    options.replacements.push_back(Replacement::Parse(replacement, *detector));
  options.key = key;
  return Redactor(std::move(options));
}

std::string Redact(Redactor& redactor, std::string_view text) {
  const PaddedText padded(text);
  std::string out;
  return redactor.Redact(padded.view(), out) ? out : std::string(text);
}

void CheckStable(Redactor& redactor, std::string_view text) {
  const std::string once = Redact(redactor, text);
  CHECK(Redact(redactor, once) == once);
  if (agent::IsValidUtf8(text)) CHECK(agent::IsValidUtf8(once));
}

std::vector<std::pair<uint32_t, uint32_t>> Places(const TriggerScanner& scanner,
                                                  std::string_view text) {
  const PaddedText padded(text);
  std::vector<Candidate> found;
  scanner.Scan(padded.view(), found);
  std::vector<std::pair<uint32_t, uint32_t>> places;
  for (const Candidate& candidate : found)
    places.emplace_back(candidate.at, candidate.detector);
  std::sort(places.begin(), places.end());
  return places;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  static Redactor masks = MakeRedactor("<redacted:{detector}>", "");
  static Redactor hashes = MakeRedactor("<{detector}:{hash}>", "0123456789abcdef");
  static const TriggerScanner fast(Detectors());
  static const TriggerScanner portable(Detectors(), TriggerScanner::Variant::kPortable);
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  CheckStable(masks, input);
  CheckStable(hashes, input);
  CHECK(Places(fast, input) == Places(portable, input));
  return 0;
}
