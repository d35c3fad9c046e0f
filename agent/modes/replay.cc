#include "agent/modes/replay.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/config/environment.h"
#include "agent/config/flags.h"
#include "agent/config/loader.h"
#include "agent/modes/dead_letter_file.h"
#include "agent/modes/replay_outputs.h"
#include "agent/runtime/label_values.h"
#include "agent/stage_check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/memory_budget.h"

namespace agent {
namespace {

constexpr std::string_view kHelp =
    "Sends again what receivers refused: the files of a dead letter.\n"
    "\n"
    "Usage: agent replay -config.file FILE [flags] DEAD_LETTER_FILE...\n"
    "\n"
    "Each entry goes to the output that had refused it. What is refused again is written to the\n"
    "dead letter again, to a new file. Files may be compressed with gzip.\n"
    "\n"
    "Flags:\n"
    "  -config.file FILE\n"
    "        The configuration with the outputs.\n"
    "  -config.expand-env\n"
    "        Expands ${VARIABLES} in it.\n"
    "  -output NAME\n"
    "        All entries go to this output.\n"
    "  -dry-run\n"
    "        Sends nothing; checks the files, and says what would go where.\n"
    "  -remove\n"
    "        Removes each file of which nothing is left to do.\n"
    "  -help\n"
    "        Print this and exit.\n"
    "\n"
    "Exit codes:\n"
    "  0  all entries were delivered\n"
    "  1  some were refused again, or not sent, or a line is damaged\n"
    "  2  wrong flags\n";

constexpr std::size_t kMemoryBytes = std::size_t{24} << 20;
constexpr std::size_t kLinesAtOnce = 2'000;
constexpr std::chrono::milliseconds kTick{20};
constexpr int64_t kProgressNs = 250 * kNanosPerMilli;
constexpr int64_t kPlainProgressNs = 10 * kNanosPerSecond;

struct Options {
  std::vector<std::string> config_flags;
  bool has_config = false;
  std::optional<std::string> output;
  bool dry_run = false;
  bool remove = false;
  bool help = false;
  std::vector<std::string> files;
  std::string error;
};

// One flag. `value`: what was given with it.
void SetOption(std::string_view name, const std::optional<std::string>& value, Options& options) {
  const bool on = value.value_or("true") == "true";
  if (name == "config.file") {
    options.has_config = true;
    options.config_flags.push_back("-config.file=" + value.value_or(""));
  } else if (name == "config.expand-env") {
    options.config_flags.push_back("-config.expand-env=" + value.value_or("true"));
  } else if (name == "output") {
    options.output = value;
  } else if (name == "dry-run") {
    options.dry_run = on;
  } else if (name == "remove") {
    options.remove = on;
  } else if (name == "help" || name == "h") {
    options.help = true;
  } else {
    options.error = "there is no flag -" + std::string(name);
  }
}

Options ParseOptions(std::span<const char* const> arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size() && options.error.empty(); ++i) {
    const std::string_view argument = arguments[i];
    if (!argument.starts_with('-')) {
      options.files.emplace_back(argument);
      continue;
    }
    std::string_view name = argument.substr(argument.starts_with("--") ? 2 : 1);
    const std::size_t equals = name.find('=');
    std::optional<std::string> value;
    if (equals != std::string_view::npos) value = std::string(name.substr(equals + 1));
    name = name.substr(0, equals);
    const bool wants_value = name == "config.file" || name == "output";
    if (wants_value && !value && i + 1 < arguments.size()) value = arguments[++i];
    if (wants_value && !value) {
      options.error = "-" + std::string(name) + " needs a value";
    } else {
      SetOption(name, value, options);
    }
  }
  if (options.error.empty() && options.files.empty()) options.error = "no file to replay";
  if (options.error.empty() && !options.has_config) options.error = "-config.file is needed";
  return options;
}

class Replay {
 public:
  Replay(const Options& options, const Config& config, Logger& logger)
      : options_(options),
        logger_(logger),
        // Nothing is removed to make room: it might be what is being read.
        dead_letter_({config.dead_letter.path, std::numeric_limits<uint64_t>::max()}, clock_,
                     logger),
        terminal_(::isatty(STDERR_FILENO) == 1) {
    outputs_.emplace(config, dependencies_, dead_letter_);
  }

