#include "agent/modes/setup.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/config/environment.h"
#include "agent/config/flags.h"
#include "agent/config/loader.h"
#include "agent/runtime/output_options.h"
#include "agent/stage_check.h"
#include "base/clock.h"
#include "base/http/http_url.h"
#include "base/log.h"
#include "base/loop.h"
#include "outputs/elasticsearch/setup_runner.h"

namespace agent {
namespace {

using elasticsearch::SetupNote;
using elasticsearch::SetupRunner;

constexpr std::string_view kHelp =
    "Usage: agent setup -config.file FILE [-output NAME] [flags]\n"
    "\n"
    "Makes the index templates, lifecycle policies and aliases that `setup` of Elasticsearch\n"
    "outputs describes, and says what was made, what existed and what was refused.\n"
    "\n"
    "  -output NAME  this output alone\n"
    "\n"
    "The other flags are those of the agent: agent -help\n"
    "\n"
    "Exit codes:\n"
    "  0  all is there\n"
    "  1  something is not, or the configuration is wrong\n"
    "  2  wrong flags\n";

struct SetupFlags {
  Flags flags;
  std::string output;  // Empty: all.
  std::string error;
};

// Takes -output out of the agent's own flags.
SetupFlags ParseSetupFlags(std::span<const char* const> arguments) {
  SetupFlags parsed;
  std::vector<const char*> others;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view argument = arguments[i];
    argument.remove_prefix(std::min<std::size_t>(argument.find_first_not_of('-'), 2));
    const bool dashed = arguments[i][0] == '-';
    if (dashed && argument.starts_with("output=")) {
      parsed.output = argument.substr(argument.find('=') + 1);
    } else if (dashed && argument == "output" && i + 1 < arguments.size()) {
      parsed.output = arguments[++i];
    } else {
      others.push_back(arguments[i]);
    }
  }
  ParsedFlags flags = ParseFlags(others);
  parsed.flags = std::move(flags.flags);
  parsed.error = std::move(flags.error);
  return parsed;
}

// One receiver after the other, until all have answered or it is given up.
class SetupRun {
 public:
  explicit SetupRun(Logger& logger) : logger_(logger) {}

  // False when something is not as it should be.
  bool Execute(const OutputConfig& output) {
    const ElasticsearchOptions options = ToElasticsearchOptions(output, "");
    SetupRunner runner(options, {loop_, clock_, logger_}, Random::FromSystem(),
                       SetupRunner::Mode::kOnce);
    // Not from within a callback of its own.
    runner.Start([this] { loop_.Post([this] { loop_.Stop(); }); });
    loop_.Run();
    Print(options, runner);
    return runner.last_error().empty() && !runner.setup().anything_failed();
  }

 private:
  static void Print(const ElasticsearchOptions& options, const SetupRunner& runner) {
    std::string text = options.name + ": ";
    if (!runner.last_error().empty()) {
      text += MaskedUrl(options.hosts.front()) + " does not answer: " + runner.last_error() + "\n";
    } else {
      text += runner.setup().receiver() + "\n";
    }
    for (const SetupNote& note : runner.setup().notes()) {
      text += "  " + std::string(note.what) + " " + note.name + ": " +
              std::string(OutcomeName(note.outcome));
      if (!note.detail.empty()) text += ": " + note.detail;
      text += "\n";
    }
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
  }

  Logger& logger_;
  SystemClock clock_;
  Loop loop_;
};

// Those that there is something to do for.
std::vector<const OutputConfig*> Chosen(const Config& config, const std::string& name) {
  std::vector<const OutputConfig*> chosen;
  for (const OutputConfig& output : config.outputs) {
    const bool has_setup = output.elasticsearch && output.elasticsearch->setup;
    if (has_setup && (name.empty() || output.name == name)) chosen.push_back(&output);
  }
  return chosen;
}

}  // namespace

int RunSetup(std::span<const char* const> arguments) {
  const SetupFlags parsed = ParseSetupFlags(arguments);
  if (!parsed.error.empty()) {
    std::fputs((parsed.error + "Run 'agent setup -help' for what there is\n").c_str(), stderr);
    return kExitFlags;
  }
  if (parsed.flags.help) {
    std::fwrite(kHelp.data(), 1, kHelp.size(), stdout);
    return kExitOk;
  }
  const Environment environment = ProcessEnvironment();
  const LoadedConfig loaded = LoadConfig(parsed.flags, CheckStages, environment);
  if (loaded.problems.has_errors()) {
    const bool color = UseColor(parsed.flags, STDERR_FILENO, environment);
    std::fputs(loaded.problems.Format(color).c_str(), stderr);
    return kExitError;
  }
  const std::vector<const OutputConfig*> chosen = Chosen(loaded.config, parsed.output);
  if (chosen.empty()) {
    const std::string which =
        parsed.output.empty() ? "no output has" : "there is no output '" + parsed.output + "' with";
    std::fputs((which + " a `setup`: nothing to do\n").c_str(), stderr);
    return kExitError;
  }
  std::signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c): there is no way for it to fail.
  Logger logger(STDERR_FILENO, LogLevel::kWarn, loaded.config.server.log_format);
  SetupRun run(logger);
  bool all_well = true;
  for (const OutputConfig* const output : chosen)
    all_well = run.Execute(*output) && all_well;
  return all_well ? kExitOk : kExitError;
}

}  // namespace agent
