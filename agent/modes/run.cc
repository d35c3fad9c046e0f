#include "agent/modes/run.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "agent/agent.h"
#include "agent/config/effective_yaml.h"
#include "agent/config/environment.h"
#include "agent/config/loader.h"
#include "agent/modes/backfill_report.h"
#include "agent/modes/inspect/make_inspector.h"
#include "agent/modes/print_output.h"
#include "agent/modes/service_reports.h"
#include "agent/modes/stdin_job.h"
#include "agent/modes/stdin_source.h"
#include "agent/stage_check.h"
#include "agent/tail/open_files.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"

namespace agent {
namespace {

// A configuration that waits to be completed, with `outputs: []`, is good, and nothing to run.
LoadedConfig LoadToRun(const Flags& flags) {
  LoadedConfig loaded = LoadConfig(flags, CheckStages, ProcessEnvironment());
  const bool sends = !loaded.config.clients.empty() || !loaded.config.outputs.empty();
  if (!sends && !flags.dry_run && !loaded.problems.has_errors()) {
    loaded.problems.Error({}, "clients", "no receiver is named: there is nothing to do",
                          "clients: [{url: http://loki:3100/loki/api/v1/push}]");
  }
  return loaded;
}

// One run of the process, from the loaded configuration to the exit code.
class Run {
 public:
  Run(const Flags& flags, Logger& logger) : flags_(flags), logger_(logger) {}

  int Execute(Config config) {
    if (flags_.dry_run) {
      std::fputs(ClientsConfigured(config).c_str(), stderr);
      SendToPrinter(config);
    }
    inspector_ = MakeInspector(flags_);
    AgentOptions options = Options();
    if (flags_.once) {
      UseOnce(config, options);
    } else if (flags_.read_stdin || config.target.stdin_target) {
      UseStdin(config, options);
    }
    auto created = Agent::Create(std::move(config), std::move(options), {loop_, clock_, logger_});
    if (!created) return Failed(created.error());
    agent_ = std::move(*created);
    const Status started = agent_->Start();
    if (!started) return Failed(started.error());
    logger_.Info("agent", "started", {{"version", AGENT_VERSION}, {"pid", ::getpid()}});

    WatchSignals();
    if (report_) ShowProgress();
    TellServiceManager();
    loop_.Run();
    if (flags_.once) return FinishOnce();

    const bool lost = !agent_->all_settled();
    signals_.clear();
    reports_.reset();
    agent_.reset();
    if (lost) logger_.Error("agent", "stopped before all of standard input was delivered");
    return lost ? kExitError : kExitOk;
  }

 private:
  // There is one output, whatever the jobs send to.
  static void SendToPrinter(Config& config) {
    for (ScrapeConfig& job : config.scrape_configs)
      job.outputs.clear();
  }

  AgentOptions Options() {
    AgentOptions options;
    options.drain_timeout =
        std::chrono::duration_cast<std::chrono::milliseconds>(flags_.shutdown_timeout);
    options.trial = flags_.dry_run;
    options.load = [this] {
      LoadedConfig loaded = LoadToRun(flags_);
      if (flags_.dry_run) SendToPrinter(loaded.config);
      return loaded;
    };
    options.finished = [this] { Stop(); };
    options.observer = inspector_.get();
    options.reloading = [this](bool begins) {
      if (reports_ != nullptr) begins ? reports_->Reloading() : reports_->Ready();
    };
    if (flags_.dry_run) {
      PrintOptions print{STDOUT_FILENO, STDERR_FILENO,
                         UseColor(flags_, STDOUT_FILENO, ProcessEnvironment()), inspector_.get()};
      options.make_outputs =
          [this, print](const Config&, const GenerationDependencies& dependencies, DeadLetter&) {
            std::vector<std::unique_ptr<Output>> outputs;
            outputs.push_back(
                std::make_unique<PrintOutput>(print, 0, dependencies.budget, [this] { Stop(); }));
            return outputs;
          };
    }
    return options;
  }

  void UseOnce(Config& config, AgentOptions& options) {
    SendStraight(config);
    options.once = true;
    options.load = nullptr;
    if (!flags_.dry_run) {
      const bool terminal = ::isatty(STDERR_FILENO) != 0;
      // The bar says what they say, and better.
      if (terminal && !flags_.Given("log.level")) logger_.SetLevel(LogLevel::kWarn);
      report_ = std::make_unique<BackfillReport>(terminal, clock_, logger_);
    }
    for (const ScrapeConfig& job : config.scrape_configs) {
      if (!job.loki_push_api && !job.journal && !job.syslog) continue;
      logger_.Warn("backfill", "a backfill reads files alone: this job has nothing to do",
                   {{"job", job.job_name}});
    }
  }

  void ShowProgress() {
    progress_timer_.StartOnce(report_->interval(), [this] {
      report_->Show(agent_->Backfill());
      ShowProgress();
    });
  }

  int FinishOnce() {
    const bool all = report_ == nullptr || report_->Finish(last_status_);
    signals_.clear();
    reports_.reset();
    agent_.reset();
    return all ? kExitOk : kExitError;
  }

