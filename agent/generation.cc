#include "agent/generation.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <set>
#include <utility>

#include "agent/kubernetes_job.h"
#include "agent/runtime/client_options.h"
#include "agent/runtime/docker_options.h"
#include "agent/runtime/line_options.h"
#include "agent/runtime/output_buffer.h"
#include "agent/runtime/output_options.h"
#include "base/random.h"
#include "discovery/combined.h"
#include "discovery/docker/docker.h"
#include "discovery/file_sd.h"
#include "discovery/kubernetes/kubernetes.h"
#include "discovery/relabel.h"
#include "discovery/static.h"
#include "outputs/registry.h"

namespace agent {
namespace {

// Promtail's rule: the environment's HOSTNAME, else what the system says.
std::string HostName() {
  const char* const from_environment = std::getenv("HOSTNAME");  // NOLINT(concurrency-mt-unsafe)
  if (from_environment != nullptr && *from_environment != '\0') return from_environment;
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

std::string Join(const Problems& problems) {
  std::string text;
  for (const Problem& problem : problems.all()) {
    if (problem.severity != Severity::kError) continue;
    if (!text.empty()) text += '\n';
    text += problems.FormatLine(problem);
  }
  return text;
}

std::chrono::milliseconds ToMilliseconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration);
}

std::unique_ptr<Discoverer> MakeDocker(const DockerSdConfig& docker, const ScrapeConfig& job,
                                       const std::shared_ptr<const Relabeling>& relabeling,
                                       const GenerationDependencies& dependencies) {
  DockerOptions options = ToDockerOptions(docker);
  if (const CaughtFiles* caught = dependencies.caught; caught != nullptr) {
    options.is_held = [caught](const std::string& path) { return caught->Has(path); };
  }
  return std::make_unique<DockerDiscoverer>(
      job.job_name, std::move(options), relabeling, Random::FromSystem(),
      DockerDiscoverer::Dependencies{dependencies.loop, dependencies.clock, dependencies.logger});
}

// Of all that finds targets of a job.
std::vector<std::unique_ptr<Discoverer>> MakeDiscoverers(
    const ScrapeConfig& job, const std::shared_ptr<const Relabeling>& relabeling,
    const std::string& host, const GenerationDependencies& dependencies) {
  std::vector<std::unique_ptr<Discoverer>> parts;
  std::vector<StaticTargets> groups;
  for (const StaticConfig& group : job.static_configs) {
    groups.push_back({group.targets, group.labels});
  }
  if (!groups.empty()) {
    parts.push_back(
        std::make_unique<StaticDiscoverer>(job.job_name, std::move(groups), relabeling, host));
  }
  for (const FileSdConfig& files : job.file_sd_configs) {
    parts.push_back(std::make_unique<FileSdDiscoverer>(
        FileSdDiscoverer::Dependencies{dependencies.loop, dependencies.logger}, job.job_name,
        FileSdOptions{files.files, ToMilliseconds(files.refresh_interval)}, relabeling, host));
  }
  for (const KubernetesSdConfig& kubernetes : job.kubernetes_sd_configs) {
    parts.push_back(std::make_unique<KubernetesDiscoverer>(
        KubernetesDiscoverer::Dependencies{dependencies.loop, dependencies.clock,
                                           dependencies.logger, KubernetesEnvironment()},
        job.job_name, ToKubernetesOptions(kubernetes, job, host), relabeling,
        NodeName(KubernetesEnvironment(), host), Random::FromSystem()));
  }
  for (const DockerSdConfig& docker : job.docker_sd_configs)
    parts.push_back(MakeDocker(docker, job, relabeling, dependencies));
  return parts;
}

// Of `outputs`, by its kind.
std::unique_ptr<Output> MakeConfiguredOutput(const OutputConfig& output,
                                             const GenerationDependencies& dependencies,
                                             DeadLetter& dead_letter, std::size_t index) {
  if (output.file) {
    return MakeFileOutput(ToFileOptions(output, HostName()), dependencies.loop, dependencies.budget,
                          dependencies.clock, Random::FromSystem(), dependencies.logger, index);
  }
  if (output.to_stdout) {
    return MakeStdoutOutput(ToFileOptions(output, HostName()), dependencies.loop,
                            dependencies.budget, dependencies.clock, Random::FromSystem(),
                            dependencies.logger, index);
  }
  if (output.logstash && output.logstash->protocol == "json_lines") {
    return MakeJsonLinesOutput(ToJsonLinesOptions(output, HostName()), dependencies.loop,
                               dependencies.budget, dependencies.clock, Random::FromSystem(),
                               dependencies.logger, dead_letter, index);
  }
  if (output.logstash) {
    return MakeLumberjackOutput(ToLumberjackOptions(output, HostName()), dependencies.loop,
                                dependencies.budget, dependencies.clock, Random::FromSystem(),
                                dependencies.logger, dead_letter, index);
  }
  return MakeElasticsearchOutput(ToElasticsearchOptions(output, HostName()), dependencies.loop,
                                 dependencies.budget, dependencies.clock, Random::FromSystem(),
                                 dependencies.logger, dead_letter, index);
}

}  // namespace

