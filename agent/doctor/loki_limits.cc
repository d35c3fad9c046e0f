#include "agent/doctor/loki_limits.h"

#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <ctime>
#include <set>
#include <string_view>

#include "agent/doctor/fetch.h"
#include "agent/doctor/survey.h"
#include "agent/doctor/system.h"
#include "agent/tail/positions_file.h"

namespace agent::doctor {
namespace {

constexpr std::size_t kMaxPositionsBytes = std::size_t{64} << 20;
// Files of which the age is looked at.
constexpr std::size_t kMaxAged = 20'000;

std::string Limit(const ConfigNode& shown, const std::string& name) {
  return TextAt(shown, {"limits_config", name});
}

// Names that stages of this kind set, at any depth.
void CollectKeys(const ConfigNode& node, std::string_view stage, std::set<std::string>& keys) {
  for (const ConfigNode& item : node.items())
    CollectKeys(item, stage, keys);
  for (const auto& [key, value] : node.pairs()) {
    if (key.text() == stage) {
      for (const auto& [name, source] : value.pairs())
        keys.insert(name.text());
    } else {
      CollectKeys(value, stage, keys);
    }
  }
}

bool HasStage(const ConfigNode& node, std::string_view stage) {
  const auto in_item = [stage](const ConfigNode& item) { return HasStage(item, stage); };
  const auto in_pair = [stage](const ConfigNode::Pair& pair) {
    return pair.first.text() == stage || HasStage(pair.second, stage);
  };
  return std::any_of(node.items().begin(), node.items().end(), in_item) ||
         std::any_of(node.pairs().begin(), node.pairs().end(), in_pair);
}

// Labels that an entry of the job can have, at most.
std::size_t MostLabels(const Subject& subject, const ScrapeConfig& job,
                       const ClientConfig& client) {
  std::set<std::string> common;
  for (const Label& label : client.external_labels)
    common.insert(label.name);
  if (job.pipeline_stages != nullptr) {
    CollectKeys(*job.pipeline_stages, "labels", common);
    CollectKeys(*job.pipeline_stages, "static_labels", common);
  }
  std::size_t most = common.size();
  for (const KnownTargets::Job& known : subject.targets.jobs) {
    if (known.name != job.job_name) continue;
    for (const auto& target : known.targets) {
      std::set<std::string> names = common;
      for (const Label& label : target->labels)
        names.insert(label.name);
      if (!target->path.empty()) names.insert("filename");
      most = std::max(most, names.size());
    }
  }
  return most;
}

void CheckLabels(const Subject& subject, const ClientConfig& client, const ConfigNode& shown,
                 const Group& group) {
  const std::string text = Limit(shown, "max_label_names_per_series");
  const auto limit = static_cast<std::size_t>(std::strtoull(text.c_str(), nullptr, 10));
  if (limit == 0) return;
  for (const ScrapeConfig& job : subject.config.scrape_configs) {
    if (!SendsTo(job, client.name)) continue;
    const std::size_t most = MostLabels(subject, job, client);
    if (most <= limit) continue;
    group.Failure("loki.label_names",
                  "job " + job.job_name + " gives entries up to " + std::to_string(most) +
                      " labels, Loki takes " + text,
                  {"entries with more are refused, and go to the dead letter",
                   "a labeldrop stage, or structured_metadata in place of labels; in Loki: "
                   "limits_config: { max_label_names_per_series: " +
                       std::to_string(most) + " }"});
  }
}

void CheckMetadata(const Subject& subject, const ClientConfig& client, const ConfigNode& shown,
                   const Group& group) {
  const std::string allowed = Limit(shown, "allow_structured_metadata");
  if (allowed != "false") return;
  for (const ScrapeConfig& job : subject.config.scrape_configs) {
    if (!SendsTo(job, client.name) || job.pipeline_stages == nullptr) continue;
    if (!HasStage(*job.pipeline_stages, "structured_metadata")) continue;
    group.Failure("loki.structured_metadata",
                  "job " + job.job_name + " sends structured metadata, and Loki takes none",
                  {"its entries are refused, and go to the dead letter",
                   "in Loki: limits_config: { allow_structured_metadata: true }, with schema v13"});
  }
}

void CheckLines(const Subject& subject, const ConfigNode& shown, const Group& group) {
  const std::optional<uint64_t> limit = ParseGoSize(Limit(shown, "max_line_size"));
  if (!limit || *limit == 0) return;
  const bool cuts = Limit(shown, "max_line_size_truncate") == "true";
  const LimitsConfig& ours = subject.config.limits;
  const bool fits = ours.max_line_size_bytes > 0 && ours.max_line_size_bytes <= *limit;
  if (cuts || fits) {
    group.Ok("loki.line_size",
             "lines up to " + Bytes(*limit) +
                 (cuts ? "; Loki cuts longer ones" : "; longer ones are not sent"));
    return;
  }
  group.Note("loki.line_size", "Loki takes lines up to " + Bytes(*limit),
             {"longer ones are refused, and go to the dead letter",
              "limits_config: { max_line_size: " + std::to_string(*limit) +
                  ", max_line_size_truncate: true }"});
}

// Files with lines that were not sent yet, and are too old by the file's time.
void CheckAge(const Subject& subject, const ConfigNode& shown, const Group& group) {
  if (Limit(shown, "reject_old_samples") != "true") return;
  const std::optional<int64_t> max_age =
      ParseGoDuration(Limit(shown, "reject_old_samples_max_age"));
  if (!max_age || *max_age <= 0) return;
  const std::string days = std::to_string(*max_age / 3600) + " hours";
  PositionEntries positions;
  if (const auto text = ReadWholeFile(subject.config.positions.filename, kMaxPositionsBytes);
      text.ok())
    positions = ParsePositions(*text).entries;
  const Survey survey = SurveyFiles(subject.targets.patterns);
  std::size_t old = 0;
  std::string first;
  for (std::size_t i = 0; i < survey.files.size() && i < kMaxAged; ++i) {
    const SurveyedFile& file = survey.files[i];
    if (file.size == 0 || file.modified_s > std::time(nullptr) - *max_age) continue;
    const auto at = positions.find(file.path);
    if (at != positions.end() && ParseOffset(at->second).value_or(0) >= file.size) continue;
    if (old++ == 0) first = file.path;
  }
  if (old == 0) {
    group.Ok("loki.old_samples", "Loki takes entries up to " + days + " old");
    return;
  }
  group.Warning(
      "loki.old_samples",
      first + (old > 1 ? " and " + Count(old - 1, "more file") : "") +
          " not read yet, and last written more than " + days + " ago, which Loki takes nothing of",
      {"if their lines have times of their own, they are refused, and go to the dead letter",
       "in Loki: limits_config: { reject_old_samples: false }; or leave the files out with "
       "__path_exclude__"});
}

void CheckBatch(const ClientConfig& client, const ConfigNode& shown, const Group& group) {
  const uint64_t grpc = std::strtoull(
      TextAt(shown, {"server", "grpc_server_max_recv_msg_size"}).c_str(), nullptr, 10);
  if (grpc == 0 || client.batch_size_bytes * 2 <= grpc) return;
  group.Warning("loki.batch_size",
                "batchsize is " + Bytes(client.batch_size_bytes) +
                    ", and Loki hands on messages of up to " + Bytes(grpc),
                {"large requests fail with 500", "batchsize: 1048576   # in the client"});
}

}  // namespace

bool SendsTo(const ScrapeConfig& job, const std::string& output) {
  return job.outputs.empty() ||
         std::find(job.outputs.begin(), job.outputs.end(), output) != job.outputs.end();
}

std::optional<uint64_t> ParseGoSize(const std::string& text) {
  if (text.empty() || std::isdigit(static_cast<unsigned char>(text.front())) == 0)
    return std::nullopt;
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  std::string unit(end);
  while (!unit.empty() && unit.front() == ' ')
    unit.erase(0, 1);
  double factor = 1;
  switch (unit.empty()
              ? 'B'
              : static_cast<char>(std::toupper(static_cast<unsigned char>(unit.front())))) {
    case 'B':
      break;
    case 'K':
      factor = 1024.0;
      break;
    case 'M':
      factor = 1024.0 * 1024;
      break;
    case 'G':
      factor = 1024.0 * 1024 * 1024;
      break;
    default:
      return std::nullopt;
  }
  return static_cast<uint64_t>(number * factor);
}

std::optional<int64_t> ParseGoDuration(const std::string& text) {
  if (text.empty()) return std::nullopt;
  double seconds = 0;
  const char* at = text.c_str();
  while (*at != '\0') {
    char* end = nullptr;
    const double number = std::strtod(at, &end);
    if (end == at) return std::nullopt;
    const std::string_view rest = end;
    double factor = 0;
    std::size_t unit = 1;
    if (rest.starts_with("ms")) {
      factor = 0.001;
      unit = 2;
    } else if (!rest.empty()) {
      constexpr std::string_view kUnits = "smhdwy";
      constexpr double kFactors[] = {1,     60,     3600,
                                     86400, 604800, 31536000};  // NOLINT(modernize-avoid-c-arrays)
      const std::size_t which = kUnits.find(rest.front());
      if (which == std::string_view::npos) return std::nullopt;
      factor = kFactors[which];  // NOLINT(cppcoreguidelines-pro-bounds-constant-array-index)
    } else if (number != 0) {
      return std::nullopt;
    } else {
      unit = 0;
    }
    seconds += number * factor;
    at = end + unit;
  }
  return static_cast<int64_t>(seconds);
}

void ReportLokiLimits(const Subject& subject, const ClientConfig& client, const ConfigNode& shown,
                      const Group& group) {
  if (FindPath(shown, {"limits_config"}) == nullptr) {
    group.Note("loki.limits", "Loki shows no limits (/config)");
    return;
  }
  CheckLabels(subject, client, shown, group);
  CheckMetadata(subject, client, shown, group);
  CheckLines(subject, shown, group);
  CheckBatch(client, shown, group);
  CheckAge(subject, shown, group);
  const std::string rate = Limit(shown, "ingestion_rate_mb");
  const std::string stream_rate = Limit(shown, "per_stream_rate_limit");
  if (!rate.empty()) {
    group.Ok("loki.rate", "Loki takes " + rate + " MB/s of a tenant" +
                              (stream_rate.empty() ? "" : ", " + stream_rate + "/s of a stream") +
                              (Limit(shown, "volume_enabled") == "true" ? "; volumes are on" : ""));
  }
}

}  // namespace agent::doctor
