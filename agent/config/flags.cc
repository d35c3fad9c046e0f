#include "agent/config/flags.h"

#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/config/flag_table.h"
#include "agent/config/pairs.h"
#include "base/config/scalars.h"
#include "base/config/spelling.h"
#include "base/go_format.h"

namespace agent {
namespace {

constexpr std::string_view kSeeHelp = "Run with -help to get list of available parameters\n";

const FlagEntry* FindFlag(std::string_view name) {
  for (const FlagEntry& flag : AllFlags()) {
    if (flag.name == name) return &flag;
  }
  return nullptr;
}

// May stand without a value.
bool IsSwitch(FlagKind kind) {
  return kind == FlagKind::kBool || kind == FlagKind::kInspect;
}

bool IsIntegerUpTo(std::string_view text, uint64_t max) {
  uint64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && stop == text.data() + text.size() && number <= max;
}

bool IsNotNegative(const Result<double>& number) {
  return number.ok() && *number >= 0;
}
bool IsNotNegative(const Result<std::chrono::nanoseconds>& duration) {
  return duration.ok() && duration->count() >= 0;
}

bool IsLogLevel(std::string_view text) {
  LogLevel level = LogLevel::kInfo;
  return ParseLogLevel(text, level);
}

bool IsValid(FlagKind kind, std::string_view value) {
  switch (kind) {
    case FlagKind::kBool:
      return ParseGoBool(value).has_value();
    case FlagKind::kInspect:
      return value == "text" || value == "json" || ParseGoBool(value).has_value();
    case FlagKind::kText:
      return true;
    case FlagKind::kInt:
      return IsIntegerUpTo(value, std::numeric_limits<uint32_t>::max());
    case FlagKind::kPort:
      return IsIntegerUpTo(value, std::numeric_limits<uint16_t>::max());
    case FlagKind::kFloat:
      return IsNotNegative(ParseGoFloat(value));
    case FlagKind::kDuration:
      return IsNotNegative(ParseGoDuration(value));
    case FlagKind::kSize:
      return ParseSize(value).ok();
    case FlagKind::kLogLevel:
      return IsLogLevel(value);
    case FlagKind::kLogFormat:
      return value == "logfmt" || value == "json";
    case FlagKind::kPairs:
      return ParseLabelPairs(value).ok();
  }
  return false;
}

// What a value of this kind must be; `value` is not.
std::string WhatIsExpected(FlagKind kind, std::string_view value) {
  switch (kind) {
    case FlagKind::kBool:
      return "true or false";
    case FlagKind::kInspect:
      return "text, json, true or false";
    case FlagKind::kText:
      return "a text";
    case FlagKind::kInt:
      return "a whole number, 0 or more";
    case FlagKind::kPort:
      return "0 to 65535";
    case FlagKind::kFloat:
      return "a number, 0 or more";
    case FlagKind::kDuration:
      return "a duration such as 500ms, 10s, 1m30s";
    case FlagKind::kSize:
      return "a size such as 65536, 256KiB, 64MiB";
    case FlagKind::kLogLevel:
      return "debug, info, warn or error";
    case FlagKind::kLogFormat:
      return "logfmt or json";
    case FlagKind::kPairs:
      return "k=v,k2=v2: " + ParseLabelPairs(value).error().message;
  }
  return {};
}

std::string UnknownFlag(std::string_view name) {
  std::vector<std::string> names;
  for (const FlagEntry& flag : AllFlags())
    names.emplace_back(flag.name);
  std::string error = "flag provided but not defined: -" + std::string(name);
  const std::string nearest = NearestSpelling(name, names);
  if (!nearest.empty()) error += "; did you mean -" + nearest + "?";
  return error + "\n";
}

// Walks over the arguments; each step is a flag and its value.
class FlagParser {
 public:
  explicit FlagParser(std::span<const char* const> arguments) : arguments_(arguments) {}

  ParsedFlags Parse() {
    while (next_ < arguments_.size() && parsed_.error.empty()) {
      const std::string_view argument = arguments_[next_++];
      if (argument == "--") break;
      if (argument.size() < 2 || argument[0] != '-') {
        --next_;
        break;
      }
      Take(argument);
    }
    if (parsed_.error.empty() && next_ < arguments_.size()) RefuseArgument();
    if (!parsed_.error.empty()) parsed_.error += kSeeHelp;
    return std::move(parsed_);
  }

 private:
  void Take(std::string_view argument) {
    std::string_view name = argument.substr(argument.starts_with("--") ? 2 : 1);
    const std::size_t equals = name.find('=');
    std::optional<std::string_view> value;
    if (equals != std::string_view::npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    }
    if (name.empty() || name[0] == '-') {
      parsed_.error = "bad flag syntax: " + std::string(argument) + "\n";
      return;
    }
    const FlagEntry* flag = FindFlag(name);
    if (flag == nullptr) {
      parsed_.error = UnknownFlag(name);
      return;
    }
    last_ = flag;
    if (!value && IsSwitch(flag->kind)) value = "true";
    if (!value && next_ < arguments_.size()) value = arguments_[next_++];
    if (!value) {
      parsed_.error = "flag needs an argument: -" + std::string(name) + "\n";
      return;
    }
    Set(*flag, *value);
  }

  void Set(const FlagEntry& flag, std::string_view value) {
    if (!IsValid(flag.kind, value)) {
      parsed_.error = "invalid value \"" + std::string(value) + "\" for flag -" +
                      std::string(flag.name) + ": expected " + WhatIsExpected(flag.kind, value) +
                      "\n";
      return;
    }
    if (flag.set != nullptr) flag.set(value, parsed_.flags);
    parsed_.flags.given.insert_or_assign(std::string(flag.name), std::string(value));
  }

  void RefuseArgument() {
    const std::string_view argument = arguments_[next_];
    parsed_.error = "unexpected argument: " + std::string(argument);
    if (last_ != nullptr && IsSwitch(last_->kind) && IsValid(last_->kind, argument)) {
      parsed_.error += "; a switch takes its value behind '=': -" + std::string(last_->name) + "=" +
                       std::string(argument);
    }
    parsed_.error += "\n";
  }

  std::span<const char* const> arguments_;
  std::size_t next_ = 0;
  const FlagEntry* last_ = nullptr;
  ParsedFlags parsed_;
};

}  // namespace

std::optional<std::string> Flags::Value(std::string_view name) const {
  const auto found = given.find(name);
  if (found == given.end()) return std::nullopt;
  return found->second;
}

ParsedFlags ParseFlags(std::span<const char* const> arguments) {
  return FlagParser(arguments).Parse();
}

void ApplyFlags(const Flags& flags, Config& config) {
  for (const FlagEntry& flag : AllFlags()) {
    if (flag.apply == nullptr) continue;
    if (const auto value = flags.Value(flag.name)) flag.apply(*value, config);
  }
}

std::string VersionText() {
  return "agent, version " AGENT_VERSION
         "\n"
         "  compiler: " __VERSION__ "\n";
}

bool UseColor(const Flags& flags, int fd, const Environment& environment) {
  if (flags.color != ColorMode::kAuto) return flags.color == ColorMode::kAlways;
  if (!environment("NO_COLOR").value_or("").empty()) return false;
  if (environment("TERM").value_or("") == "dumb") return false;
  return ::isatty(fd) == 1;
}

}  // namespace agent