  int Execute() {
    if (options_.output && !outputs_->Find(*options_.output)) {
      std::fprintf(stderr, "there is no output called '%s' in the configuration\n",
                   options_.output->c_str());
      return kExitFlags;
    }
    std::vector<std::unique_ptr<SignalWatcher>> signals;
    for (const int number : {SIGINT, SIGTERM}) {
      signals.push_back(std::make_unique<SignalWatcher>(loop_, number, [this] {
        interrupted_ = true;
        loop_.Stop();
      }));
    }
    Timer tick(loop_);
    tick.StartRepeating(kTick, [this] { Tick(); });
    loop_.Run();
    tick.Stop();
    signals.clear();
    EndProgress();
    return Summarize();
  }

 private:
  struct FileState {
    std::unique_ptr<DeadLetterFile> file;  // Null: it could not be opened.
    uint64_t entries = 0;
    uint64_t failed_lines = 0;  // Damaged, or there is no output for them.
  };

  void Tick() {
    bool more = true;
    for (std::size_t i = 0; i < kLinesAtOnce && more && !budget_.full(); ++i)
      more = NextLine();
    outputs_->Flush(/*all=*/!more || budget_.full());
    ShowProgress();
    if (!more && outputs_->settled()) loop_.Stop();
  }

  // False when all files were read.
  bool NextLine() {
    while (current_ < options_.files.size()) {
      if (states_.size() == current_) OpenNext();
      FileState& state = states_.back();
      const auto line = state.file ? state.file->Next() : std::nullopt;
      if (line) {
        Handle(*line, state);
        return true;
      }
      if (state.file && !state.file->error().empty()) Complain(state, state.file->error());
      ++current_;
    }
    return false;
  }

  void OpenNext() {
    auto opened = DeadLetterFile::Open(options_.files[current_]);
    FileState& state = states_.emplace_back();
    if (opened.ok()) {
      state.file = std::move(*opened);
      return;
    }
    ++failed_files_;
    EndProgress();
    std::fprintf(stderr, "%s\n", opened.error().message.c_str());
  }

  void Handle(std::string_view line, FileState& state) {
    Result<DeadLetterRecord> record = ParseDeadLetterLine(line);
    if (!record.ok()) return Complain(state, record.error().message);
    const std::string& name = options_.output ? *options_.output : record->output;
    const std::optional<std::size_t> output = outputs_->Find(name);
    if (!output) {
      return Complain(state, "there is no output called '" + name +
                                 "' any more; -output NAME sends its entries elsewhere");
    }
    const std::string why_not = outputs_->WhyNot(*output, *record);
    if (!why_not.empty()) return Complain(state, why_not);
    ++state.entries;
    ++entries_;
    if (options_.dry_run) {
      ++would_send_[name];
    } else {
      outputs_->Add(*output, *record);
    }
  }

  void Complain(FileState& state, const std::string& what) {
    ++state.failed_lines;
    EndProgress();
    std::fprintf(stderr, "%s:%llu: %s\n", state.file->path().c_str(),
                 static_cast<unsigned long long>(state.file->line_number()), what.c_str());
  }

  // --- What it shows.

  [[nodiscard]] std::string ProgressText() const {
    ReplayTally sum;
    std::string error;
    for (std::size_t i = 0; i < outputs_->size(); ++i) {
      const ReplayTally tally = outputs_->Tally(i);
      sum.delivered += tally.delivered;
      sum.refused += tally.refused;
      if (error.empty()) error = outputs_->last_error(i);
    }
    std::string text = std::to_string(sum.delivered) + " of " + std::to_string(entries_) +
                       (current_ < options_.files.size() ? " read so far" : "") + " delivered, " +
                       std::to_string(sum.refused) + " refused again";
    if (!error.empty()) text += "; waiting: " + error;
    return text;
  }

  void ShowProgress() {
    const int64_t now = clock_.MonotonicNanos();
    if (shown_ns_ == 0) shown_ns_ = now;
    if (options_.dry_run || now - shown_ns_ < (terminal_ ? kProgressNs : kPlainProgressNs)) return;
    shown_ns_ = now;
    std::fprintf(stderr, terminal_ ? "\r\x1b[K%s" : "%s\n", ProgressText().c_str());
    line_open_ = terminal_;
  }

  void EndProgress() {
    if (std::exchange(line_open_, false)) std::fputs("\r\x1b[K", stderr);
  }

