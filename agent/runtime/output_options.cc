#include "agent/runtime/output_options.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <string_view>
#include <utility>

#include "agent/runtime/client_options.h"
#include "base/check.h"

namespace agent {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Checked when the file was read.
EventPattern ToPattern(const std::string& text) {
  auto pattern = EventPattern::Parse(text);
  CHECK(pattern.ok());
  return std::move(*pattern);
}

FieldType ToFieldType(std::string_view type) {
  if (type == "int") return FieldType::kInteger;
  if (type == "float") return FieldType::kFloat;
  return type == "bool" ? FieldType::kBool : FieldType::kString;
}

DocumentField ToField(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return {text, FieldType::kAsExtracted};
  return {text.substr(0, colon), ToFieldType(text.substr(colon + 1))};
}

DocumentLayout ToLayout(std::string_view layout) {
  if (layout == "flat") return DocumentLayout::kFlat;
  return layout == "raw" ? DocumentLayout::kRaw : DocumentLayout::kEcs;
}

FileFormat ToFileFormat(std::string_view format) {
  if (format == "logfmt") return FileFormat::kLogfmt;
  return format == "raw" ? FileFormat::kRaw : FileFormat::kNdjson;
}

FileCompression ToFileCompression(std::string_view compression) {
  if (compression == "gzip") return FileCompression::kGzip;
  return compression == "zstd" ? FileCompression::kZstd : FileCompression::kNone;
}

FileSync ToFileSync(std::string_view sync) {
  if (sync == "always") return FileSync::kAlways;
  return sync == "never" ? FileSync::kNever : FileSync::kInterval;
}

// Where entries go, and what their documents say of it.
void SetIndex(const ElasticsearchConfig& config, ElasticsearchOptions& options) {
  if (config.data_stream) {
    const DataStreamConfig& stream = *config.data_stream;
    options.index = ToPattern(stream.type + "-" + stream.dataset + "-" + stream.name_space);
    options.creates = true;
    auto& add = options.document.add;
    add.emplace_back("data_stream.type", stream.type);
    add.emplace_back("data_stream.dataset", stream.dataset);
    add.emplace_back("data_stream.namespace", stream.name_space);
  } else {
    options.index = ToPattern(config.index);
  }
  for (const ConditionalIndexConfig& rule : config.indices) {
    options.indices.push_back({ToPattern(rule.index), rule.field, rule.equals, rule.contains});
  }
  options.index_fallback = config.index_fallback;
  options.max_indices_per_hour = config.max_indices_per_hour;
  options.require_alias = config.require_alias;
  options.id_mode = config.id_mode == "none" ? DocumentIdMode::kNone : DocumentIdMode::kOffset;
  options.pipeline = config.pipeline;
  options.require_items = config.require_items;
}

}  // namespace

DocumentOptions ToDocumentOptions(const DocumentConfig& config, const std::string& host) {
  DocumentOptions options;
  options.layout = ToLayout(config.layout);
  for (const std::string& field : config.fields)
    options.fields.push_back(ToField(field));
  options.fields_target = config.fields_target;
  options.metadata_target = config.metadata_target;
  if (config.json) {
    options.json = DocumentJson{.under_root = config.json->keys_under_root,
                                .overwrite = config.json->overwrite_keys,
                                .add_error = config.json->add_error_key,
                                .drop_line = config.json->drop_line};
  }
  options.tags = config.tags;
  options.add = config.add;
  options.remove = config.remove;
  options.rename = config.rename;
  options.de_dot = config.de_dot.empty() ? '\0' : config.de_dot[0];
  options.max_message_bytes = config.max_message_bytes;
  options.host_name = host;
  options.agent_version = AGENT_VERSION;
  return options;
}

