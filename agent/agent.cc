#include "agent/agent.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "agent/receivers/make_receivers.h"
#include "agent/runtime/memory_limit.h"
#include "base/random.h"

namespace agent {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

// A line longer than this could not be kept in memory twice: in the block, and encoded.
std::size_t MaxLineBytes(std::size_t budget_bytes) {
  return budget_bytes / 2;
}

TailerOptions ToTailerOptions(const Config& config, std::size_t budget_bytes) {
  TailerOptions options;
  options.sync_period = duration_cast<milliseconds>(config.target.sync_period);
  options.min_poll = duration_cast<milliseconds>(config.file_watch.min_poll_frequency);
  options.max_poll = duration_cast<milliseconds>(config.file_watch.max_poll_frequency);
  options.max_line_bytes = MaxLineBytes(budget_bytes);
  return options;
}

// The loader lets no other format through.
Compression ToCompression(std::string_view format) {
  using enum Compression;
  for (const Compression compression : {kGzip, kZlib, kBzip2, kZstd}) {
    if (format == CompressionName(compression)) return compression;
  }
  return kNone;
}

FileContents ToFileContents(const Config& config) {
  FileContents contents;
  for (const ScrapeConfig& job : config.scrape_configs) {
    if (!job.decompression.enabled && job.encoding.empty()) continue;
    FileContent& content = contents[job.job_name];
    content.encoding = job.encoding;
    if (!job.decompression.enabled) continue;
    content.compression = ToCompression(job.decompression.format);
    content.initial_delay = job.decompression.initial_delay;
  }
  return contents;
}

}  // namespace

Agent::Agent(AgentOptions options, const Dependencies& dependencies, std::size_t budget_bytes)
    : options_(std::move(options)),
      dependencies_(dependencies),
      budget_(budget_bytes),
      caught_files_(dependencies.clock, dependencies.logger),
      delivery_timer_(dependencies.loop),
      started_ns_(dependencies.clock.MonotonicNanos()),
      config_loaded_ns_(started_ns_),
      config_loaded_wall_ns_(dependencies.clock.WallNanos()) {}

Agent::~Agent() = default;

Result<std::unique_ptr<Agent>> Agent::Create(Config config, AgentOptions options,
                                             const Dependencies& dependencies) {
  const std::size_t budget =
      MemoryBudgetBytes(config.limits.memory_budget_bytes, CgroupMemoryLimit());
  std::unique_ptr<Agent> agent(new Agent(std::move(options), dependencies, budget));
  auto generation =
      Generation::Build(std::move(config), agent->options_.make_outputs, agent->ForGeneration());
  if (!generation) return std::move(generation).error();
  agent->generation_ = std::move(*generation);
  if (agent->options_.only_source == nullptr) {
    Status opened = agent->OpenTail();
    if (!opened) return std::move(opened).error();
  }
  return agent;
}

GenerationDependencies Agent::ForGeneration() {
  return {dependencies_.loop, dependencies_.clock, dependencies_.logger, budget_,
          label_values_,      options_.observer,   &caught_files_};
}

Status Agent::OpenTail() {
  const Config& config = generation_->config();
  PositionStoreOptions options;
  options.filename = config.positions.filename;
  options.sync_period = duration_cast<milliseconds>(config.positions.sync_period);
  options.read_only = options_.trial;
  auto positions =
      PositionStore::Open(std::move(options), dependencies_.clock, dependencies_.logger);
  if (!positions) return std::move(positions).error();
  positions_ = std::move(*positions);
  tailer_ = std::make_unique<Tailer>(
      Tailer::Dependencies{dependencies_.loop, dependencies_.clock, dependencies_.logger,
                           *positions_, generation_->engine(), &caught_files_},
      Random::FromSystem(), generation_->OutputIds(), ToTailerOptions(config, budget_.limit()));
  docker_logs_ = std::make_unique<DockerLogs>(
      DockerLogs::Dependencies{dependencies_.loop, dependencies_.clock, dependencies_.logger,
                               *positions_, generation_->engine()},
      Random::FromSystem(), generation_->OutputIds().size());
  return {};
}

