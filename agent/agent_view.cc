// What the pages and /metrics show of the agent.

#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "agent/agent.h"
#include "agent/config/effective_yaml.h"
#include "agent/http/html.h"

namespace agent {
namespace {

double SecondsSince(int64_t then_ns, const Clock& clock) {
  return static_cast<double>(clock.MonotonicNanos() - then_ns) /
         static_cast<double>(kNanosPerSecond);
}

// By which the files of a target are found: they have its labels and a `filename`.
std::string TargetName(const std::string& job, Labels labels) {
  labels.Remove("filename");
  return job + '\n' + FormatLabels(labels);
}

FileInfo ToFileInfo(const FileStatus& file) {
  FileInfo info;
  info.path = file.path;
  info.device = file.device;
  info.inode = file.inode;
  info.source_id = file.source_id;
  info.generation = file.generation;
  info.lag_seconds = static_cast<double>(file.lag_ns) / static_cast<double>(kNanosPerSecond);
  info.read_bytes = file.read_offset;
  info.settled_bytes = file.settled_offset;
  info.size_bytes = file.size_bytes;
  info.state = std::string(FileStateName(file.state));
  info.last_error = file.error;
  return info;
}

LaneInfo ToLaneInfo(LaneStatus lane, const Clock& clock) {
  LaneInfo info{.tenant = std::move(lane.tenant),
                .state = std::move(lane.state),
                .last_error = std::move(lane.last_error),
                .attempts = lane.attempts,
                .queued_batches = lane.queued_batches,
                .queued_bytes = lane.queued_bytes};
  if (lane.oldest_ns > 0) info.oldest_seconds = SecondsSince(lane.oldest_ns, clock);
  if (const auto& buffer = lane.buffer; buffer) {
    info.buffer = LaneBufferInfo{.bytes = buffer->bytes,
                                 .batches = buffer->batches,
                                 .entries = buffer->entries,
                                 .full = buffer->full};
  }
  return info;
}

CustomFamily ToFamily(CustomMetric& metric, int64_t now_ns) {
  const CustomMetricDefinition& definition = metric.definition();
  CustomFamily family;
  family.name = definition.name;
  family.help = definition.help;
  family.bounds = definition.buckets;
  family.type = definition.type == CustomMetricType::kCounter ? MetricType::kCounter
                : definition.type == CustomMetricType::kGauge ? MetricType::kGauge
                                                              : MetricType::kHistogram;
  for (const CustomMetric::Series& series : metric.Scrape(now_ns)) {
    family.series.push_back({series.labels, series.value, series.bucket_counts});
  }
  return family;
}

// `files` are those of all targets with its labels.
TargetStatus ShowTarget(const Target& target, std::vector<FileInfo> files) {
  // Containers may well have the same labels.
  if (target.streams) {
    std::erase_if(files, [&target](const FileInfo& file) { return file.path != target.path; });
  }
  TargetStatus shown;
  shown.labels = target.labels;
  shown.discovered_labels = target.discovered;
  shown.path_pattern = target.path;
  shown.files = std::move(files);
  shown.ready = !shown.files.empty();
  if (target.awaited) shown.waits_for = target.waits_for;
  return shown;
}

TargetStatus ShowReceiver(const ReceiverStatus& receiver) {
  TargetStatus shown;
  shown.labels = receiver.labels;
  shown.path_pattern = receiver.source;
  shown.ready = receiver.error.empty();
  shown.last_error = receiver.error;
  FileInfo info;
  info.path = receiver.source;
  // Of entries: what came in framing and headers is not to be delivered.
  if (receiver.progress != nullptr) {
    info.read_bytes = receiver.progress->processed_end();
    info.size_bytes = info.read_bytes;
    info.settled_bytes = receiver.progress->min_settled();
  }
  info.state = receiver.state;
  if (receiver.received_bytes > 0) {
    info.state += ", " + FormatBytes(receiver.received_bytes) + " received";
  }
  info.last_error = receiver.error;
  shown.files.push_back(std::move(info));
  return shown;
}

}  // namespace

AgentInfo Agent::Info() const {
  AgentInfo info;
  info.version = AGENT_VERSION;
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) == 0) info.hostname = name.data();
  info.config_file = generation_->config().file;
  info.uptime_seconds = SecondsSince(started_ns_, dependencies_.clock);
  info.config_age_seconds = SecondsSince(config_loaded_ns_, dependencies_.clock);
  return info;
}

