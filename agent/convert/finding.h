// What a conversion has to say about the configuration that it was given, key by key.
//
//   filebeat.yml:12:5: output.kafka: no equivalent: give the broker a consumer that ...

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/config/problems.h"

namespace agent::convert {

enum class FindingKind : uint8_t {
  kNoEquivalent,  // Not carried over, and something will be missing.
  kDiffers,       // Carried over, or not needed, and worth knowing.
  kNoEffect,      // Does nothing here, and nothing is missing without it.
  kDeprecated,    // Works; there is a better way to say it.
};

struct Finding {
  FindingKind kind = FindingKind::kDiffers;
  Place place;          // Line 0: a flag, or something that is not there.
  std::string key;      // "output.kafka"; may be empty.
  std::string message;  // What that means, what to do.
};

// Collects findings; says each of them once.
class Findings {
 public:
  void Add(FindingKind kind, const Place& place, std::string key, std::string message);

  // By place; those without one come first.
  [[nodiscard]] std::vector<Finding> Sorted() const;

 private:
  std::vector<Finding> all_;
};

struct Conversion {
  // Empty when the text could be read; else why not, ready to be printed.
  std::string error;
  std::string text;  // The new configuration.
  std::vector<Finding> findings;
};

// How many are of a kind.
std::size_t CountOf(const std::vector<Finding>& findings, FindingKind kind);

// A line each: "FILE:LINE:COLUMN: KEY: KIND: MESSAGE", and a last one with how many of each kind.
std::string FormatFindings(const std::string& file, const std::vector<Finding>& findings,
                           bool color);

}  // namespace agent::convert
