// What each key of Promtail's configuration that is not the same here means: one table.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "agent/convert/finding.h"

namespace agent::convert {

enum class KeyAction : uint8_t {
  kKeep,
  kRemove,      // It says nothing here.
  kCommentOut,  // The configuration would not be accepted with it.
};

struct PromtailKey {
  // "scrape_configs[].kafka"; with a '*' at its end, all keys that begin so. A "**." in front: in
  // any place.
  std::string_view pattern;
  FindingKind kind;
  KeyAction action;
  std::string_view message;
};

// Null where there is nothing to say. `path` has "[]" in place of numbers.
const PromtailKey* FindPromtailKey(std::string_view path);

// Flags, by name without dashes; a '*' at the end as above.
struct PromtailFlag {
  std::string_view pattern;
  FindingKind kind;
  std::string_view message;
};
const PromtailFlag* FindPromtailFlag(std::string_view name);

}  // namespace agent::convert
