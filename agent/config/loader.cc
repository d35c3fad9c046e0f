#include "agent/config/loader.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/config/clients.h"
#include "agent/config/expand_env.h"
#include "agent/config/lint.h"
#include "agent/config/sections.h"
#include "base/config/field_reader.h"
#include "base/config/spelling.h"
#include "base/result.h"

namespace agent {
namespace {

std::string_view Trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// The first of the comma-separated names that exists; empty when there is none.
std::string FindFile(std::string_view list) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    std::string name(Trimmed(list.substr(0, end)));
    list.remove_prefix(std::min(end + 1, list.size()));
    struct stat status {};
    if (!name.empty() && ::stat(name.c_str(), &status) == 0) return name;
  }
  return {};
}

Result<std::string> ReadFile(const std::string& name) {
  struct stat status {};
  if (::stat(name.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
    return ErrnoError(EISDIR, "cannot be read");
  }
  errno = 0;
  std::ifstream file(name, std::ios::binary);
  if (!file) return ErrnoError(errno, "cannot be read");
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (file.bad()) return ErrnoError(errno == 0 ? EIO : errno, "cannot be read");
  return text;
}

// FNV-1a: only has to tell whether a text has changed.
uint64_t HashText(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  return hash;
}

void ReadPositions(FieldReader& top, PositionsConfig& positions) {
  const ConfigNode* node = top.Node("positions");
  if (node == nullptr) return;
  FieldReader fields(*node, "positions", top.problems());
  positions.filename = fields.String("filename", positions.filename);
  if (positions.filename.empty()) fields.Error("filename", "must not be empty");
  positions.sync_period = fields.Duration("sync_period", positions.sync_period);
  if (positions.sync_period.count() == 0) fields.Error("sync_period", "must be more than 0");
  positions.ignore_invalid_yaml = fields.Bool("ignore_invalid_yaml", positions.ignore_invalid_yaml);
  fields.Finish();
}

void ReadTarget(FieldReader& top, TargetConfig& target) {
  const ConfigNode* node = top.Node("target_config");
  if (node == nullptr) return;
  FieldReader fields(*node, "target_config", top.problems());
  target.sync_period = fields.Duration("sync_period", target.sync_period);
  if (target.sync_period.count() == 0) fields.Error("sync_period", "must be more than 0");
  target.stdin_target = fields.Bool("stdin", target.stdin_target);
  fields.Finish();
}

OnExcess ReadOnExcess(FieldReader& fields) {
  const std::string text =
      fields.Choice("on_excess", "none", {"none", "structured_metadata", "bucket", "drop_label"});
  if (text == "structured_metadata") return OnExcess::kStructuredMetadata;
  if (text == "bucket") return OnExcess::kBucket;
  return text == "drop_label" ? OnExcess::kDropLabel : OnExcess::kNone;
}

void ReadLimits(FieldReader& top, LimitsConfig& limits) {
  const ConfigNode* node = top.Node("limits_config");
  if (node == nullptr) return;
  constexpr int64_t kMaxInt = std::numeric_limits<int64_t>::max();
  FieldReader fields(*node, "limits_config", top.problems());
  limits.readline_rate_enabled = fields.Bool("readline_rate_enabled", limits.readline_rate_enabled);
  limits.readline_rate = fields.Float("readline_rate", limits.readline_rate, 0, 1e18);
  limits.readline_burst = static_cast<uint64_t>(
      fields.Int("readline_burst", static_cast<int64_t>(limits.readline_burst), 0, kMaxInt));
  limits.readline_rate_drop = fields.Bool("readline_rate_drop", limits.readline_rate_drop);
  limits.max_streams = static_cast<uint64_t>(fields.Int("max_streams", 0, 0, kMaxInt));
  limits.max_line_size_bytes = fields.Size("max_line_size", 0);
  limits.max_line_size_truncate =
      fields.Bool("max_line_size_truncate", limits.max_line_size_truncate);
  limits.memory_budget_bytes = fields.Size("memory_budget", 0);
  limits.workers = static_cast<uint32_t>(fields.Int("workers", 0, 0, 1024));
  limits.max_label_values = static_cast<uint64_t>(
      fields.Int("max_label_values", static_cast<int64_t>(limits.max_label_values), 0, 10'000'000));
  limits.on_excess = ReadOnExcess(fields);
  if (limits.on_excess != OnExcess::kNone && limits.max_label_values == 0) {
    fields.Warning("on_excess", "has no effect with max_label_values: 0");
  }
  fields.Finish();
}

void ReadGlobal(FieldReader& top, FileWatchConfig& watch) {
  const ConfigNode* node = top.Node("global");
  if (node == nullptr) return;
  FieldReader global(*node, "global", top.problems());
  if (const ConfigNode* inner = global.Node("file_watch_config")) {
    FieldReader fields(*inner, "global.file_watch_config", top.problems());
    watch.min_poll_frequency = fields.Duration("min_poll_frequency", watch.min_poll_frequency);
    watch.max_poll_frequency = fields.Duration("max_poll_frequency", watch.max_poll_frequency);
    fields.Finish();
  }
  global.Finish();
}

void ReadDeadLetter(FieldReader& top, DeadLetterConfig& dead_letter) {
  const ConfigNode* node = top.Node("dead_letter");
  if (node == nullptr) return;
  FieldReader fields(*node, "dead_letter", top.problems());
  dead_letter.path = fields.String("path");
  dead_letter.max_size_bytes = fields.Size("max_size", dead_letter.max_size_bytes);
  if (dead_letter.max_size_bytes == 0) fields.Error("max_size", "must be more than 0");
  fields.Finish();
}

// Sections that are accepted and do nothing, or little.
void ReadOthers(FieldReader& top, Config& config) {
  if (const ConfigNode* node = top.Node("options")) {
    FieldReader fields(*node, "options", top.problems());
    if (fields.Node("stream_lag_labels") != nullptr) {
      fields.Warning("stream_lag_labels", "has no effect", "leave it out");
    }
    fields.Finish();
  }
  if (const ConfigNode* node = top.Node("tracing")) {
    FieldReader fields(*node, "tracing", top.problems());
    config.tracing_enabled = fields.Bool("enabled", false);
    fields.Finish();
  }
  if (const ConfigNode* node = top.Node("wal"); node != nullptr && !node->is_null()) {
    top.Warning("wal", "has no effect: what is not delivered is read from its file again",
                "leave it out");
  }
}

void CheckJobNames(const std::vector<ScrapeConfig>& jobs, const ConfigNode& list,
                   Problems& problems) {
  std::map<std::string, std::string> paths;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (jobs[i].job_name.empty()) continue;
    const auto [first, fresh] = paths.try_emplace(jobs[i].job_name, jobs[i].path);
    if (fresh) continue;
    const ConfigNode* name = list.items()[i].Find("job_name");
    problems.Error(name->place(), jobs[i].path + ".job_name",
                   "found multiple scrape configs with job name \"" + jobs[i].job_name + "\"",
                   "the first is " + first->second);
  }
}