ElasticsearchOptions ToElasticsearchOptions(const OutputConfig& output, const std::string& host) {
  const ElasticsearchConfig& config = *output.elasticsearch;
  ElasticsearchOptions options;
  options.name = output.name;
  options.hosts = config.hosts;
  options.load_balance = config.load_balance;
  options.workers = config.workers;
  options.document = ToDocumentOptions(config.document, host);
  SetIndex(config, options);
  options.batch_bytes = config.batch_bytes;
  options.batch_entries = config.batch_entries;
  options.batch_wait = duration_cast<milliseconds>(config.batch_wait);
  options.compression_level = static_cast<int>(config.compression_level);
  options.min_backoff = duration_cast<milliseconds>(config.backoff.min_period);
  options.max_backoff = duration_cast<milliseconds>(config.backoff.max_period);
  if (config.backoff.max_retries_given && config.backoff.max_retries > 0) {
    options.max_retries = static_cast<int>(config.backoff.max_retries);
  }
  options.max_item_retry = duration_cast<seconds>(config.max_item_retry);
  options.http = ToHttpOptions(config.http);
  options.http.timeout = duration_cast<milliseconds>(config.timeout);
  for (const auto& [name, value] : config.headers)
    options.http.headers[name] = value;
  options.user_agent = "log-agent/" AGENT_VERSION;
  if (config.setup) {
    options.setup = *config.setup;
    // A data stream takes nothing else.
    options.creates = options.creates || config.setup->index_template.data_stream;
  }
  return options;
}

LumberjackOptions ToLumberjackOptions(const OutputConfig& output, const std::string& host) {
  const LogstashConfig& config = *output.logstash;
  LumberjackOptions options;
  options.name = output.name;
  for (const std::string& text : config.hosts) {
    auto parsed = ParseHostPort(text, 0);
    CHECK(parsed.ok());  // Checked when the file was read.
    options.hosts.push_back(std::move(*parsed));
  }
  if (config.tls) options.tls = ToTlsOptions(config.tls_config);
  options.load_balance = config.load_balance;
  options.workers = config.workers;
  options.index = config.index;
  options.version = AGENT_VERSION;
  options.pipeline = config.pipeline;
  options.with_ids = config.id_mode == "offset";
  options.document = ToDocumentOptions(config.document, host);
  options.document.for_logstash = true;
  options.window_entries = config.batch_entries;
  options.window_bytes = config.batch_bytes;
  options.batch_wait = duration_cast<milliseconds>(config.batch_wait);
  options.compression_level = static_cast<int>(config.compression_level);
  options.pipelining = config.pipelining;
  options.slow_start = config.slow_start;
  options.timeout = duration_cast<milliseconds>(config.timeout);
  options.ttl = duration_cast<milliseconds>(config.ttl);
  options.ack_stall_limit = duration_cast<milliseconds>(config.ack_stall_limit);
  options.min_backoff = duration_cast<milliseconds>(config.backoff.min_period);
  options.max_backoff = duration_cast<milliseconds>(config.backoff.max_period);
  return options;
}

FileOptions ToFileOptions(const OutputConfig& output, const std::string& host) {
  const FileConfig& config = output.file ? *output.file : *output.to_stdout;
  FileOptions options;
  options.name = output.name;
  options.path_text = output.file ? config.path : "standard output";
  options.path = ToPattern(config.path);
  options.format = ToFileFormat(config.format);
  options.compression = ToFileCompression(config.compression);
  options.compression_level = static_cast<int>(config.compression_level);
  options.document = ToDocumentOptions(config.document, host);
  options.rotate_bytes = config.rotate_bytes;
  options.rotate_interval = duration_cast<seconds>(config.rotate_interval);
  options.keep = config.keep;
  options.sync = ToFileSync(config.sync);
  options.mode = static_cast<mode_t>(config.mode);
  if (config.user_id) options.owner = *config.user_id;
  if (config.group_id) options.group = *config.group_id;
  options.max_open_files = config.max_open_files;
  options.batch_bytes = config.batch_bytes;
  options.batch_wait = duration_cast<milliseconds>(config.batch_wait);
  options.min_backoff = duration_cast<milliseconds>(config.min_backoff);
  options.max_backoff = duration_cast<milliseconds>(config.max_backoff);
  return options;
}

}  // namespace agent
