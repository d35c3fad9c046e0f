// The whole configuration as plain structs with their defaults: what the file and the flags say,
// checked and in the units that the rooms use. loader.h reads it.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/config/http_client_config.h"
#include "agent/config/output_config.h"
#include "base/config/yaml.h"
#include "base/labels.h"
#include "base/log.h"
#include "discovery/kubernetes/kubernetes_options.h"
#include "discovery/relabel_rule.h"

namespace agent {

// One Loki receiver: an item of `clients`.
struct ClientConfig {
  std::string name;  // Never empty once loaded: else 6 hexadecimal digits of a hash. Unique.
  bool name_given = false;
  std::string url;        // Full push path.
  std::string tenant_id;  // X-Scope-OrgID where an entry has none of its own; empty: no header.
  std::chrono::nanoseconds batch_wait = std::chrono::seconds(1);
  uint64_t batch_size_bytes = 1048576;
  std::chrono::nanoseconds timeout = std::chrono::seconds(10);  // Of one request.
  BackoffConfig backoff;
  bool drop_rate_limited_batches = false;  // 429 drops at once.
  // The client's own over `client.external_labels` and -client.external-labels.
  Labels external_labels;
  StringPairs headers;  // Never Content-Type, User-Agent, X-Scope-OrgID: those are ours.
  HttpClientConfig http;

  // Ours.
  BufferConfig buffer;
  bool required = true;  // False: it never makes a source wait, and loses instead.

  bool operator==(const ClientConfig&) const = default;
};

// TLS of the HTTP server: `http_tls_config`.
struct ServerTlsConfig {
  std::string cert;
  std::string cert_file;
  std::string key;  // Secret.
  std::string key_file;
  std::string client_auth_type;  // Go's names: "RequireAndVerifyClientCert", …; empty: none.
  std::string client_ca;
  std::string client_ca_file;

  [[nodiscard]] bool enabled() const { return !cert.empty() || !cert_file.empty(); }
};

struct ServerConfig {
  bool disable = false;
  // Without a `server` section (and -server.http-listen-*) 127.0.0.1:9080; with one, all interfaces
  // and port 80 where it says nothing else, as Promtail. The loader has decided this already.
  std::string http_listen_address = "127.0.0.1";  // Empty: all interfaces.
  uint16_t http_listen_port = 9080;               // 0: any free one.
  uint32_t http_listen_conn_limit = 0;            // 0: no limit.
  std::string http_path_prefix;  // Before all routes; "" or "/x" without a slash at its end.
  std::string external_url;      // For links in pages; empty: http://HOST:PORT/.
  bool register_instrumentation = true;  // Serves /metrics.
  bool profiling_enabled = false;
  bool health_check_target = true;     // False: /ready is always 200.
  bool enable_runtime_reload = false;  // Serves /reload.
  std::chrono::nanoseconds graceful_shutdown_timeout = std::chrono::seconds(30);
  std::chrono::nanoseconds http_read_timeout = std::chrono::seconds(30);
  std::chrono::nanoseconds http_read_header_timeout = std::chrono::nanoseconds(0);  // 0: none.
  std::chrono::nanoseconds http_write_timeout = std::chrono::seconds(30);
  std::chrono::nanoseconds http_idle_timeout = std::chrono::seconds(120);
  ServerTlsConfig http_tls;
  std::string tls_cipher_suites;
  std::string tls_min_version;
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kLogfmt;

  // Ours. Pages that show log data or the configuration (/config, /targets, /service-discovery, the
  // live tail, …): off altogether, or only with "Authorization: Bearer TOKEN".
  bool data_pages = true;
  std::string data_pages_token;       // Secret. Empty: open.
  std::string data_pages_token_file;  // Not together with `data_pages_token`.
};

struct PositionsConfig {
  std::string filename = "/var/log/positions.yaml";
  std::chrono::nanoseconds sync_period = std::chrono::seconds(10);
  bool ignore_invalid_yaml = false;  // Accepted: damaged state never prevents a start here.
};

struct TargetConfig {
  std::chrono::nanoseconds sync_period = std::chrono::seconds(10);  // Of globs and directories.
  bool stdin_target = false;                                        // `stdin`, as the flag -stdin.
};

// What becomes of a label whose value is one too many.
enum class OnExcess : uint8_t { kNone, kStructuredMetadata, kBucket, kDropLabel };

struct LimitsConfig {
  bool readline_rate_enabled = false;
  double readline_rate = 10000;  // Lines per second.
  uint64_t readline_burst = 10000;
  bool readline_rate_drop = true;       // False: reading waits.
  uint64_t max_streams = 0;             // In one batch of one tenant; 0: off.
  uint64_t max_line_size_bytes = 0;     // 0: off.
  bool max_line_size_truncate = false;  // False: a longer line is dropped.

  // Ours.
  uint64_t memory_budget_bytes = 0;  // 0: 24 MiB, or 40 % of the cgroup's limit where that is less.
  uint32_t workers = 0;              // 0: one a core, at most 4.
  uint64_t max_label_values = 1000;  // Of one label of a job, and of series of a metric; 0: off.
  OnExcess on_excess = OnExcess::kNone;
};

// `global.file_watch_config`: how often an idle file is looked at where nothing reports its
// changes.
struct FileWatchConfig {
  std::chrono::nanoseconds min_poll_frequency = std::chrono::milliseconds(250);
  std::chrono::nanoseconds max_poll_frequency = std::chrono::milliseconds(250);
};

// Ours: where batches go that a receiver refuses for good.
struct DeadLetterConfig {
  std::string
      path;  // Never empty once loaded: else the folder "dead-letter" beside the positions file.
  uint64_t max_size_bytes = uint64_t{256} << 20U;
};

// One item of `static_configs`. Each of `targets` (or one empty text, when there are none) is a
// target with `__address__`; Promtail ignores its value.
struct StaticConfig {
  std::vector<std::string> targets;
  Labels labels;  // `__path__` and friends included.
};

// `decompression`: all files of the job are compressed.
struct DecompressionConfig {
  bool enabled = false;
  std::string format;  // "gz", "z", "bz2", "zst"; never empty when enabled.
  std::chrono::nanoseconds initial_delay{0};