void CheckOutputNames(const Config& config, const ConfigNode& list, Problems& problems) {
  std::vector<std::string> names;
  names.reserve(config.clients.size());
  for (const ClientConfig& client : config.clients)
    names.push_back(client.name);
  for (const OutputConfig& output : config.outputs)
    names.push_back(output.name);
  for (std::size_t i = 0; i < config.scrape_configs.size(); ++i) {
    const ScrapeConfig& job = config.scrape_configs[i];
    for (std::size_t j = 0; j < job.outputs.size(); ++j) {
      if (std::find(names.begin(), names.end(), job.outputs[j]) != names.end()) continue;
      const std::string nearest = NearestSpelling(job.outputs[j], names);
      const ConfigNode* outputs = list.items()[i].Find("outputs");
      problems.Error(outputs->items()[j].place(), job.path + ".outputs[" + std::to_string(j) + "]",
                     "there is no output called '" + job.outputs[j] + "'",
                     nearest.empty() ? "they are named with `name` in clients and outputs"
                                     : "did you mean '" + nearest + "'?");
    }
  }
}

// Reads the jobs, and checks and lints their stages.
void ReadJobs(FieldReader& top, const std::shared_ptr<const ConfigNode>& tree,
              const StageChecker& check_stages, Config& config) {
  Problems& problems = top.problems();
  top.List("scrape_configs", [&](const ConfigNode& item, const std::string& path) {
    ScrapeConfig job = ReadScrape(item, path, tree, problems);
    if (const ConfigNode* rules = item.Find("relabel_configs")) {
      LintRelabelRules(*rules, path + ".relabel_configs", problems);
    }
    if (job.pipeline_stages != nullptr) {
      if (check_stages) {
        check_stages(*job.pipeline_stages, job.pipeline_path, job.job_name, problems);
      }
      LintStages(*job.pipeline_stages, job.pipeline_path, problems);
    }
    config.scrape_configs.push_back(std::move(job));
  });
  const ConfigNode* list = tree->Find("scrape_configs");
  if (list == nullptr || !list->is_sequence()) return;
  CheckJobNames(config.scrape_configs, *list, problems);
  CheckOutputNames(config, *list, problems);
}

bool GivesAddress(const Flags& flags) {
  return flags.Given("server.http-listen-address") || flags.Given("server.http-listen-port");
}

