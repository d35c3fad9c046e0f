#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "agent/doctor/subject.h"
#include "base/http/http_url.h"
#include "base/log.h"
#include "base/loop.h"
#include "discovery/file_sd.h"
#include "discovery/relabel.h"
#include "discovery/static.h"

namespace agent::doctor {
namespace {

constexpr std::chrono::milliseconds kPatience{2'000};

void Take(DiscoveryResult result, KnownTargets::Job& job) {
  job.targets.insert(job.targets.end(), result.targets.begin(), result.targets.end());
  job.dropped.insert(job.dropped.end(), result.dropped.begin(), result.dropped.end());
}

void FindStatic(const ScrapeConfig& config, const std::shared_ptr<const Relabeling>& rules,
                const std::string& host, KnownTargets::Job& job) {
  std::vector<StaticTargets> groups;
  for (const StaticConfig& group : config.static_configs)
    groups.push_back({group.targets, group.labels});
  if (groups.empty()) return;
  StaticDiscoverer discoverer(config.job_name, std::move(groups), rules, host);
  discoverer.Start([&job](DiscoveryResult result) { Take(std::move(result), job); });
  discoverer.Stop();
}

void FindInFiles(const ScrapeConfig& config, const FileSdConfig& files,
                 const std::shared_ptr<const Relabeling>& rules, const std::string& host,
                 KnownTargets::Job& job) {
  Logger silent(STDERR_FILENO, LogLevel::kError, LogFormat::kLogfmt);
  Loop loop;
  {
    Timer limit(loop);
    limit.StartOnce(kPatience, [&] {
      job.problems.emplace_back("the files of targets cannot be read in time");
      loop.Stop();
    });
    FileSdDiscoverer discoverer({loop, silent}, config.job_name,
                                FileSdOptions{files.files, std::chrono::minutes(5)}, rules, host);
    discoverer.Start([&](DiscoveryResult result) {
      Take(std::move(result), job);
      loop.Stop();
    });
    loop.Run();
    for (std::string& problem : discoverer.Problems())
      job.problems.push_back(std::move(problem));
    discoverer.Stop();
  }
}

FilePattern PatternOf(const ScrapeConfig& config) {
  FilePattern pattern;
  pattern.job = config.job_name;
  if (config.decompression.enabled) pattern.compression = config.decompression.format;
  pattern.encoding = config.encoding;
  return pattern;
}

void AddPatterns(const ScrapeConfig& config, const KnownTargets::Job& job,
                 std::vector<FilePattern>& patterns) {
  for (const auto& target : job.targets) {
    if (target->path.empty()) continue;
    FilePattern pattern = PatternOf(config);
    pattern.path = target->path;
    pattern.exclude = target->path_exclude;
    pattern.roots = target->roots;
    const bool known = std::any_of(patterns.begin(), patterns.end(), [&](const FilePattern& p) {
      return p.job == pattern.job && p.path == pattern.path && p.exclude == pattern.exclude;
    });
    if (!known) patterns.push_back(std::move(pattern));
  }
  for (const KubernetesSdConfig& kubernetes : config.kubernetes_sd_configs) {
    if (kubernetes.role != KubeRole::kPod) continue;
    FilePattern pattern = PatternOf(config);
    pattern.path = kubernetes.pod_logs_path + "/*/*/*.log";
    pattern.awaits = true;
    patterns.push_back(std::move(pattern));
  }
}

}  // namespace

std::string OutputName(const ClientConfig& client) {
  const std::optional<UrlHost> host = HostOf(client.url);
  return !client.name_given && host ? host->as_written : client.name;
}

std::string OutputGroup(const ClientConfig& client) {
  return "Output " + OutputName(client) + " (loki)";
}

KnownTargets FindTargets(const Config& config, const std::string& host) {
  KnownTargets known;
  for (const ScrapeConfig& scrape : config.scrape_configs) {
    KnownTargets::Job job;
    job.name = scrape.job_name;
    job.elsewhere = !scrape.kubernetes_sd_configs.empty() || !scrape.docker_sd_configs.empty() ||
                    scrape.journal || scrape.syslog || scrape.loki_push_api;
    Result<std::unique_ptr<Relabeling>> compiled = Relabeling::Compile(scrape.relabel_configs);
    if (compiled.ok()) {
      const std::shared_ptr<const Relabeling> rules = std::move(compiled).value();
      FindStatic(scrape, rules, host, job);
      for (const FileSdConfig& files : scrape.file_sd_configs)
        FindInFiles(scrape, files, rules, host, job);
    }
    AddPatterns(scrape, job, known.patterns);
    known.jobs.push_back(std::move(job));
  }
  return known;
}

}  // namespace agent::doctor
