// `outputs` as YAML.

#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/effective_parts.h"
#include "base/http/http_url.h"

namespace agent::effective {
namespace {

void WriteIndices(YamlWriter& out, const ElasticsearchConfig& config) {
  if (config.indices.empty()) return;
  out.BeginList("indices");
  for (const ConditionalIndexConfig& rule : config.indices) {
    out.BeginItem();
    out.Text("index", rule.index);
    out.BeginMap("when");
    out.BeginMap(rule.equals ? "equals" : "contains");
    out.Text(rule.field, rule.equals.value_or(rule.contains.value_or("")));
    out.EndMap();
    out.EndMap();
    out.EndItem();
  }
  out.EndList();
}

void WriteIndexing(YamlWriter& out, const ElasticsearchConfig& config) {
  if (config.data_stream) {
    out.BeginMap("data_stream");
    out.Text("type", config.data_stream->type);
    out.Text("dataset", config.data_stream->dataset);
    out.Text("namespace", config.data_stream->name_space);
    out.EndMap();
  } else {
    out.Text("index", config.index);
  }
  WriteIndices(out, config);
  out.OptionalText("index_fallback", config.index_fallback);
  WriteNumber(out, "max_indices_per_hour", config.max_indices_per_hour);
  out.Bool("require_alias", config.require_alias);
  out.Text("id_mode", config.id_mode);
  out.OptionalText("pipeline", config.pipeline);
  out.Bool("require_items", config.require_items);
}

void WriteTemplate(YamlWriter& out, const TemplateOptions& index_template) {
  out.BeginMap("template");
  out.Bool("enabled", index_template.enabled);
  out.Text("name", index_template.name);
  out.Text("pattern", index_template.pattern);
  WriteNumber(out, "priority", index_template.priority);
  out.Bool("data_stream", index_template.data_stream);
  out.Bool("overwrite", index_template.overwrite);
  WritePairs(out, "settings", index_template.settings);
  if (!index_template.append_fields.empty()) {
    out.BeginList("append_fields");
    for (const TemplateField& field : index_template.append_fields) {
      out.BeginItem();
      out.Text("name", field.name);
      for (const auto& [name, value] : field.parameters)
        out.Text(name, value);
      out.EndItem();
    }
    out.EndList();
  }
  out.EndMap();
}

void WriteSetup(YamlWriter& out, const ElasticsearchSetup& setup) {
  out.OptionalText("version", setup.version);
  out.BeginMap("setup");
  WriteTemplate(out, setup.index_template);
  const LifecycleOptions& lifecycle = setup.lifecycle;
  out.BeginMap("ilm");
  constexpr std::array<std::string_view, 3> kEnabled = {"false", "auto", "true"};
  out.Word("enabled", kEnabled[static_cast<std::size_t>(lifecycle.mode)]);
  out.Text("policy_name", lifecycle.policy_name);
  out.OptionalText("policy_file", setup.policy_file);
  out.OptionalText("rollover_alias", lifecycle.rollover_alias);
  out.Text("pattern", lifecycle.pattern);
  out.Bool("check_exists", lifecycle.check_exists);
  out.Bool("overwrite", lifecycle.overwrite);
  out.EndMap();
  out.EndMap();
}

void WriteElasticsearch(YamlWriter& out, const ElasticsearchConfig& config) {
  out.BeginMap("elasticsearch");
  std::vector<std::string> hosts;
  for (const std::string& host : config.hosts)
    hosts.push_back(MaskedUrl(host));
  WriteList(out, "hosts", hosts);
  out.Bool("load_balance", config.load_balance);
  WriteNumber(out, "workers", config.workers);
  WriteHttp(out, config.http);
  WritePairs(out, "headers", config.headers);
  WriteIndexing(out, config);
  WriteNumber(out, "batch_max_entries", config.batch_entries);
  WriteNumber(out, "batch_max_size", config.batch_bytes);
  WriteDuration(out, "batch_wait", config.batch_wait);
  WriteNumber(out, "compression_level", config.compression_level);
  WriteDuration(out, "timeout", config.timeout);
  WriteBackoff(out, config.backoff);
  if (config.backoff.max_retries_given) WriteNumber(out, "max_retries", config.backoff.max_retries);
  WriteDuration(out, "max_item_retry_age", config.max_item_retry);
  WriteDocument(out, config.document);
  if (config.setup) WriteSetup(out, *config.setup);
  out.EndMap();
}

void WriteFormat(YamlWriter& out, const FileConfig& config) {
  out.Text("format", config.format);
  if (config.format == "ndjson") WriteDocument(out, config.document);
  WriteDuration(out, "batch_wait", config.batch_wait);
}

void WriteFile(YamlWriter& out, const FileConfig& config) {
  out.BeginMap("file");
  out.Text("path", config.path);
  WriteFormat(out, config);
  out.Text("compression", config.compression);
  if (config.compression_level > 0) WriteNumber(out, "compression_level", config.compression_level);
  if (config.rotate_bytes > 0) WriteNumber(out, "rotate_size", config.rotate_bytes);
  if (config.rotate_interval.count() > 0) {
    WriteDuration(out, "rotate_interval", config.rotate_interval);
  }
  if (config.keep > 0) WriteNumber(out, "keep", config.keep);
  out.Text("sync", config.sync);
  std::array<char, 8> mode{};
  std::snprintf(mode.data(), mode.size(), "%04o", config.mode);
  out.Text("mode", mode.data());
  out.OptionalText("owner", config.owner);
  WriteNumber(out, "max_open_files", config.max_open_files);
  WriteNumber(out, "batch_max_size", config.batch_bytes);
  out.BeginMap("backoff");
  WriteDuration(out, "min_period", config.min_backoff);
  WriteDuration(out, "max_period", config.max_backoff);
  out.EndMap();
  out.EndMap();
}

}  // namespace

void WriteDocument(YamlWriter& out, const DocumentConfig& document) {
  out.BeginMap("document");
  out.Text("layout", document.layout);
  WriteList(out, "fields", document.fields);
  out.OptionalText("fields_target", document.fields_target);
  out.Text("metadata_target", document.metadata_target);
  if (document.json) {
    out.BeginMap("json");
    out.Bool("keys_under_root", document.json->keys_under_root);
    out.Bool("overwrite_keys", document.json->overwrite_keys);
    out.Bool("add_error_key", document.json->add_error_key);
    out.Bool("drop_line", document.json->drop_line);
    out.EndMap();
  }
  WriteList(out, "tags", document.tags);
  WritePairs(out, "add", document.add);
  WriteList(out, "remove", document.remove);
  WritePairs(out, "rename", document.rename);
  out.OptionalText("de_dot", document.de_dot);
  if (document.max_message_bytes > 0) {
    WriteNumber(out, "max_message_size", document.max_message_bytes);
  }
  out.EndMap();
}

void WriteBackoff(YamlWriter& out, const BackoffConfig& backoff) {
  out.BeginMap("backoff");
  WriteDuration(out, "min_period", backoff.min_period);
  WriteDuration(out, "max_period", backoff.max_period);
  out.EndMap();
}

void WriteBuffer(YamlWriter& out, const BufferConfig& buffer) {
  if (buffer == BufferConfig{}) return;
  out.BeginMap("buffer");
  out.Text("type", buffer.type == BufferType::kNone ? "none" : "disk");
  out.OptionalText("path", buffer.path);
  WriteNumber(out, "max_size", buffer.max_size_bytes);
  constexpr std::array<std::string_view, 3> kWhenFull = {"block", "drop_oldest", "drop_newest"};
  out.Text("when_full", kWhenFull[static_cast<std::size_t>(buffer.when_full)]);
  constexpr std::array<std::string_view, 3> kSync = {"interval", "always", "never"};
  out.Text("sync", kSync[static_cast<std::size_t>(buffer.sync)]);
  if (buffer.min_free_bytes) WriteNumber(out, "min_free", *buffer.min_free_bytes);
  out.EndMap();
}

void WriteOutputs(YamlWriter& out, const std::vector<OutputConfig>& outputs) {
  if (outputs.empty()) return;
  out.BeginList("outputs");
  for (const OutputConfig& output : outputs) {
    out.BeginItem();
    out.Text("name", output.name);
    if (output.elasticsearch) WriteElasticsearch(out, *output.elasticsearch);
    if (output.file) WriteFile(out, *output.file);
    if (output.to_stdout) {
      out.BeginMap("stdout");
      WriteFormat(out, *output.to_stdout);
      out.EndMap();
    }
    if (output.logstash) WriteLogstash(out, *output.logstash);
    WriteBuffer(out, output.buffer);
    out.Bool("required", output.required);
    out.EndItem();
  }
  out.EndList();
}

}  // namespace agent::effective
