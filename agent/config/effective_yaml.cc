#include "agent/config/effective_yaml.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/effective_parts.h"
#include "agent/config/yaml_writer.h"
#include "base/go_format.h"
#include "base/http/http_url.h"

namespace agent {

std::string_view TlsVersionName(TlsVersion version) {
  switch (version) {
    case TlsVersion::kTls10:
      return "TLS10";
    case TlsVersion::kTls11:
      return "TLS11";
    case TlsVersion::kTls12:
      return "TLS12";
    case TlsVersion::kTls13:
      return "TLS13";
    case TlsVersion::kDefault:
      break;
  }
  return "";
}

namespace {

using effective::WriteBuffer;
using effective::WriteDuration;
using effective::WriteHttp;
using effective::WriteLabels;
using effective::WriteList;
using effective::WriteLokiPush;
using effective::WriteNumber;
using effective::WriteOutputs;
using effective::WritePairs;
using effective::WriteServer;
using effective::WriteSyslog;

void WriteClient(YamlWriter& out, const ClientConfig& client) {
  out.Text("name", client.name);
  out.Text("url", MaskedUrl(client.url));
  WriteDuration(out, "batchwait", client.batch_wait);
  WriteNumber(out, "batchsize", client.batch_size_bytes);
  WriteHttp(out, client.http);
  WritePairs(out, "headers", client.headers);
  out.BeginMap("backoff_config");
  WriteDuration(out, "min_period", client.backoff.min_period);
  WriteDuration(out, "max_period", client.backoff.max_period);
  WriteNumber(out, "max_retries", client.backoff.max_retries);
  out.EndMap();
  WriteLabels(out, "external_labels", client.external_labels);
  WriteDuration(out, "timeout", client.timeout);
  out.Text("tenant_id", client.tenant_id);
  out.Bool("drop_rate_limited_batches", client.drop_rate_limited_batches);
  WriteBuffer(out, client.buffer);
  if (!client.required) out.Bool("required", false);
}

std::string_view ActionName(RelabelAction action) {
  constexpr std::array<std::string_view, 11> kNames = {
      "replace",  "keep",      "drop",      "keepequal", "dropequal", "hashmod",
      "labelmap", "labeldrop", "labelkeep", "lowercase", "uppercase"};
  return kNames[static_cast<std::size_t>(action)];
}

// Only what is not the default: some actions refuse keys that they do not use.
void WriteRule(YamlWriter& out, const RelabelRule& rule) {
  const RelabelRule defaults;
  out.BeginItem();
  out.Text("action", ActionName(rule.action));
  WriteList(out, "source_labels", rule.source_labels);
  if (rule.separator != defaults.separator) out.Text("separator", rule.separator);
  if (rule.regex != defaults.regex) out.Text("regex", rule.regex);
  if (rule.modulus != 0) WriteNumber(out, "modulus", rule.modulus);
  out.OptionalText("target_label", rule.target_label);
  if (rule.replacement != defaults.replacement) out.Text("replacement", rule.replacement);
  out.EndItem();
}

void WriteFileSd(YamlWriter& out, const std::vector<FileSdConfig>& configs) {
  if (configs.empty()) return;
  out.BeginList("file_sd_configs");
  for (const FileSdConfig& config : configs) {
    out.BeginItem();
    WriteList(out, "files", config.files);
    out.Word("refresh_interval", FormatPrometheusDuration(config.refresh_interval));
    out.EndItem();
  }
  out.EndList();
}

std::string_view RoleName(KubeRole role) {
  constexpr std::array<std::string_view, 6> kNames = {"pod",       "node",          "service",
                                                      "endpoints", "endpointslice", "ingress"};
  return kNames[static_cast<std::size_t>(role)];
}

void WriteKubernetesSd(YamlWriter& out, const KubernetesSdConfig& config) {
  out.BeginItem();
  out.Text("role", RoleName(config.role));
  out.OptionalText("api_server", MaskedUrl(config.api_server));
  out.OptionalText("kubeconfig_file", config.kubeconfig_file);
  if (!(config.http == HttpClientConfig{})) WriteHttp(out, config.http);
  out.BeginMap("namespaces");
  out.Bool("own_namespace", config.own_namespace);
  WriteList(out, "names", config.namespaces);
  out.EndMap();
  if (!config.selectors.empty()) {
    out.BeginList("selectors");
    for (const KubeSelector& selector : config.selectors) {
      out.BeginItem();
      out.Text("role", RoleName(selector.role));
      out.OptionalText("label", selector.label);
      out.OptionalText("field", selector.field);
      out.EndItem();
    }
    out.EndList();
  }
  out.BeginMap("attach_metadata");
  out.Bool("node", config.attach.node);
  out.Bool("namespace", config.attach.of_namespace);
  out.Bool("deployment", config.attach.deployment);
  out.Bool("job", config.attach.job);
  out.Bool("cronjob", config.attach.cronjob);
  out.EndMap();
  if (config.role == KubeRole::kPod) {
    WriteDuration(out, "label_wait", config.label_wait);
    out.Text("pod_logs_path", config.pod_logs_path);
  }
  WriteList(out, "log_roots", config.log_roots);
  out.EndItem();
}

void WriteDockerSd(YamlWriter& out, const std::vector<DockerSdConfig>& configs) {
  if (configs.empty()) return;
  out.BeginList("docker_sd_configs");
  for (const DockerSdConfig& config : configs) {
    out.BeginItem();
    out.Text("host", MaskedUrl(config.host));
    WriteNumber(out, "port", config.port);
    out.Text("host_networking_host", config.host_networking_host);
    out.Bool("match_first_network", config.match_first_network);
    if (!config.filters.empty()) {
      out.BeginList("filters");
      for (const auto& [name, values] : config.filters) {
        out.BeginItem();
        out.Text("name", name);
        WriteList(out, "values", values);
        out.EndItem();
      }
      out.EndList();
    }
    out.Word("refresh_interval", FormatPrometheusDuration(config.refresh_interval));
    out.OptionalText("log_path_prefix", config.log_path_prefix);
    out.Word("exited_max_age", FormatPrometheusDuration(config.exited_max_age));
    WriteHttp(out, config.http);
    out.EndItem();
  }
  out.EndList();
}

void WriteJournal(YamlWriter& out, const JournalConfig& config) {
  out.BeginMap("journal");
  out.OptionalText("path", config.path);
  // Said only where it was: what is older is skipped then.
  if (config.max_age_given) WriteDuration(out, "max_age", config.max_age);
  out.Bool("json", config.json);
  WriteLabels(out, "labels", config.labels);
  std::string matches;
  for (const std::string& match : config.matches)
    matches += (matches.empty() ? "" : " ") + match;
  out.OptionalText("matches", matches);
  out.EndMap();
}

void WriteScrape(YamlWriter& out, const ScrapeConfig& scrape) {
  out.BeginItem();
  out.Text("job_name", scrape.job_name);
  if (scrape.pipeline_stages != nullptr) out.Node("pipeline_stages", *scrape.pipeline_stages);
  if (!scrape.static_configs.empty()) {
    out.BeginList("static_configs");
    for (const StaticConfig& config : scrape.static_configs) {
      out.BeginItem();
      if (config.targets.empty() && config.labels.empty()) out.Word("targets", "[]");
      WriteList(out, "targets", config.targets);
      WriteLabels(out, "labels", config.labels);
      out.EndItem();
    }
    out.EndList();
  }
  out.OptionalText("encoding", scrape.encoding);
  if (scrape.decompression != DecompressionConfig{}) {
    out.BeginMap("decompression");
    out.Bool("enabled", scrape.decompression.enabled);
    out.OptionalText("format", scrape.decompression.format);
    WriteDuration(out, "initial_delay", scrape.decompression.initial_delay);
    out.EndMap();
  }
  WriteFileSd(out, scrape.file_sd_configs);
  if (!scrape.kubernetes_sd_configs.empty()) {
    out.BeginList("kubernetes_sd_configs");
    for (const KubernetesSdConfig& config : scrape.kubernetes_sd_configs)
      WriteKubernetesSd(out, config);
    out.EndList();
  }
  WriteDockerSd(out, scrape.docker_sd_configs);
  if (scrape.loki_push_api) WriteLokiPush(out, *scrape.loki_push_api);
  if (scrape.journal) WriteJournal(out, *scrape.journal);
  if (scrape.syslog) WriteSyslog(out, *scrape.syslog);
  if (!scrape.relabel_configs.empty()) {
    out.BeginList("relabel_configs");
    for (const RelabelRule& rule : scrape.relabel_configs)
      WriteRule(out, rule);
    out.EndList();
  }
  WriteList(out, "outputs", scrape.outputs);
  out.EndItem();
}

std::string_view OnExcessName(OnExcess on_excess) {
  switch (on_excess) {
    case OnExcess::kStructuredMetadata:
      return "structured_metadata";
    case OnExcess::kBucket:
      return "bucket";
    case OnExcess::kDropLabel:
      return "drop_label";
    case OnExcess::kNone:
      break;
  }
  return "none";
}

void WriteLimits(YamlWriter& out, const LimitsConfig& limits) {
  out.BeginMap("limits_config");
  std::string rate;
  AppendGoFloat(limits.readline_rate, rate);
  out.Word("readline_rate", rate);
  WriteNumber(out, "readline_burst", limits.readline_burst);
  out.Bool("readline_rate_enabled", limits.readline_rate_enabled);
  out.Bool("readline_rate_drop", limits.readline_rate_drop);
  WriteNumber(out, "max_streams", limits.max_streams);
  WriteNumber(out, "max_line_size", limits.max_line_size_bytes);
  out.Bool("max_line_size_truncate", limits.max_line_size_truncate);
  WriteNumber(out, "memory_budget", limits.memory_budget_bytes);
  WriteNumber(out, "workers", limits.workers);
  WriteNumber(out, "max_label_values", limits.max_label_values);
  out.Text("on_excess", OnExcessName(limits.on_excess));
  out.EndMap();
}

void WriteSmallSections(YamlWriter& out, const Config& config) {
  out.BeginMap("positions");
  WriteDuration(out, "sync_period", config.positions.sync_period);
  out.Text("filename", config.positions.filename);
  out.Bool("ignore_invalid_yaml", config.positions.ignore_invalid_yaml);
  out.EndMap();
  out.BeginMap("dead_letter");
  out.Text("path", config.dead_letter.path);
  WriteNumber(out, "max_size", config.dead_letter.max_size_bytes);
  out.EndMap();
}

}  // namespace

std::string EffectiveYaml(const Config& config) {
  YamlWriter out;
  out.BeginMap("global");
  out.BeginMap("file_watch_config");
  WriteDuration(out, "min_poll_frequency", config.file_watch.min_poll_frequency);
  WriteDuration(out, "max_poll_frequency", config.file_watch.max_poll_frequency);
  out.EndMap();
  out.EndMap();
  WriteServer(out, config.server);
  out.BeginList("clients");
  for (const ClientConfig& client : config.clients) {
    out.BeginItem();
    WriteClient(out, client);
    out.EndItem();
  }
  out.EndList();
  WriteOutputs(out, config.outputs);
  WriteSmallSections(out, config);
  if (!config.scrape_configs.empty()) {
    out.BeginList("scrape_configs");
    for (const ScrapeConfig& scrape : config.scrape_configs)
      WriteScrape(out, scrape);
    out.EndList();
  }
  out.BeginMap("target_config");
  WriteDuration(out, "sync_period", config.target.sync_period);
  out.Bool("stdin", config.target.stdin_target);
  out.EndMap();
  WriteLimits(out, config.limits);
  out.BeginMap("tracing");
  out.Bool("enabled", config.tracing_enabled);
  out.EndMap();
  return out.text();
}

std::string ClientsConfigured(const Config& config) {
  std::string text = "Clients configured:\n";
  for (const ClientConfig& client : config.clients) {
    YamlWriter out;
    WriteClient(out, client);
    text += "----------------------\n" + out.text() + "\n";
  }
  return text;
}

}  // namespace agent