  int Summarize() {
    uint64_t failed = failed_files_;
    for (const FileState& state : states_) {
      if (state.file == nullptr) continue;
      std::printf("%s: %llu entries, %llu lines that cannot be sent\n", state.file->path().c_str(),
                  static_cast<unsigned long long>(state.entries),
                  static_cast<unsigned long long>(state.failed_lines));
      failed += state.failed_lines;
    }
    for (const auto& [name, count] : would_send_) {
      std::printf("%s: %llu would be sent\n", name.c_str(), static_cast<unsigned long long>(count));
    }
    for (std::size_t i = 0; i < outputs_->size(); ++i) {
      const ReplayTally tally = outputs_->Tally(i);
      if (tally.given == 0) continue;
      const uint64_t left = tally.given - tally.delivered - tally.refused;
      std::printf("%s: %llu delivered, %llu refused again, %llu not sent\n",
                  outputs_->name(i).c_str(), static_cast<unsigned long long>(tally.delivered),
                  static_cast<unsigned long long>(tally.refused),
                  static_cast<unsigned long long>(left));
      failed += tally.refused + left;
    }
    if (options_.remove && !options_.dry_run) failed += RemoveFiles();
    return failed == 0 && !interrupted_ ? kExitOk : kExitError;
  }

  // Each entry was delivered, or is in the dead letter again.
  [[nodiscard]] bool NothingIsLost() const {
    uint64_t refused = 0;
    for (std::size_t i = 0; i < outputs_->size(); ++i)
      refused += outputs_->Tally(i).refused;
    return !interrupted_ && outputs_->settled() && dead_letter_.lost_entries() == 0 &&
           dead_letter_.written_entries() == refused;
  }

  // Those of which nothing is left to do. How many could not be removed that should.
  uint64_t RemoveFiles() {
    uint64_t failed = 0;
    if (!NothingIsLost()) return failed;
    for (const FileState& state : states_) {
      if (state.file == nullptr || state.failed_lines > 0) continue;
      const Status removed = state.file->Remove();
      if (removed.ok()) {
        std::printf("%s: removed\n", state.file->path().c_str());
        continue;
      }
      ++failed;
      std::fprintf(stderr, "%s\n", removed.error().message.c_str());
    }
    return failed;
  }

  const Options& options_;
  Logger& logger_;
  SystemClock clock_;
  Loop loop_;
  MemoryBudget budget_{kMemoryBytes};
  LabelValues label_values_;
  DeadLetter dead_letter_;
  GenerationDependencies dependencies_{.loop = loop_,
                                       .clock = clock_,
                                       .logger = logger_,
                                       .budget = budget_,
                                       .label_values = label_values_};
  std::optional<ReplayOutputs> outputs_;
  const bool terminal_;

  std::vector<FileState> states_;
  std::size_t current_ = 0;  // The file that is being read.
  uint64_t entries_ = 0;
  uint64_t failed_files_ = 0;
  std::map<std::string, uint64_t> would_send_;  // By output; of a dry run.
  bool interrupted_ = false;
  bool line_open_ = false;
  int64_t shown_ns_ = 0;
};

}  // namespace

int RunReplay(std::span<const char* const> arguments) {
  const Options options = ParseOptions(arguments);
  if (options.help) {
    std::fwrite(kHelp.data(), 1, kHelp.size(), stdout);
    return kExitOk;
  }
  if (!options.error.empty()) {
    std::fprintf(stderr, "%s; agent replay -help\n", options.error.c_str());
    return kExitFlags;
  }
  std::vector<const char*> config_flags;
  for (const std::string& flag : options.config_flags)
    config_flags.push_back(flag.c_str());
  const ParsedFlags parsed = ParseFlags(config_flags);
  if (!parsed.error.empty()) {
    std::fputs(parsed.error.c_str(), stderr);
    return kExitFlags;
  }
  const Environment environment = ProcessEnvironment();
  const LoadedConfig loaded = LoadConfig(parsed.flags, CheckStages, environment);
  if (loaded.problems.has_errors()) {
    std::fputs(loaded.problems.Format(UseColor(parsed.flags, STDERR_FILENO, environment)).c_str(),
               stderr);
    return kExitError;
  }
  std::signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c): there is no way for it to fail.
  Logger logger(STDERR_FILENO, LogLevel::kWarn, loaded.config.server.log_format);
  return Replay(options, loaded.config, logger).Execute();
}

}  // namespace agent