Readiness Agent::Ready() const {
  if (stopping_) return {false, "the agent is stopping"};
  if (tailer_ == nullptr) return {true, ""};
  const TailerCounters counters = tailer_->counters();
  if (counters.scans == 0) return {false, "targets are not synced yet"};
  if (counters.files_active == 0) {
    bool containers = false;
    for (std::size_t i = 0; i < generation_->jobs().size(); ++i) {
      const std::vector<std::string> problems = generation_->jobs()[i].discoverer->Problems();
      if (!problems.empty()) return {false, problems.front()};
      containers = containers || !generation_->config().scrape_configs[i].docker_sd_configs.empty();
    }
    for (const auto& receiver : receivers_) {
      for (const ReceiverStatus& source : receiver->Status()) {
        if (!source.error.empty()) return {false, source.source + ": " + source.error};
      }
    }
    // As in Promtail: a daemon without containers is no fault, nor is a listener nobody has sent
    // to.
    if (containers || !receivers_.empty()) return {true, ""};
    return {false,
            "Unable to find any logs to tail. Please verify permissions, volumes, scrape_config, "
            "etc."};
  }
  return {true, ""};
}

TargetStatus Agent::ShowContainer(const ContainerLog& container) const {
  TargetStatus shown;
  shown.labels = container.target.labels;
  shown.discovered_labels = container.target.discovered;
  shown.path_pattern = container.target.path;
  for (const DockerLogStatus& log : docker_logs_->Status()) {
    if (log.name != container.target.path || log.job != container.target.job) continue;
    shown.ready = log.error.empty();
    shown.last_error = log.error;
  }
  return shown;
}

std::vector<std::string> Agent::JobNames() const {
  std::vector<std::string> names;
  for (const Generation::Job& job : generation_->jobs())
    names.push_back(job.name);
  return names;
}

std::vector<JobStatus> Agent::Jobs(std::string_view only) const {
  std::unordered_map<std::string, std::vector<FileInfo>> files;
  if (tailer_ != nullptr) {
    for (const FileStatus& file : tailer_->Status()) {
      if (only.empty() || file.job == only)
        files[TargetName(file.job, file.labels)].push_back(ToFileInfo(file));
    }
  }
  std::vector<JobStatus> jobs;
  for (const Generation::Job& job : generation_->jobs()) {
    if (!only.empty() && job.name != only) continue;
    JobStatus status;
    status.name = job.name;
    for (const auto& target : job.found.targets) {
      const auto followed = files.find(TargetName(job.name, target->labels));
      status.targets.push_back(ShowTarget(
          *target, followed != files.end() ? followed->second : std::vector<FileInfo>()));
    }
    AddOtherTargets(job, status);
    for (const auto& dropped : job.found.dropped)
      status.dropped.push_back({dropped->discovered, dropped->reason, dropped->detail});
    status.dropped_count = status.dropped.size();
    status.labels = LabelsOf(job.name);
    status.problems = job.discoverer->Problems();
    jobs.push_back(std::move(status));
  }
  return jobs;
}

// Those that are no files.
void Agent::AddOtherTargets(const Generation::Job& job, JobStatus& status) const {
  for (const auto& container : job.found.containers)
    status.targets.push_back(ShowContainer(*container));
  for (const auto& receiver : receivers_) {
    for (const ReceiverStatus& source : receiver->Status()) {
      if (source.job == job.name) status.targets.push_back(ShowReceiver(source));
    }
  }
}

std::vector<LabelInfo> Agent::LabelsOf(const std::string& job) const {
  std::vector<LabelInfo> labels;
  const LimitsConfig& limits = generation_->config().limits;
  const JobLabelValues* const values = label_values_.Find(job);
  if (limits.max_label_values == 0 || values == nullptr) return labels;
  for (LabelValuesStatus& status : values->Status()) {
    labels.push_back({std::move(status.name), status.values, status.from_targets,
                      limits.max_label_values, status.exceeded, std::move(status.sample)});
  }
  return labels;
}

std::vector<OutputView> Agent::Outputs() const {
  std::vector<OutputView> views;
  for (const auto& output : generation_->engine().outputs()) {
    OutputTotals totals = output->Totals();
    OutputInfo about = output->Info();
    OutputView view{.name = output->name(),
                    .kind = std::move(about.kind),
                    .receiver = std::move(about.receiver),
                    .sent_entries = totals.sent_entries,
                    .sent_bytes = totals.sent_bytes,
                    .requests = totals.requests,
                    .failed_requests = totals.failed_requests,
                    .retried_entries = totals.retried_entries,
                    .duplicates = totals.duplicates,
                    .repaired_entries = totals.repaired_entries,
                    .refused = {totals.refused.begin(), totals.refused.end()}};
    for (LaneStatus& lane : output->Status())
      view.lanes.push_back(ToLaneInfo(std::move(lane), dependencies_.clock));
    views.push_back(std::move(view));
  }
  return views;
}