Status Agent::Start() {
  const ServerConfig& server = generation_->config().server;
  if (!server.disable) {
    auto opened = HttpServer::Open(
        server, {dependencies_.loop, dependencies_.logger, dependencies_.clock, *this});
    if (opened) {
      server_ = std::move(*opened);
    } else if (options_.trial) {
      dependencies_.logger.Warn("http", "the server cannot listen; the dry run goes on without it",
                                {{"error", opened.error().message}});
    } else {
      return std::move(opened).error();
    }
  }
  RunGeneration();
  if (tailer_ != nullptr) tailer_->Start();
  if (options_.once) BeginBackfill();
  return {};
}

void Agent::RunGeneration() {
  Engine& engine = generation_->engine();
  if (options_.only_source != nullptr) {
    engine.Run([this](const std::shared_ptr<Source>&) { OnlySourceEnded(); });
    engine.Start(options_.only_source);
    return;
  }
  engine.Run([this](const std::shared_ptr<Source>& source) {
    docker_logs_->OnEnded(source);
    tailer_->OnEnded(source);
    for (const auto& receiver : receivers_)
      receiver->OnEnded(source);
  });
  tailer_->SetContents(ToFileContents(generation_->config()));
  generation_->StartDiscovery([this] { TargetsChanged(); });
  if (!options_.once) StartReceivers();
}

void Agent::StartReceivers() {
  receivers_ = MakeReceivers(generation_->config(), {dependencies_.loop, dependencies_.clock,
                                                     dependencies_.logger, *positions_});
  for (const auto& receiver : receivers_)
    receiver->Start(generation_->engine(), generation_->OutputIds().size());
}

void Agent::TargetsChanged() {
  const std::vector<std::string> folders = generation_->LogFolders();
  // After a reload the daemon has not said yet where they are: where they were, most likely.
  if (!folders.empty() || !generation_->reads_containers()) caught_files_.SetFolders(folders);
  tailer_->SetTargets(generation_->Targets());
  if (!options_.once) docker_logs_->Set(generation_->ContainerLogs());
}

void Agent::OnlySourceEnded() {
  if (stopping_) return;
  stopping_ = true;
  generation_->engine().StopReading([this] { WaitUntilDelivered(); });
}

// The input cannot be read again: its end is reached only when every receiver has it.
void Agent::WaitUntilDelivered() {
  if (generation_->engine().outputs_idle()) return options_.finished();
  delivery_timer_.StartOnce(milliseconds(20), [this] { WaitUntilDelivered(); });
}

bool Agent::all_settled() const {
  return options_.only_source == nullptr || options_.only_source->progress()->idle();
}

void Agent::Shutdown(std::function<void()> done) {
  if (reloading_) {
    after_reload_ = [this, done = std::move(done)] { Shutdown(done); };
    return;
  }
  const bool reading = !std::exchange(stopping_, true);
  delivery_timer_.Stop();
  generation_->StopDiscovery();
  for (const auto& receiver : receivers_)
    receiver->Stop();
  const auto end = [this, done = std::move(done)] {
    for (const auto& receiver : receivers_)
      receiver->Drained();
    if (docker_logs_ != nullptr) docker_logs_->Stop();
    if (tailer_ != nullptr) tailer_->Stop();
    server_.reset();
    done();
  };
  const auto drain = [this, end] {
    if (docker_logs_ != nullptr) docker_logs_->Pause();
    if (tailer_ != nullptr) tailer_->Pause();
    generation_->engine().Drain(options_.drain_timeout, end);
  };
  if (reading) {
    generation_->engine().StopReading(drain);
  } else {
    drain();
  }
}