// What flags can make wrong too, and defaults that depend on other values.
void Complete(const Flags& flags, Config& config, Problems& problems) {
  ApplyFlags(flags, config);
  if (flags.Given("positions.file") && config.positions.filename.empty()) {
    problems.Error({}, "-positions.file", "must not be empty");
  }
  for (const auto& [name, value] :
       {std::pair("positions.sync-period", config.positions.sync_period),
        std::pair("target.sync-period", config.target.sync_period)}) {
    if (flags.Given(name) && value.count() == 0) {
      problems.Error({}, "-" + std::string(name), "must be more than 0");
    }
  }
  const FileWatchConfig& watch = config.file_watch;
  if (watch.min_poll_frequency.count() == 0 ||
      watch.max_poll_frequency < watch.min_poll_frequency) {
    problems.Error({}, "global.file_watch_config",
                   "min_poll_frequency must be more than 0, and max_poll_frequency not below it");
  }
  if (config.dead_letter.path.empty()) {
    const std::size_t slash = config.positions.filename.rfind('/');
    config.dead_letter.path =
        (slash == std::string::npos ? "" : config.positions.filename.substr(0, slash + 1)) +
        "dead-letter";
  }
  CompletePathPrefix(config.server.http_path_prefix);
}

void ReadConfig(const std::shared_ptr<const ConfigNode>& tree, const Flags& flags,
                const StageChecker& check_stages, Config& config, Problems& problems) {
  FieldReader top(*tree, "", problems);
  const ConfigNode* server = top.Node("server");
  if (server != nullptr) {
    config.server = ReadServer(*server, "server", problems);
  } else if (GivesAddress(flags)) {
    UsePromtailsAddress(config.server);
  }
  ReadPositions(top, config.positions);
  ReadTarget(top, config.target);
  ReadLimits(top, config.limits);
  ReadGlobal(top, config.file_watch);
  ReadDeadLetter(top, config.dead_letter);
  ReadOthers(top, config);
  config.clients = ReadClients(flags, top);
  config.outputs = ReadOutputs(top, config.clients);
  ReadJobs(top, tree, check_stages, config);
  CheckFileLoops(*tree, config, problems);
  top.Finish();
  Complete(flags, config, problems);
  LintSettings(*tree, config, problems);
  if (config.clients.empty() && config.outputs.empty() && !problems.has_errors()) {
    top.Warning("outputs", "no receiver is named: it cannot be started with this",
                "clients: [{url: http://loki:3100/loki/api/v1/push}]");
  }
}

}  // namespace

LoadedConfig LoadConfigText(const std::string& file, const std::string& text, const Flags& flags,
                            const StageChecker& check_stages, const Environment& environment) {
  LoadedConfig loaded;
  loaded.problems = Problems(file, text);
  loaded.config.file = file;
  auto tree = std::make_shared<ConfigNode>();
  if (flags.expand_env) {
    const auto expanded =
        std::make_shared<const ExpandedText>(ExpandEnv(text, environment, loaded.problems));
    // Shared: the problems may outlive this call.
    loaded.problems.MapPlaces([expanded](const Place& place) { return expanded->Original(place); });
    loaded.config.text_hash = HashText(expanded->text());
    *tree = LoadYaml(expanded->text(), loaded.problems);
  } else {
    loaded.config.text_hash = HashText(text);
    *tree = LoadYaml(text, loaded.problems);
    WarnOfUnexpanded(*tree, loaded.problems);
  }
  // After a syntax error there is no tree, and "no clients" would only mislead.
  if (tree->is_null() && loaded.problems.has_errors()) return loaded;
  ReadConfig(tree, flags, check_stages, loaded.config, loaded.problems);
  return loaded;
}

LoadedConfig LoadConfig(const Flags& flags, const StageChecker& check_stages,
                        const Environment& environment) {
  if (flags.config_file.empty()) return LoadConfigText("", "", flags, check_stages, environment);
  LoadedConfig loaded;
  const std::string file = FindFile(flags.config_file);
  if (file.empty()) {
    loaded.problems.Error(
        {}, {}, flags.config_file + " does not exist, set config.file for custom config path");
    return loaded;
  }
  const Result<std::string> text = ReadFile(file);
  if (!text.ok()) {
    loaded.problems = Problems(file, "");
    loaded.problems.Error({}, {}, text.error().message);
    return loaded;
  }
  return LoadConfigText(file, *text, flags, check_stages, environment);
}

SyntaxReport CheckSyntax(const Flags& flags, const StageChecker& check_stages,
                         const Environment& environment, bool color) {
  if (flags.config_file.empty()) return {"Invalid config file\n", kExitError};
  const LoadedConfig loaded = LoadConfig(flags, check_stages, environment);
  const std::size_t errors = loaded.problems.error_count();
  const std::size_t warnings = loaded.problems.warning_count();
  const auto count = [](std::size_t n, const char* what) {
    return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
  };
  std::string text = loaded.problems.Format(color);
  if (!text.empty()) text += "\n";
  if (errors == 0) {
    text += "Valid config file! No syntax issues found\n";
    if (warnings > 0) text += count(warnings, "warning") + "\n";
    return {std::move(text), kExitOk};
  }
  text += "Invalid config file: " + count(errors, "error");
  if (warnings > 0) text += ", " + count(warnings, "warning");
  text += "\n";
  return {std::move(text), kExitError};
}

}  // namespace agent
