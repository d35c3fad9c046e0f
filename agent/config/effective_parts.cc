#include "agent/config/effective_parts.h"

#include <algorithm>
#include <string>

#include "base/go_format.h"
#include "base/http/http_url.h"

namespace agent::effective {
namespace {

void WriteServerTls(YamlWriter& out, const ServerTlsConfig& tls) {
  if (!tls.enabled()) return;
  out.BeginMap("http_tls_config");
  out.OptionalText("cert", tls.cert);
  out.OptionalText("cert_file", tls.cert_file);
  out.Secret("key", tls.key);
  out.OptionalText("key_file", tls.key_file);
  out.OptionalText("client_auth_type", tls.client_auth_type);
  out.OptionalText("client_ca", tls.client_ca);
  out.OptionalText("client_ca_file", tls.client_ca_file);
  out.EndMap();
}

}  // namespace

void WriteDuration(YamlWriter& out, std::string_view key, std::chrono::nanoseconds duration) {
  out.Word(key, FormatGoDuration(duration));
}

void WriteNumber(YamlWriter& out, std::string_view key, uint64_t number) {
  out.Word(key, std::to_string(number));
}

void WriteLabels(YamlWriter& out, std::string_view key, const Labels& labels) {
  if (labels.empty()) return;
  out.BeginMap(key);
  for (const Label& label : labels)
    out.Text(label.name, label.value);
  out.EndMap();
}

void WriteServer(YamlWriter& out, const ServerConfig& server) {
  out.BeginMap("server");
  out.Bool("disable", server.disable);
  out.Text("http_listen_address", server.http_listen_address);
  WriteNumber(out, "http_listen_port", server.http_listen_port);
  WriteNumber(out, "http_listen_conn_limit", server.http_listen_conn_limit);
  out.Text("http_path_prefix", server.http_path_prefix);
  out.Text("external_url", MaskedUrl(server.external_url));
  out.Bool("register_instrumentation", server.register_instrumentation);
  out.Bool("profiling_enabled", server.profiling_enabled);
  out.Bool("health_check_target", server.health_check_target);
  out.Bool("enable_runtime_reload", server.enable_runtime_reload);
  WriteDuration(out, "graceful_shutdown_timeout", server.graceful_shutdown_timeout);
  WriteDuration(out, "http_server_read_timeout", server.http_read_timeout);
  WriteDuration(out, "http_server_read_header_timeout", server.http_read_header_timeout);
  WriteDuration(out, "http_server_write_timeout", server.http_write_timeout);
  WriteDuration(out, "http_server_idle_timeout", server.http_idle_timeout);
  WriteServerTls(out, server.http_tls);
  out.OptionalText("tls_cipher_suites", server.tls_cipher_suites);
  out.OptionalText("tls_min_version", server.tls_min_version);
  out.Text("log_level", LogLevelName(server.log_level));
  out.Text("log_format", server.log_format == LogFormat::kJson ? "json" : "logfmt");
  out.Bool("data_pages", server.data_pages);
  out.Secret("data_pages_token", server.data_pages_token);
  out.OptionalText("data_pages_token_file", server.data_pages_token_file);
  out.EndMap();
}

void WriteLokiPush(YamlWriter& out, const LokiPushConfig& push) {
  out.BeginMap("loki_push_api");
  WriteServer(out, push.server);
  WriteLabels(out, "labels", push.labels);
  out.Bool("use_incoming_timestamp", push.use_incoming_timestamp);
  out.Bool("use_incoming_tenant", push.use_incoming_tenant);
  WriteNumber(out, "max_send_msg_size", push.max_body_bytes);
  out.EndMap();
}

}  // namespace agent::effective
