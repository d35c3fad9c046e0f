// `scrape_configs`: where to read, and through which pipeline.

#include <algorithm>
#include <array>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "agent/config/sections.h"
#include "base/text_encoding.h"

namespace agent {
namespace {

// Sources of Promtail's that are known, and not built.
constexpr std::array<std::string_view, 22> kNotBuilt = {"gelf",
                                                        "kafka",
                                                        "azure_event_hubs",
                                                        "gcplog",
                                                        "cloudflare",
                                                        "heroku_drain",
                                                        "windows_events",
                                                        "consul_sd_configs",
                                                        "consulagent_sd_configs",
                                                        "dns_sd_configs",
                                                        "ec2_sd_configs",
                                                        "gce_sd_configs",
                                                        "azure_sd_configs",
                                                        "openstack_sd_configs",
                                                        "digitalocean_sd_configs",
                                                        "dockerswarm_sd_configs",
                                                        "marathon_sd_configs",
                                                        "nerve_sd_configs",
                                                        "serverset_sd_configs",
                                                        "triton_sd_configs",
                                                        "lightsail_sd_configs",
                                                        "http_sd_configs"};

// At the key, not at what stands under it.
void RefuseNotBuilt(FieldReader& fields, std::string_view key, std::string_view hint) {
  Place place = fields.PlaceOf(key);
  for (const auto& [name, value] : fields.node().pairs()) {
    if (name.text() == key) place = name.place();
  }
  fields.Node(key);
  fields.problems().Error(place, fields.PathOf(key), std::string(key) + " is not built yet",
                          std::string(hint));
}

// Whether there was one.
bool RefuseSources(FieldReader& fields) {
  bool found = false;
  for (const std::string_view key : kNotBuilt) {
    const ConfigNode* node = fields.Node(key);
    if (node == nullptr || node->is_null()) continue;
    RefuseNotBuilt(fields, key, "files are read with static_configs");
    found = true;
  }
  return found;
}

// One of the lists is there and not empty, or wrong in another way, which was reported.
bool HasAnyOf(FieldReader& fields, std::initializer_list<std::string_view> keys) {
  return std::any_of(keys.begin(), keys.end(), [&fields](std::string_view key) {
    const ConfigNode* list = fields.Node(key);
    return list != nullptr && !list->is_null() && !(list->is_sequence() && list->items().empty());
  });
}

void ReadStaticConfigs(FieldReader& fields, ScrapeConfig& scrape) {
  fields.List("static_configs", [&](const ConfigNode& item, const std::string& path) {
    if (item.is_null()) {
      fields.problems().Error(item.place(), path, "empty or null section in static_configs");
      return;
    }
    FieldReader entry(item, path, fields.problems());
    StaticConfig config;
    config.targets = entry.StringList("targets");
    config.labels = ReadLabels(entry, "labels");
    entry.Finish();
    scrape.static_configs.push_back(std::move(config));
  });
}

// A job reads one kind of source: where it has two, Promtail takes the first.
void ChooseSource(FieldReader& fields, ScrapeConfig& scrape) {
  if (!scrape.journal) return;
  if (!HasAnyOf(fields, {"static_configs", "file_sd_configs", "kubernetes_sd_configs",
                         "docker_sd_configs"})) {
    return;
  }
  fields.Warning("journal", "the job finds files or containers as well: the journal is not read",
                 "give the journal a job of its own");
  scrape.journal.reset();
}

// The same for what Promtail looks at before syslog, and after it.
void ChooseBesideSyslog(FieldReader& fields, ScrapeConfig& scrape) {
  if (!scrape.syslog) return;
  const auto leave_out = [&fields](std::string_view key) {
    fields.Warning(key, "is not used: the job has another kind of source",
                   "give it a job of its own");
  };
  const bool comes_second =
      HasAnyOf(fields, {"static_configs", "file_sd_configs", "kubernetes_sd_configs", "journal"});
  if (comes_second) {
    leave_out("syslog");
    scrape.syslog.reset();
    return;
  }
  if (scrape.loki_push_api) leave_out("loki_push_api");
  if (!scrape.docker_sd_configs.empty()) leave_out("docker_sd_configs");
  scrape.loki_push_api.reset();
  scrape.docker_sd_configs.clear();
}

// Empty where UTF-8 is meant.
std::string ReadEncoding(FieldReader& fields) {
  std::string encoding = fields.String("encoding");
  const std::string wrong = TextEncoding::WhatIsWrongWith(encoding);
  if (!wrong.empty()) {
    fields.Error("encoding", "encoding '" + encoding + "': " + wrong,
                 "a name such as UTF-16, UTF-16LE, ISO-8859-1, windows-1252 or Shift_JIS");
  }
  return TextEncoding::IsPlain(encoding) ? "" : encoding;
}

DecompressionConfig ReadDecompression(FieldReader& fields) {
  DecompressionConfig config;
  const ConfigNode* node = fields.Node("decompression");
  if (node == nullptr || node->is_null()) return config;
  FieldReader entry(*node, fields.PathOf("decompression"), fields.problems());
  config.enabled = entry.Bool("enabled", false);
  config.initial_delay = entry.Duration("initial_delay", {});
  const std::size_t errors = fields.problems().error_count();
  config.format = entry.Choice("format", "", {"", "bz2", "gz", "z", "zst"});
  if (config.enabled && config.format.empty() && fields.problems().error_count() == errors) {
    entry.MapError("format is missing: it says how the files are compressed",
                   "one of bz2, gz, z, zst");
  }
  entry.Finish();
  return config;
}

void ReadStages(FieldReader& fields, const std::shared_ptr<const ConfigNode>& tree,
                ScrapeConfig& scrape) {
  scrape.pipeline_path = fields.PathOf("pipeline_stages");
  const ConfigNode* stages = fields.Node("pipeline_stages");
  if (stages == nullptr || stages->is_null()) return;
  if (!stages->is_sequence()) {
    fields.Error("pipeline_stages",
                 "expected a list of stages, got " + std::string(stages->KindName()),
                 stages->is_map() ? "put '- ' before each stage" : "");
    return;
  }
  scrape.pipeline_stages = std::shared_ptr<const ConfigNode>(tree, stages);
}

void WarnWithoutPath(FieldReader& fields, const ScrapeConfig& scrape) {
  if (!scrape.relabel_configs.empty()) return;
  const bool has_path = std::any_of(
      scrape.static_configs.begin(), scrape.static_configs.end(),
      [](const StaticConfig& config) { return !config.labels.Value("__path__").empty(); });
  if (has_path || scrape.static_configs.empty() || !scrape.file_sd_configs.empty()) return;
  if (!scrape.kubernetes_sd_configs.empty()) return;
  fields.Warning("static_configs", "no label __path__: no file is read",
                 "add __path__: /var/log/app/*.log to labels");
}

}  // namespace

ScrapeConfig ReadScrape(const ConfigNode& node, const std::string& path,
                        const std::shared_ptr<const ConfigNode>& tree, Problems& problems) {
  FieldReader fields(node, path, problems);
  ScrapeConfig scrape;
  scrape.path = path;
  scrape.job_name = fields.String("job_name");
  const ConfigNode* name = fields.Node("job_name");
  if (scrape.job_name.empty() && (name == nullptr || name->is_null() || name->is_scalar())) {
    fields.Error("job_name", "job_name is empty", "every job needs a name of its own");
  }
  ReadStaticConfigs(fields, scrape);
  scrape.file_sd_configs = ReadFileSd(fields);
  scrape.kubernetes_sd_configs = ReadKubernetesSd(fields);
  scrape.docker_sd_configs = ReadDockerSd(fields);
  scrape.loki_push_api = ReadLokiPush(fields);
  scrape.journal = ReadJournal(fields);
  ChooseSource(fields, scrape);
  scrape.syslog = ReadSyslog(fields);
  ChooseBesideSyslog(fields, scrape);
  const bool refused = RefuseSources(fields);
  scrape.relabel_configs = ReadRelabelRules(fields);
  ReadStages(fields, tree, scrape);
  scrape.encoding = ReadEncoding(fields);
  scrape.decompression = ReadDecompression(fields);
  scrape.outputs = fields.StringList("outputs");
  if (!refused && !HasAnyOf(fields, {"static_configs", "file_sd_configs", "kubernetes_sd_configs",
                                     "docker_sd_configs", "loki_push_api", "journal", "syslog"})) {
    fields.MapError("no valid target scrape config defined for \"" + scrape.job_name + "\"",
                    "add static_configs with a label __path__");
  }
  WarnWithoutPath(fields, scrape);
  fields.Finish();
  return scrape;
}

}  // namespace agent
