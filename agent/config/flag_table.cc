#include "agent/config/flag_table.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "base/config/scalars.h"
#include "base/go_format.h"

namespace agent {
namespace {

using enum FlagKind;
using enum FlagGroup;

// The values are checked before these are called, so there is always one.
bool ToBool(std::string_view text) {
  return ParseGoBool(text).value_or(true);
}
uint64_t ToSize(std::string_view text) {
  const Result<uint64_t> size = ParseSize(text);
  return size.ok() ? *size : 0;
}
double ToFloat(std::string_view text) {
  const Result<double> number = ParseGoFloat(text);
  return number.ok() ? *number : 0;
}
std::chrono::nanoseconds ToDuration(std::string_view text) {
  const Result<std::chrono::nanoseconds> duration = ParseGoDuration(text);
  return duration.ok() ? *duration : std::chrono::nanoseconds(0);
}
InspectMode ToInspectMode(std::string_view text) {
  if (text == "json") return InspectMode::kJson;
  return text == "text" || ToBool(text) ? InspectMode::kText : InspectMode::kOff;
}
uint32_t ToInt(std::string_view text) {
  uint32_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}
uint16_t ToPort(std::string_view text) {
  return static_cast<uint16_t>(ToInt(text));
}

constexpr auto kTable = std::to_array<FlagEntry>({
    {"config.file", kText, kGeneral, "",
     "Configuration to load; of a comma-separated list the first file that exists.",
     [](std::string_view v, Flags& f) { f.config_file = v; }, nullptr},
    {"config.expand-env", kBool, kGeneral, "false",
     "Put environment variables in place of ${NAME} in the configuration.",
     [](std::string_view v, Flags& f) { f.expand_env = ToBool(v); }, nullptr},
    {"check-syntax", kBool, kGeneral, "false",
     "Load and check the configuration, print everything that is wrong, and exit.",
     [](std::string_view v, Flags& f) { f.check_syntax = ToBool(v); }, nullptr},
    {"dry-run", kBool, kGeneral, "false",
     "Print entries on standard output instead of sending them; positions stay as they are.",
     [](std::string_view v, Flags& f) { f.dry_run = ToBool(v); }, nullptr},
    {"inspect", kInspect, kGeneral, "false",
     "Tell on standard error what every stage does to every entry: as text, or with -inspect=json "
     "as JSON, an object a line.",
     [](std::string_view v, Flags& f) { f.inspect = ToInspectMode(v); }, nullptr},
    {"stdin", kBool, kGeneral, "false",
     "Read standard input through the first job's pipeline, then exit.",
     [](std::string_view v, Flags& f) { f.read_stdin = ToBool(v); }, nullptr},
    {"once", kBool, kGeneral, "false",
     "Backfill: read what there is to its end, deliver it, and exit; shows how far it is. Exit "
     "code "
     "1 when anything was not delivered.",
     [](std::string_view v, Flags& f) { f.once = ToBool(v); }, nullptr},
    {"print-config-stderr", kBool, kGeneral, "false",
     "Print the effective configuration on standard error at start, secrets masked.",
     [](std::string_view v, Flags& f) { f.print_config_stderr = ToBool(v); }, nullptr},
    {"log-config-reverse-order", kBool, kGeneral, "false",
     "Log the effective configuration at start, a record a line, the last line first.",
     [](std::string_view v, Flags& f) { f.log_config_reverse_order = ToBool(v); }, nullptr},
    {"shutdown.timeout", kDuration, kGeneral, "5s",
     "How long a stop waits for entries on their way; what is left is read again at the next "
     "start.",
     [](std::string_view v, Flags& f) { f.shutdown_timeout = ToDuration(v); }, nullptr},
    {"color", kBool, kGeneral, "",
     "Colours in reports; by default on a terminal, unless NO_COLOR is set.",
     [](std::string_view v, Flags& f) {
       f.color = ToBool(v) ? ColorMode::kAlways : ColorMode::kNever;
     },
     nullptr},
    {"no-color", kBool, kGeneral, "", "No colours.",
     [](std::string_view v, Flags& f) { f.color = ToBool(v) ? ColorMode::kNever : f.color; },
     nullptr},
    {"version", kBool, kGeneral, "", "Print the version and exit.",
     [](std::string_view v, Flags& f) { f.version = ToBool(v); }, nullptr},
    {"help", kBool, kGeneral, "", "Print this and exit.",
     [](std::string_view v, Flags& f) { f.help = ToBool(v); }, nullptr},
    {"h", kBool, kGeneral, "", "The same as -help.",
     [](std::string_view v, Flags& f) { f.help = ToBool(v); }, nullptr},

    {"log.level", kLogLevel, kLog, "info", "debug, info, warn or error.", nullptr,
     [](std::string_view v, Config& c) { ParseLogLevel(v, c.server.log_level); }},
    {"log.format", kLogFormat, kLog, "logfmt", "logfmt or json.", nullptr,
     [](std::string_view v, Config& c) {
       c.server.log_format = v == "json" ? LogFormat::kJson : LogFormat::kLogfmt;
     }},

    {"client.url", kText, kClient, "", "A Loki to push to, besides those in the configuration.",
     nullptr, nullptr},
    {"client.batch-wait", kDuration, kClient, "1s", "Longest time before a batch is sent.", nullptr,
     nullptr},
    {"client.batch-size-bytes", kInt, kClient, "1048576", "Size at which a batch is sent.", nullptr,
     nullptr},
    {"client.timeout", kDuration, kClient, "10s", "Longest time that one request may take.",
     nullptr, nullptr},
    {"client.min-backoff", kDuration, kClient, "500ms", "First delay before a retry.", nullptr,
     nullptr},
    {"client.max-backoff", kDuration, kClient, "5m", "Longest delay before a retry.", nullptr,
     nullptr},
    {"client.max-retries", kInt, kClient, "0",
     "Attempts before a batch is moved to the dead letter; 0: for ever.", nullptr, nullptr},
    {"client.tenant-id", kText, kClient, "", "Tenant to push as (X-Scope-OrgID).", nullptr,
     nullptr},
    {"client.drop-rate-limited-batches", kBool, kClient, "false",
     "Do not retry a batch that was refused with 429.", nullptr, nullptr},
    {"client.external-labels", kPairs, kClient, "",
     "Labels for all clients: k=v,k2=v2. A client's own win.", nullptr, nullptr},

    {"positions.file", kText, kReading, "/var/log/positions.yaml", "Where positions are kept.",
     nullptr, [](std::string_view v, Config& c) { c.positions.filename = v; }},
    {"positions.sync-period", kDuration, kReading, "10s", "How often that file is written.",
     nullptr, [](std::string_view v, Config& c) { c.positions.sync_period = ToDuration(v); }},
    {"positions.ignore-invalid-yaml", kBool, kReading, "false",
     "Accepted: a damaged file never prevents a start.", nullptr,
     [](std::string_view v, Config& c) { c.positions.ignore_invalid_yaml = ToBool(v); }},
    {"target.sync-period", kDuration, kReading, "10s",
     "How often globs and folders are read again.", nullptr,
     [](std::string_view v, Config& c) { c.target.sync_period = ToDuration(v); }},
    {"file-watch.min_poll_frequency", kDuration, kReading, "250ms",
     "Shortest time between two looks at a file whose changes nothing reports.", nullptr,
     [](std::string_view v, Config& c) { c.file_watch.min_poll_frequency = ToDuration(v); }},
    {"file-watch.max_poll_frequency", kDuration, kReading, "250ms", "Longest such time.", nullptr,
     [](std::string_view v, Config& c) { c.file_watch.max_poll_frequency = ToDuration(v); }},

    {"memory-budget", kSize, kLimits, "0",
     "Memory for data in flight, such as 64MiB; 0: 24 MiB, or 40 % of the cgroup's limit if less.",
     nullptr, [](std::string_view v, Config& c) { c.limits.memory_budget_bytes = ToSize(v); }},
    {"workers", kInt, kLimits, "0", "Threads that read and process; 0: one a core, at most 4.",
     nullptr, [](std::string_view v, Config& c) { c.limits.workers = ToInt(v); }},
    {"limit.readline-rate-enabled", kBool, kLimits, "false", "Limit the lines per second.", nullptr,
     [](std::string_view v, Config& c) { c.limits.readline_rate_enabled = ToBool(v); }},
    {"limit.readline-rate", kFloat, kLimits, "10000", "Lines per second.", nullptr,
     [](std::string_view v, Config& c) { c.limits.readline_rate = ToFloat(v); }},
    {"limit.readline-burst", kInt, kLimits, "10000", "Lines at once.", nullptr,
     [](std::string_view v, Config& c) { c.limits.readline_burst = ToInt(v); }},
    {"limit.readline-rate-drop", kBool, kLimits, "true", "Drop lines over the limit, or wait.",
     nullptr, [](std::string_view v, Config& c) { c.limits.readline_rate_drop = ToBool(v); }},
    {"max-streams", kInt, kLimits, "0", "Most streams in a batch; 0: no limit.", nullptr,
     [](std::string_view v, Config& c) { c.limits.max_streams = ToInt(v); }},
    {"max-line-size", kSize, kLimits, "0", "Longest line; 0: no limit.", nullptr,
     [](std::string_view v, Config& c) { c.limits.max_line_size_bytes = ToSize(v); }},
    {"max-line-size-truncate", kBool, kLimits, "false",
     "Cut longer lines instead of dropping them.", nullptr,
     [](std::string_view v, Config& c) { c.limits.max_line_size_truncate = ToBool(v); }},

    {"server.disable", kBool, kServer, "false", "No HTTP server.", nullptr,
     [](std::string_view v, Config& c) { c.server.disable = ToBool(v); }},
    {"server.http-listen-address", kText, kServer, "",
     "Address to listen on; empty: all. Without any server setting 127.0.0.1.", nullptr,
     [](std::string_view v, Config& c) { c.server.http_listen_address = v; }},
    {"server.http-listen-port", kPort, kServer, "80",
     "Port to listen on; 0: any. Without any server setting 9080.", nullptr,
     [](std::string_view v, Config& c) { c.server.http_listen_port = ToPort(v); }},
    {"server.path-prefix", kText, kServer, "", "Before all routes.", nullptr,
     [](std::string_view v, Config& c) { c.server.http_path_prefix = v; }},
    {"server.enable-runtime-reload", kBool, kServer, "false", "Serve /reload.", nullptr,
     [](std::string_view v, Config& c) { c.server.enable_runtime_reload = ToBool(v); }},
    {"server.profiling_enabled", kBool, kServer, "false", "Accepted: there is no /debug/pprof.",
     nullptr, [](std::string_view v, Config& c) { c.server.profiling_enabled = ToBool(v); }},
    {"server.register-instrumentation", kBool, kServer, "true", "Serve /metrics.", nullptr,
     [](std::string_view v, Config& c) { c.server.register_instrumentation = ToBool(v); }},
    {"server.graceful-shutdown-timeout", kDuration, kServer, "30s",
     "Accepted: a stop does not wait for open requests.", nullptr,
     [](std::string_view v, Config& c) { c.server.graceful_shutdown_timeout = ToDuration(v); }},
    {"server.http-read-timeout", kDuration, kServer, "30s", "For a whole request.", nullptr,
     [](std::string_view v, Config& c) { c.server.http_read_timeout = ToDuration(v); }},
    {"server.http-read-header-timeout", kDuration, kServer, "0s",
     "Accepted: the whole request is what counts.", nullptr,
     [](std::string_view v, Config& c) { c.server.http_read_header_timeout = ToDuration(v); }},
    {"server.http-write-timeout", kDuration, kServer, "30s", "For an answer.", nullptr,
     [](std::string_view v, Config& c) { c.server.http_write_timeout = ToDuration(v); }},
    {"server.http-idle-timeout", kDuration, kServer, "2m", "Between two requests.", nullptr,
     [](std::string_view v, Config& c) { c.server.http_idle_timeout = ToDuration(v); }},
    {"server.http-conn-limit", kInt, kServer, "0", "Most connections; 0: no limit.", nullptr,
     [](std::string_view v, Config& c) { c.server.http_listen_conn_limit = ToInt(v); }},
    {"server.http-tls-cert-path", kText, kServer, "", "Certificate, for HTTPS.", nullptr,
     [](std::string_view v, Config& c) { c.server.http_tls.cert_file = v; }},
    {"server.http-tls-key-path", kText, kServer, "", "Its key.", nullptr,
     [](std::string_view v, Config& c) { c.server.http_tls.key_file = v; }},
    {"server.http-tls-client-auth", kText, kServer, "",
     "What clients must show: RequireAndVerifyClientCert, …", nullptr,
     [](std::string_view v, Config& c) { c.server.http_tls.client_auth_type = v; }},
    {"server.http-tls-ca-path", kText, kServer, "", "Who may sign their certificates.", nullptr,
     [](std::string_view v, Config& c) { c.server.http_tls.client_ca_file = v; }},
    {"server.tls-cipher-suites", kText, kServer, "",
     "Accepted: the TLS library chooses; see -server.tls-min-version.", nullptr,
     [](std::string_view v, Config& c) { c.server.tls_cipher_suites = v; }},
    {"server.tls-min-version", kText, kServer, "", "VersionTLS12, VersionTLS13, …", nullptr,
     [](std::string_view v, Config& c) { c.server.tls_min_version = v; }},

    {"tracing.enabled", kBool, kIgnored, "", "", nullptr, nullptr},
    {"server.http-listen-network", kText, kIgnored, "", "", nullptr, nullptr},
    {"server.proxy-protocol-enabled", kBool, kIgnored, "", "", nullptr, nullptr},
    {"server.log-request-headers", kBool, kIgnored, "", "", nullptr, nullptr},
    {"server.log-request-headers-exclude-list", kText, kIgnored, "", "", nullptr, nullptr},
    {"server.log-request-at-info-level-enabled", kBool, kIgnored, "", "", nullptr, nullptr},
    {"server.log-source-ips-enabled", kBool, kIgnored, "", "", nullptr, nullptr},
    {"server.log-source-ips-full", kBool, kIgnored, "", "", nullptr, nullptr},
    {"server.log-source-ips-header", kText, kIgnored, "", "", nullptr, nullptr},
    {"server.log-source-ips-regex", kText, kIgnored, "", "", nullptr, nullptr},
    {"server.trace-request-headers", kBool, kIgnored, "", "", nullptr, nullptr},
    {"server.trace-request-headers-exclude-list", kText, kIgnored, "", "", nullptr, nullptr},
    {"server.http-log-closed-connections-without-response-enabled", kBool, kIgnored, "", "",
     nullptr, nullptr},
    {"server.report-grpc-codes-in-instrumentation-label-enabled", kBool, kIgnored, "", "", nullptr,
     nullptr},
    {"server.throughput.latency-cutoff", kDuration, kIgnored, "", "", nullptr, nullptr},
    {"server.throughput.unit", kText, kIgnored, "", "", nullptr, nullptr},
    {"server.cluster-validation.label", kText, kIgnored, "", "", nullptr, nullptr},
    {"server.cluster-validation.grpc.enabled", kBool, kIgnored, "", "", nullptr, nullptr},
    {"server.cluster-validation.grpc.soft-validation", kBool, kIgnored, "", "", nullptr, nullptr},
    {"server.cluster-validation.http.enabled", kBool, kIgnored, "", "", nullptr, nullptr},
    {"server.cluster-validation.http.soft-validation", kBool, kIgnored, "", "", nullptr, nullptr},
    {"server.cluster-validation.http.excluded-paths", kText, kIgnored, "", "", nullptr, nullptr},
    {"server.cluster-validation.http.excluded-user-agents", kText, kIgnored, "", "", nullptr,
     nullptr},
    {"server.grpc-listen-address", kText, kIgnored, "", "", nullptr, nullptr},
    {"server.grpc-listen-port", kInt, kIgnored, "", "", nullptr, nullptr},
    {"server.grpc-listen-network", kText, kIgnored, "", "", nullptr, nullptr},
    {"server.grpc-conn-limit", kInt, kIgnored, "", "", nullptr, nullptr},
    {"server.grpc-max-recv-msg-size-bytes", kInt, kIgnored, "", "", nullptr, nullptr},
    {"server.grpc-max-send-msg-size-bytes", kInt, kIgnored, "", "", nullptr, nullptr},
    {"server.grpc-max-concurrent-streams", kInt, kIgnored, "", "", nullptr, nullptr},
    {"server.grpc-collect-max-streams-by-conn", kBool, kIgnored, "", "", nullptr, nullptr},
    {"server.grpc.keepalive.max-connection-idle", kDuration, kIgnored, "", "", nullptr, nullptr},
    {"server.grpc.keepalive.max-connection-age", kDuration, kIgnored, "", "", nullptr, nullptr},
    {"server.grpc.keepalive.max-connection-age-grace", kDuration, kIgnored, "", "", nullptr,
     nullptr},
    {"server.grpc.keepalive.time", kDuration, kIgnored, "", "", nullptr, nullptr},
    {"server.grpc.keepalive.timeout", kDuration, kIgnored, "", "", nullptr, nullptr},
    {"server.grpc.keepalive.min-time-between-pings", kDuration, kIgnored, "", "", nullptr, nullptr},
    {"server.grpc.keepalive.ping-without-stream-allowed", kBool, kIgnored, "", "", nullptr,
     nullptr},
    {"server.grpc.num-workers", kInt, kIgnored, "", "", nullptr, nullptr},
    {"server.grpc.num-stream-workers", kInt, kIgnored, "", "", nullptr, nullptr},
    {"server.grpc.stats-tracking-enabled", kBool, kIgnored, "", "", nullptr, nullptr},
    {"server.grpc.recv-buffer-pools-enabled", kBool, kIgnored, "", "", nullptr, nullptr},
    {"server.grpc-tls-cert-path", kText, kIgnored, "", "", nullptr, nullptr},
    {"server.grpc-tls-key-path", kText, kIgnored, "", "", nullptr, nullptr},
    {"server.grpc-tls-ca-path", kText, kIgnored, "", "", nullptr, nullptr},
    {"server.grpc-tls-client-auth", kText, kIgnored, "", "", nullptr, nullptr},
});

}  // namespace

std::span<const FlagEntry> AllFlags() {
  return kTable;
}

}  // namespace agent
