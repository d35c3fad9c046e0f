#include "agent/config/flag_groups.h"

#include <array>

namespace agent {
namespace {

constexpr std::array kGroups = std::to_array<FlagGroupTitle>({
    {FlagGroup::kGeneral, "General"},
    {FlagGroup::kLog, "Log of the agent itself"},
    {FlagGroup::kClient, "Client (better: `clients` in the configuration)"},
    {FlagGroup::kReading, "Reading"},
    {FlagGroup::kLimits, "Limits"},
    {FlagGroup::kServer, "HTTP server"},
});

}  // namespace

std::span<const FlagGroupTitle> AllFlagGroups() {
  return kGroups;
}

std::string_view ValueName(FlagKind kind) {
  switch (kind) {
    case FlagKind::kBool:
      return "";
    case FlagKind::kInspect:
      return "[=text|json]";
    case FlagKind::kInt:
    case FlagKind::kPort:
      return " N";
    case FlagKind::kFloat:
      return " NUMBER";
    case FlagKind::kDuration:
      return " DURATION";
    case FlagKind::kSize:
      return " SIZE";
    case FlagKind::kLogLevel:
      return " LEVEL";
    case FlagKind::kLogFormat:
      return " FORMAT";
    case FlagKind::kText:
      return " TEXT";
    case FlagKind::kPairs:
      return " PAIRS";
  }
  return "";
}

}  // namespace agent