void Agent::Reload(std::function<void(Status)> done) {
  // The file may have changed since it was read for the reload under way: once more after it.
  if (reloading_) return next_reload_.push_back(std::move(done));
  waiting_for_reload_.push_back(std::move(done));
  LoadAgain();
}

void Agent::LoadAgain() {
  reloading_ = true;
  if (options_.reloading) options_.reloading(true);
  if (!options_.load || stopping_) {
    return ReloadDone(Error{ErrorCode::kUnavailable, "there is nothing to reload"});
  }
  LoadedConfig loaded = options_.load();
  for (const Problem& problem : loaded.problems.all()) {
    const bool is_error = problem.severity == Severity::kError;
    dependencies_.logger.Write(
        is_error ? LogLevel::kError : LogLevel::kWarn, "config",
        is_error ? "the new configuration is refused" : "the new configuration is odd",
        {{"problem", loaded.problems.FormatLine(problem)}});
  }
  if (loaded.problems.has_errors()) {
    const Problem& first =
        *std::find_if(loaded.problems.all().begin(), loaded.problems.all().end(),
                      [](const Problem& problem) { return problem.severity == Severity::kError; });
    return ReloadDone(Error{ErrorCode::kInvalid, loaded.problems.FormatLine(first)});
  }
  if (loaded.config.text_hash == generation_->config().text_hash) {
    dependencies_.logger.Info("config", "the configuration has not changed");
    return ReloadDone({});
  }
  auto next = Generation::Build(std::move(loaded.config), options_.make_outputs, ForGeneration());
  if (!next) return ReloadDone(std::move(next).error());
  TakeOver(std::move(*next));
}

// The old generation ends before the new one reads: what it has read is delivered, or else
// abandoned and read again from where it is settled.
void Agent::TakeOver(std::unique_ptr<Generation> next) {
  // std::function must be copyable, the generation is not: hence the shared holder.
  auto holder = std::make_shared<std::unique_ptr<Generation>>(std::move(next));
  generation_->StopDiscovery();
  for (const auto& receiver : receivers_)
    receiver->Stop();
  const auto take_over = [this, holder] {
    for (const auto& receiver : receivers_)
      receiver->Drained();
    receivers_.clear();
    generation_ = std::move(*holder);
    ForgetJobs();
    tailer_->Resume(generation_->engine(), generation_->OutputIds());
    docker_logs_->Resume(generation_->engine(), generation_->OutputIds().size());
    config_loaded_ns_ = dependencies_.clock.MonotonicNanos();
    config_loaded_wall_ns_ = dependencies_.clock.WallNanos();
    RunGeneration();
    ReloadDone({});
  };
  generation_->engine().StopReading([this, take_over] {
    docker_logs_->Pause();
    tailer_->Pause();
    generation_->engine().Drain(options_.drain_timeout, [this, take_over] {
      // Not from inside a callback of the outputs that are about to go.
      dependencies_.loop.Post(take_over);
    });
  });
}

void Agent::ForgetJobs() {
  std::vector<std::string> jobs;
  for (const ScrapeConfig& job : generation_->config().scrape_configs)
    jobs.push_back(job.job_name);
  label_values_.Keep(jobs);
}

void Agent::ReloadDone(const Status& status) {
  reloading_ = false;
  last_reload_ok_ = status.ok();
  if (status.ok()) {
    ++reloads_;
    dependencies_.logger.Info("config", "the configuration is loaded",
                              {{"file", generation_->config().file}});
  } else {
    ++failed_reloads_;
    dependencies_.logger.Error("config",
                               "the new configuration is not used; the one before keeps running",
                               {{"error", status.error().message}});
  }
  if (options_.reloading) options_.reloading(false);
  for (const auto& done : std::exchange(waiting_for_reload_, {}))
    done(status);
  if (after_reload_) std::exchange(after_reload_, nullptr)();
  if (reloading_ || next_reload_.empty()) return;
  waiting_for_reload_ = std::exchange(next_reload_, {});
  LoadAgain();
}

}  // namespace agent
