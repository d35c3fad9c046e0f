// The command line, in the style of Go's flag package: -name value, -name=value, one dash or two,
// switches as -name or -name=false, "--" ends the flags. All of Promtail's flags are known, those
// that mean nothing here are accepted.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "agent/config/config.h"
#include "agent/config/environment.h"

namespace agent {

enum class ColorMode : uint8_t { kAuto, kAlways, kNever };
enum class InspectMode : uint8_t { kOff, kText, kJson };

// What is no part of the configuration, and everything that was given. Flags that stand for a value
// of the configuration are applied over it by LoadConfig().
struct Flags {
  std::string config_file;  // Comma-separated; the first that exists is loaded. Empty: none.
  bool expand_env = false;
  bool check_syntax = false;
  bool dry_run = false;
  InspectMode inspect = InspectMode::kOff;
  bool read_stdin = false;
  bool once = false;
  bool print_config_stderr = false;
  bool log_config_reverse_order = false;
  bool version = false;
  bool help = false;
  ColorMode color = ColorMode::kAuto;
  std::chrono::nanoseconds shutdown_timeout = std::chrono::seconds(5);

  // By name without dashes, as written; the last one wins. Values are valid for their kind.
  std::map<std::string, std::string, std::less<>> given;

  [[nodiscard]] bool Given(std::string_view name) const { return given.find(name) != given.end(); }
  [[nodiscard]] std::optional<std::string> Value(std::string_view name) const;
};

struct ParsedFlags {
  Flags flags;
  // What to print on standard error before exit(kExitFlags); empty when all is well. Ends with a
  // newline.
  std::string error;
};

// `arguments` without the program's name. Arguments that are no flags are an error: Promtail
// ignores them and everything behind them.
ParsedFlags ParseFlags(std::span<const char* const> arguments);

// Puts the flags that stand for a value over `config`. Not those that describe a client.
void ApplyFlags(const Flags& flags, Config& config);

// -version: "agent, version 0.1.0" and how it was built.
std::string VersionText();

// Whether to colour what goes to descriptor `fd`: -color and -no-color, else NO_COLOR, else whether
// it is a terminal.
bool UseColor(const Flags& flags, int fd, const Environment& environment);

// What the process exits with.
inline constexpr int kExitOk = 0;
inline constexpr int kExitError = 1;  // The configuration, or starting up.
inline constexpr int kExitFlags = 2;

}  // namespace agent
