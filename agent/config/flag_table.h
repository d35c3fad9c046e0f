// Every flag in one table: what ParseFlags() knows, what -help shows, and what "did you mean" is
// made from.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "agent/config/flags.h"

namespace agent {

enum class FlagKind : uint8_t {
  kBool,
  kInspect,  // A switch that may also say how: text or json.
  kText,
  kInt,  // 0 or more, fits 32 bits.
  kPort,
  kFloat,
  kDuration,
  kSize,
  kLogLevel,
  kLogFormat,
  kPairs,  // k=v,k2=v2
};

enum class FlagGroup : uint8_t { kGeneral, kLog, kClient, kReading, kLimits, kServer, kIgnored };

struct FlagEntry {
  std::string_view name;  // Without dashes.
  FlagKind kind;
  FlagGroup group;
  std::string_view default_value;  // For -help; empty: none worth showing.
  std::string_view help;
  // At most one of both. `value` is valid for the kind.
  void (*set)(std::string_view value, Flags& flags);
  void (*apply)(std::string_view value, Config& config);
};

// In the order of -help.
std::span<const FlagEntry> AllFlags();

}  // namespace agent
