// One rule of `relabel_configs`, as it was configured. What it does is in relabel.h.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace agent {

enum class RelabelAction : uint8_t {
  kReplace,
  kKeep,
  kDrop,
  kKeepEqual,
  kDropEqual,
  kHashMod,
  kLabelMap,
  kLabelDrop,
  kLabelKeep,
  kLowercase,
  kUppercase,
};

struct RelabelRule {
  std::vector<std::string> source_labels;  // None: the source text is empty.
  std::string separator = ";";
  std::string regex =
      "(.*)";                // Anchored on both sides, dot matches newline. Empty: the empty text.
  std::string target_label;  // May contain $1 for kReplace.
  std::string replacement = "$1";
  uint64_t modulus = 0;  // Above 0 for kHashMod.
  RelabelAction action = RelabelAction::kReplace;

  bool operator==(const RelabelRule&) const = default;
};

}  // namespace agent
