// `outputs`: receivers beside Loki's, as the file has them, checked.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/config/http_client_config.h"
#include "outputs/elasticsearch/setup_options.h"

namespace agent {

// `document.json`: lines that are JSON objects are decoded.
struct DocumentJsonConfig {
  bool keys_under_root = false;
  bool overwrite_keys = false;
  bool add_error_key = false;
  bool drop_line = false;

  bool operator==(const DocumentJsonConfig&) const = default;
};

// What a document is made of: `document` of an output.
struct DocumentConfig {
  std::string layout = "ecs";       // "ecs", "flat" or "raw".
  std::vector<std::string> fields;  // Extracted values: "NAME", "NAME:TYPE" or "*".
  std::string fields_target;        // Empty: the root.
  std::string metadata_target = "metadata";
  std::optional<DocumentJsonConfig> json;
  std::vector<std::string> tags;
  StringPairs add;
  std::vector<std::string> remove;
  StringPairs rename;
  std::string de_dot;              // One character, or empty.
  uint64_t max_message_bytes = 0;  // 0: no limit.

  bool operator==(const DocumentConfig&) const = default;
};

struct DataStreamConfig {
  std::string type = "logs";
  std::string dataset = "generic";
  std::string name_space = "default";

  bool operator==(const DataStreamConfig&) const = default;
};

struct ConditionalIndexConfig {
  std::string index;
  std::string field;
  std::optional<std::string> equals;
  std::optional<std::string> contains;

  bool operator==(const ConditionalIndexConfig&) const = default;
};

// What is made in the receiver before documents come.
struct ElasticsearchSetup : SetupOptions {
  std::string policy_file;  // Where lifecycle.policy is from; empty: our own.

  bool operator==(const ElasticsearchSetup&) const = default;
};

struct ElasticsearchConfig {
  std::vector<std::string> hosts;  // URLs without a path at the end: "https://h:9200/prefix".
  bool load_balance = true;
  uint32_t workers = 1;

  std::string index = "log-agent-%{+yyyy.MM.dd}";
  std::vector<ConditionalIndexConfig> indices;
  std::string index_fallback;
  uint64_t max_indices_per_hour = 200;
  std::optional<DataStreamConfig> data_stream;
  bool require_alias = false;
  std::string id_mode = "offset";  // Or "none".
  std::string pipeline;
  bool require_items = true;

  uint64_t batch_bytes = uint64_t{5} << 20U;
  uint64_t batch_entries = 1600;
  std::chrono::nanoseconds batch_wait = std::chrono::seconds(1);
  uint32_t compression_level = 1;
  std::chrono::nanoseconds timeout = std::chrono::seconds(90);  // Of one request.
  BackoffConfig backoff{.min_period = std::chrono::seconds(1),
                        .max_period = std::chrono::seconds(60),
                        .max_retries = 0,
                        .max_retries_given = false};
  std::chrono::nanoseconds max_item_retry = std::chrono::hours(1);
  StringPairs headers;
  HttpClientConfig http;
  DocumentConfig document;
  std::optional<ElasticsearchSetup> setup;

  bool operator==(const ElasticsearchConfig&) const = default;
};

struct LogstashConfig {
  std::vector<std::string> hosts;       // "host:port".
  std::string protocol = "lumberjack";  // Or "json_lines".
  std::string transport = "tcp";        // Or "udp": json_lines alone.
  bool tls = false;
  TlsConfig tls_config;
  bool load_balance = false;
  uint32_t workers = 1;  // Connections to each host.
  std::chrono::nanoseconds batch_wait = std::chrono::seconds(1);
  uint64_t batch_entries = 2048;
  uint64_t batch_bytes = uint64_t{4} << 20U;
  std::chrono::nanoseconds timeout = std::chrono::seconds(30);  // To connect, to read, to write.
  BackoffConfig backoff{.min_period = std::chrono::seconds(1),
                        .max_period = std::chrono::seconds(60),
                        .max_retries = 0,
                        .max_retries_given = false};
  DocumentConfig document;

  // Of lumberjack.
  std::string index = "log-agent";  // @metadata.beat.
  std::string pipeline;             // @metadata.pipeline.
  std::string id_mode = "offset";   // Or "none".
  uint32_t compression_level = 3;
  uint32_t pipelining = 2;
  bool slow_start = false;
  std::chrono::nanoseconds ttl{0};              // 0: connections are kept.
  std::chrono::nanoseconds ack_stall_limit{0};  // 0: none.

  // Of json_lines.
  uint64_t max_line_bytes = uint64_t{1} << 20U;
  uint64_t replay_bytes = uint64_t{8} << 20U;
  std::chrono::nanoseconds commit_delay = std::chrono::seconds(1);
  std::chrono::nanoseconds ack_by_close_interval{0};  // 0: never.
  std::chrono::nanoseconds write_stall_limit = std::chrono::minutes(5);
  std::chrono::nanoseconds tcp_user_timeout = std::chrono::seconds(60);
  uint64_t max_datagram_bytes = 1400;

  bool operator==(const LogstashConfig&) const = default;
};

struct FileConfig {
  std::string path;                  // Empty: standard output.
  std::string format = "ndjson";     // "ndjson", "logfmt" or "raw".
  std::string compression = "none";  // "none", "gzip" or "zstd".
  uint32_t compression_level = 0;    // 0: the usual one.
  DocumentConfig document;

  uint64_t rotate_bytes = 0;                    // 0: no bound.
  std::chrono::nanoseconds rotate_interval{0};  // 0: never.
  uint64_t keep = 0;                            // 0: all.
  std::string sync = "interval";                // "interval", "always" or "never".
  uint32_t mode = 0640;
  std::string owner;  // "user", "user:group" or ":group"; empty: the process's.
  std::optional<uint32_t> user_id;
  std::optional<uint32_t> group_id;
  uint64_t max_open_files = 64;

  uint64_t batch_bytes = uint64_t{1} << 20U;
  std::chrono::nanoseconds batch_wait = std::chrono::seconds(1);
  std::chrono::nanoseconds min_backoff = std::chrono::milliseconds(500);
  std::chrono::nanoseconds max_backoff = std::chrono::seconds(30);

  bool operator==(const FileConfig&) const = default;
};

// One item of `outputs`: exactly one of the kinds.
struct OutputConfig {
  std::string name;  // Unique, also among `clients`.
  std::optional<ElasticsearchConfig> elasticsearch;
  std::optional<FileConfig> file;
  std::optional<FileConfig> to_stdout;
  std::optional<LogstashConfig> logstash;
  BufferConfig buffer;
  bool required = true;

  bool operator==(const OutputConfig&) const = default;
};

}  // namespace agent