std::vector<LedgerRow> Agent::Ledger() const {
  std::vector<LedgerRow> rows;
  const auto& outputs = generation_->engine().outputs();
  const auto add = [&](const std::string& job, const std::string& source,
                       const SourceProgress& progress) {
    for (std::size_t i = 0; i < progress.outputs() && i < outputs.size(); ++i) {
      const LedgerBalance balance = progress.Balance(i);
      rows.push_back({job, source, outputs[i]->name(), balance.read, balance.settled,
                      balance.dropped, balance.in_flight});
    }
  };
  if (options_.only_source != nullptr) {
    add(options_.only_source->job(), options_.only_source->name(),
        *options_.only_source->progress());
  } else {
    for (const FileStatus& file : tailer_->Status()) {
      if (file.progress != nullptr) add(file.job, file.path, *file.progress);
    }
    for (const DockerLogStatus& log : docker_logs_->Status())
      add(log.job, log.name, *log.progress);
    for (const auto& receiver : receivers_) {
      for (const ReceiverStatus& source : receiver->Status()) {
        if (source.progress != nullptr) add(source.job, source.source, *source.progress);
      }
    }
  }
  return rows;
}

std::string Agent::ConfigText() const {
  return EffectiveYaml(generation_->config());
}

void Agent::CollectMetrics(Exposition& page) {
  generation_->engine().CollectMetrics(page);
  for (const auto& metric : generation_->custom_metrics().all()) {
    page.AddCustom(ToFamily(*metric, dependencies_.clock.MonotonicNanos()));
    const std::string& name = metric->definition().name;
    page.Add("agent_custom_metrics_series", {name}, static_cast<double>(metric->series()));
    if (metric->exceeded() > 0) {
      page.Add("agent_custom_metrics_series_exceeded_total", {name},
               static_cast<double>(metric->exceeded()));
    }
    if (metric->rejected() > 0) {
      page.Add("agent_custom_metrics_rejected_total", {metric->definition().name},
               static_cast<double>(metric->rejected()));
    }
  }
  page.Add("promtail_config_reload_success_total", {}, static_cast<double>(reloads_));
  page.Add("promtail_config_reload_fail_total", {}, static_cast<double>(failed_reloads_));
  page.Add("agent_config_last_reload_successful", {}, last_reload_ok_ ? 1 : 0);
  page.Add("agent_config_last_reload_success_timestamp_seconds", {},
           static_cast<double>(config_loaded_wall_ns_) / static_cast<double>(kNanosPerSecond));
  page.Add("agent_config_hash", {},
           static_cast<double>(generation_->config().text_hash & 0xffffffffffffULL));
  page.Add("agent_build_info", {AGENT_VERSION, "", "g++ " __VERSION__}, 1);
  page.Add("promtail_build_info", {"", "amd64", "linux", "", "", "", AGENT_VERSION}, 1);
  for (const auto& [reason, count] : generation_->failed_targets()) {
    page.Add("promtail_targets_failed_total", {reason}, static_cast<double>(count));
  }
  for (const Generation::Job& job : generation_->jobs())
    job.discoverer->CollectMetrics(page);
  if (tailer_ != nullptr) CollectFiles(page);
  for (const auto& receiver : receivers_)
    receiver->CollectMetrics(page);
  if (docker_logs_ != nullptr && docker_logs_->entries() + docker_logs_->parsing_errors() > 0) {
    page.Add("promtail_docker_target_entries_total", {},
             static_cast<double>(docker_logs_->entries()));
    page.Add("promtail_docker_target_parsing_errors_total", {},
             static_cast<double>(docker_logs_->parsing_errors()));
  }
}

void Agent::CollectFiles(MetricSink& sink) const {
  tailer_->CollectMetrics(sink);
  const TailerCounters counters = tailer_->counters();
  const auto count = [&sink](std::string_view name, uint64_t value) {
    sink.Add(name, {}, static_cast<double>(value));
  };
  count("promtail_files_active_total", counters.files_active);
  count("promtail_targets_active_total", generation_->Targets().size());
  count("agent_open_files", counters.files_open);
  count("agent_held_deleted_files", counters.files_deleted);
  count("agent_files_refused", counters.files_refused);
  count("agent_polled_directories", counters.polled_directories);
  count("agent_positions_write_failures_total", positions_->write_failures());
  count("agent_file_truncations_total", counters.truncations);
  count("agent_file_truncated_bytes_lost_total", counters.lost_bytes);

  // By path: a rotated file and its successor have the same one; the latest is what the path names.
  std::map<std::string, FileStatus> latest;
  std::map<std::string, uint64_t> lines;
  for (FileStatus& file : tailer_->Status()) {
    lines[file.path] += file.lines;
    const bool in_place = file.place == file.path;
    if (in_place || latest.find(file.path) == latest.end()) latest[file.path] = std::move(file);
  }
  for (const auto& [path, file] : latest) {
    sink.Add("promtail_read_bytes_total", {path}, static_cast<double>(file.read_offset));
    sink.Add("promtail_file_bytes_total", {path}, static_cast<double>(file.size_bytes));
    sink.Add("promtail_read_lines_total", {path}, static_cast<double>(lines[path]));
  }
}

}  // namespace agent