std::vector<std::unique_ptr<Output>> MakeClientOutputs(const Config& config,
                                                       const GenerationDependencies& dependencies,
                                                       DeadLetter& dead_letter) {
  std::vector<std::unique_ptr<Output>> outputs;
  std::vector<std::string> names;
  const auto add = [&](std::unique_ptr<Output> output, const BufferConfig& buffer, bool required) {
    const BufferPlace place{.loop = dependencies.loop,
                            .budget = dependencies.budget,
                            .clock = dependencies.clock,
                            .logger = dependencies.logger,
                            .positions_file = config.positions.filename,
                            .output_index = outputs.size(),
                            .outputs = config.clients.size() + config.outputs.size(),
                            .kind = output->Info().kind};
    names.push_back(output->name());
    outputs.push_back(WrapWithBuffer(std::move(output), buffer, required, place));
  };
  for (const ClientConfig& client : config.clients) {
    add(MakeLokiOutput(ToLokiOptions(client, config.limits), dependencies.loop, dependencies.budget,
                       dependencies.clock, Random::FromSystem(), dependencies.logger, dead_letter,
                       outputs.size()),
        client.buffer, client.required);
  }
  for (const OutputConfig& output : config.outputs) {
    add(MakeConfiguredOutput(output, dependencies, dead_letter, outputs.size()), output.buffer,
        output.required);
  }
  WarnOfOrphanBuffers(config.positions.filename, names, dependencies.logger);
  return outputs;
}

Generation::Generation(Config config, const GenerationDependencies& dependencies)
    : config_(std::move(config)),
      custom_metrics_(SeriesLimit{config_.limits.max_label_values,
                                  config_.limits.on_excess != OnExcess::kNone}),
      dead_letter_({config_.dead_letter.path, config_.dead_letter.max_size_bytes},
                   dependencies.clock, dependencies.logger) {}

Generation::~Generation() = default;

Result<std::unique_ptr<Generation>> Generation::Build(Config config,
                                                      const OutputFactory& make_outputs,
                                                      const GenerationDependencies& dependencies) {
  std::unique_ptr<Generation> generation(new Generation(std::move(config), dependencies));
  Problems problems;
  generation->engine_ = Engine::Build(
      generation->config_,
      make_outputs(generation->config_, dependencies, generation->dead_letter_), problems,
      {dependencies.loop, dependencies.clock, dependencies.logger, dependencies.budget,
       generation->custom_metrics_, dependencies.label_values, dependencies.observer});
  if (generation->engine_ == nullptr) return Error{ErrorCode::kInvalid, Join(problems)};
  Status discovery = generation->BuildDiscovery(dependencies);
  if (!discovery) return std::move(discovery).error();
  return generation;
}

Status Generation::BuildDiscovery(const GenerationDependencies& dependencies) {
  const std::string host = HostName();
  for (const ScrapeConfig& job : config_.scrape_configs) {
    auto compiled = Relabeling::Compile(job.relabel_configs);
    if (!compiled) return std::move(compiled).error().Wrap("job '" + job.job_name + "'");
    std::vector<std::unique_ptr<Discoverer>> parts =
        MakeDiscoverers(job, std::move(*compiled), host, dependencies);
    jobs_.push_back({job.job_name, std::make_unique<CombinedDiscoverer>(std::move(parts)), {}});
  }
  return {};
}

void Generation::StartDiscovery(const std::function<void()>& changed) {
  discovering_ = false;
  for (Job& job : jobs_) {
    job.discoverer->Start([this, &job, changed](DiscoveryResult found) {
      for (const auto& dropped : found.dropped)
        ++failed_targets_[dropped->reason];
      job.found = std::move(found);
      if (discovering_) changed();
    });
  }
  // Once for what is known at once, which may be nothing: the targets of before are gone then.
  discovering_ = true;
  changed();
}

void Generation::StopDiscovery() {
  for (const Job& job : jobs_)
    job.discoverer->Stop();
}

std::vector<std::shared_ptr<const Target>> Generation::Targets() const {
  std::vector<std::shared_ptr<const Target>> all;
  for (const Job& job : jobs_) {
    all.insert(all.end(), job.found.targets.begin(), job.found.targets.end());
  }
  return all;
}

bool Generation::reads_containers() const {
  return std::any_of(config_.scrape_configs.begin(), config_.scrape_configs.end(),
                     [](const ScrapeConfig& job) { return !job.docker_sd_configs.empty(); });
}

std::vector<std::string> Generation::LogFolders() const {
  std::set<std::string> all;
  for (const Job& job : jobs_)
    all.insert(job.found.log_folders.begin(), job.found.log_folders.end());
  return {all.begin(), all.end()};
}

std::vector<std::shared_ptr<const ContainerLog>> Generation::ContainerLogs() const {
  std::vector<std::shared_ptr<const ContainerLog>> all;
  for (const Job& job : jobs_) {
    all.insert(all.end(), job.found.containers.begin(), job.found.containers.end());
  }
  return all;
}

std::vector<std::string> Generation::OutputIds() const {
  std::vector<std::string> ids;
  for (const auto& output : engine_->outputs())
    ids.push_back(output->name());
  return ids;
}

}  // namespace agent