  void UseStdin(Config& config, AgentOptions& options) {
    if (config.scrape_configs.size() > 1) {
      logger_.Warn("stdin", "only the first job is used",
                   {{"job", config.scrape_configs.front().job_name}});
    }
    Labels labels = MakeStdinJob(config);
    const std::size_t outputs = flags_.dry_run ? 1 : config.clients.size() + config.outputs.size();
    auto source = std::make_shared<StdinSource>(UniqueFd(::dup(STDIN_FILENO)),
                                                config.scrape_configs.front().job_name,
                                                std::move(labels), outputs, logger_);
    options.load = nullptr;
    options.only_source = source;
    // A regular file cannot be watched, and need not be: it is always ready.
    struct stat info {};
    if (::fstat(source->fd(), &info) == 0 && !S_ISREG(info.st_mode)) {
      stdin_watcher_ = std::make_unique<FdWatcher>(loop_, source->fd());
      stdin_watcher_->Start(UV_READABLE | UV_DISCONNECT,
                            [this, source](int, int) { WakeStdin(source); });
    }
  }

  // Level-triggered, and the worker reads: look again only after a moment.
  void WakeStdin(const std::shared_ptr<StdinSource>& source) {
    stdin_watcher_->Stop();
    agent_->WakeOnlySource();
    stdin_timer_.StartOnce(std::chrono::milliseconds(10), [this, source] {
      stdin_watcher_->Start(UV_READABLE | UV_DISCONNECT,
                            [this, source](int, int) { WakeStdin(source); });
    });
  }

  void WatchSignals() {
    for (const int number : {SIGTERM, SIGINT}) {
      signals_.push_back(std::make_unique<SignalWatcher>(loop_, number, [this] { Stop(); }));
    }
    signals_.push_back(std::make_unique<SignalWatcher>(
        loop_, SIGHUP, [this] { agent_->Reload([](const Status&) {}); }));
  }

  // From the loop, once it turns: then everything runs.
  void TellServiceManager() {
    reports_ = ServiceReports::ForEnvironment(
        ProcessEnvironment(),
        {loop_, clock_, logger_, [this] { return SummaryText(agent_->Summary()); },
         [this] { return agent_->busy_since_ns(); }});
    if (reports_ != nullptr) loop_.Post([this] { reports_->Ready(); });
  }

  // The second time does not wait for anything.
  void Stop() {
    stdin_watcher_.reset();
    stdin_timer_.Stop();
    progress_timer_.Stop();
    if (std::exchange(stopping_, true)) return loop_.Stop();
    logger_.Info("agent", "stopping");
    if (reports_ != nullptr) reports_->Stopping();
    agent_->Shutdown([this] {
      if (flags_.once) last_status_ = agent_->Backfill();
      loop_.Stop();
    });
  }

  int Failed(const Error& error) {
    logger_.Error("agent", "cannot start", {{"error", error.message}});
    return kExitError;
  }

  const Flags& flags_;
  Logger& logger_;
  SystemClock clock_;
  Loop loop_;
  std::unique_ptr<Inspector> inspector_;
  std::unique_ptr<Agent> agent_;
  std::vector<std::unique_ptr<SignalWatcher>> signals_;
  std::unique_ptr<FdWatcher> stdin_watcher_;
  Timer stdin_timer_{loop_};
  std::unique_ptr<BackfillReport> report_;   // Of -once.
  std::unique_ptr<ServiceReports> reports_;  // Null without a service manager.
  BackfillStatus last_status_;
  Timer progress_timer_{loop_};
  bool stopping_ = false;
};

void PrintConfig(const Flags& flags, const Config& config, Logger& logger) {
  const std::string yaml = EffectiveYaml(config);
  if (flags.print_config_stderr) {
    std::fprintf(stderr, "---\n# Log Agent Config\n# %s\n%s", VersionText().c_str(), yaml.c_str());
  }
  if (!flags.log_config_reverse_order) return;
  std::size_t end = yaml.size();
  while (end > 0) {
    const std::size_t newline = end >= 2 ? yaml.rfind('\n', end - 2) : std::string::npos;
    const std::size_t begin = newline == std::string::npos ? 0 : newline + 1;
    logger.Info("config", yaml.substr(begin, end - 1 - begin));
    end = begin;
  }
}

}  // namespace

int RunAgent(const Flags& flags) {
  const Environment environment = ProcessEnvironment();
  LoadedConfig loaded = LoadToRun(flags);
  if (loaded.problems.has_errors()) {
    const bool color = UseColor(flags, STDERR_FILENO, environment);
    std::fputs(loaded.problems.Format(color).c_str(), stderr);
    std::fputs("The configuration has errors; nothing was started.\n", stderr);
    return kExitError;
  }
  Config& config = loaded.config;
  Logger logger(STDERR_FILENO, config.server.log_level, config.server.log_format);
  for (const Problem& problem : loaded.problems.all()) {
    logger.Warn("config", loaded.problems.FormatLine(problem));
  }
  PrintConfig(flags, config, logger);
  std::signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c): there is no way for it to fail.
  const Result<std::size_t> descriptors = RaiseDescriptorLimit();
  if (!descriptors) {
    logger.Warn("agent", "the limit of open files stays as it is",
                {{"error", descriptors.error().message}});
  }
  return Run(flags, logger).Execute(std::move(config));
}

}  // namespace agent