  bool operator==(const DecompressionConfig&) const = default;
};

// One item of `file_sd_configs`.
struct FileSdConfig {
  std::vector<std::string> files;  // Globs in the last part of the path; one at least.
  std::chrono::nanoseconds refresh_interval = std::chrono::minutes(5);
};

// One item of `kubernetes_sd_configs`.
struct KubernetesSdConfig {
  KubeRole role = KubeRole::kPod;
  // At most one of the two; both empty: the cluster that the agent runs in.
  std::string api_server;
  std::string kubeconfig_file;
  HttpClientConfig http;  // For api_server alone.
  bool own_namespace = false;
  std::vector<std::string> namespaces;
  std::vector<KubeSelector> selectors;  // One for each role at most.
  KubeAttach attach;

  // Ours.
  std::chrono::nanoseconds label_wait = std::chrono::seconds(30);
  std::string pod_logs_path = "/var/log/pods";
  std::vector<std::string> log_roots;
};

// One item of `docker_sd_configs`.
struct DockerSdConfig {
  std::string host;  // "unix:///var/run/docker.sock", "tcp://…", "http://…", "https://…".
  uint16_t port = 80;
  std::string host_networking_host = "localhost";
  bool match_first_network = true;
  std::vector<std::pair<std::string, std::vector<std::string>>> filters;  // Name, values.
  std::chrono::nanoseconds refresh_interval = std::chrono::seconds(60);
  HttpClientConfig http;

  // Ours.
  std::string log_path_prefix;  // Goes before every path that the daemon names.
  // Of containers that have ended longer ago nothing is read.
  std::chrono::nanoseconds exited_max_age = std::chrono::hours(1);
};

// `loki_push_api`.
struct LokiPushConfig {
  ServerConfig server;  // The address is Promtail's default (all interfaces, port 80).
  Labels labels;        // Of all entries, over those of a stream; `__x` for relabelling.
  bool use_incoming_timestamp = false;  // False: the time of reading.
  // Of a request's body, as sent and unpacked: `max_send_msg_size`.
  uint64_t max_body_bytes = uint64_t{4} << 20U;

  // Ours: a request's X-Scope-OrgID is the tenant of its entries.
  bool use_incoming_tenant = false;
};

// `journal`: systemd's.
struct JournalConfig {
  std::string path;  // A directory; empty: the system's.
  std::chrono::nanoseconds max_age = std::chrono::hours(7);
  bool max_age_given = false;  // Then what is older is skipped, also after a long stop.
  bool json = false;
  Labels labels;
  std::vector<std::string> matches;  // "FIELD=value".
};

enum class SyslogProtocol : uint8_t { kTcp, kUdp };

// `syslog`: listens for messages of RFC 5424 or 3164.
struct SyslogConfig {
  std::string listen_address;  // Host; empty: all interfaces.
  uint16_t listen_port = 0;    // 0: any free one.
  SyslogProtocol listen_protocol = SyslogProtocol::kTcp;
  std::chrono::nanoseconds idle_timeout = std::chrono::seconds(120);  // Of a connection.
  uint64_t max_message_length = 8192;                                 // Bytes.
  bool rfc3164 = false;                                               // `syslog_format`.
  bool label_structured_data = false;
  bool use_incoming_timestamp = false;
  bool use_rfc5424_message = false;  // The line is the whole message rather than its text.
  Labels labels;
  TlsConfig tls;  // Of the server: `ca` is what clients' certificates must be signed by.

  [[nodiscard]] bool uses_tls() const { return !tls.cert.empty() || !tls.cert_file.empty(); }
};

struct ScrapeConfig {
  std::string job_name;  // Unique.
  std::string path;      // "scrape_configs[2]", for problems found later.
  std::vector<StaticConfig> static_configs;
  std::vector<FileSdConfig> file_sd_configs;
  std::vector<KubernetesSdConfig> kubernetes_sd_configs;
  std::vector<DockerSdConfig> docker_sd_configs;
  std::optional<LokiPushConfig> loki_push_api;
  std::optional<JournalConfig> journal;
  std::optional<SyslogConfig> syslog;
  std::vector<RelabelRule> relabel_configs;
  DecompressionConfig decompression;
  std::string encoding;  // Of the text; empty: UTF-8.
  // The list under `pipeline_stages`; null when there is none. A part of the tree of the whole
  // file, which it keeps alive: that is why it is shared.
  std::shared_ptr<const ConfigNode> pipeline_stages;
  std::string pipeline_path;         // "scrape_configs[2].pipeline_stages".
  std::vector<std::string> outputs;  // Ours: names of `clients` and `outputs`; empty: all.
};

struct Config {
  std::string file;  // That was loaded; empty: none, flags and defaults only.
  uint64_t text_hash =
      0;  // Of the text after environment expansion: equal means nothing has changed.
  ServerConfig server;
  std::vector<ClientConfig> clients;
  std::vector<OutputConfig> outputs;
  PositionsConfig positions;
  std::vector<ScrapeConfig> scrape_configs;
  TargetConfig target;
  LimitsConfig limits;
  FileWatchConfig file_watch;
  DeadLetterConfig dead_letter;
  bool tracing_enabled = false;  // Accepted; there is no tracing.
};

}  // namespace agent
