// `server`: Promtail's keys, and ours about pages that show data.

#include <cstdint>
#include <limits>
#include <string>

#include "agent/config/sections.h"

namespace agent {
namespace {

// What has no effect here: the gRPC server is never opened, requests are not logged.
void IgnoreTheRest(FieldReader& fields) {
  fields.Ignore({"http_listen_network", "proxy_protocol_enabled", "log_source_ips_enabled",
                 "log_source_ips_full", "log_source_ips_header", "log_source_ips_regex",
                 "log_request_headers", "log_request_at_info_level_enabled",
                 "log_request_exclude_headers_list", "trace_request_headers",
                 "trace_request_headers_exclude_list", "cluster_validation", "throughput",
                 "http_log_closed_connections_without_response_enabled",
                 "report_grpc_codes_in_instrumentation_label_enabled", "healthcheck"});
  fields.Ignore({"grpc_listen_address",
                 "grpc_listen_port",
                 "grpc_listen_network",
                 "grpc_listen_conn_limit",
                 "grpc_tls_config",
                 "grpc_server_max_recv_msg_size",
                 "grpc_server_max_send_msg_size",
                 "grpc_server_max_concurrent_streams",
                 "grpc_server_max_connection_idle",
                 "grpc_server_max_connection_age",
                 "grpc_server_max_connection_age_grace",
                 "grpc_server_keepalive_time",
                 "grpc_server_keepalive_timeout",
                 "grpc_server_min_time_between_pings",
                 "grpc_server_ping_without_stream_allowed",
                 "grpc_server_num_workers",
                 "grpc_server_num_stream_workers",
                 "grpc_server_stats_tracking_enabled",
                 "grpc_server_recv_buffer_pools_enabled",
                 "grpc_collect_max_streams_by_conn"});
}

ServerTlsConfig ReadServerTls(const ConfigNode& node, const std::string& path, Problems& problems) {
  FieldReader fields(node, path, problems);
  ServerTlsConfig tls;
  tls.cert = fields.String("cert");
  tls.cert_file = fields.String("cert_file");
  tls.key = fields.String("key");
  tls.key_file = fields.String("key_file");
  tls.client_auth_type =
      fields.Choice("client_auth_type", "",
                    {"", "NoClientCert", "RequestClientCert", "RequireAnyClientCert",
                     "RequireClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"});
  tls.client_ca = fields.String("client_ca");
  tls.client_ca_file = fields.String("client_ca_file");
  if (!tls.cert.empty() && !tls.cert_file.empty()) {
    fields.Error("cert_file", "at most one of cert and cert_file");
  }
  if (!tls.key.empty() && !tls.key_file.empty()) {
    fields.Error("key_file", "at most one of key and key_file");
  }
  if (!tls.client_ca.empty() && !tls.client_ca_file.empty()) {
    fields.Error("client_ca_file", "at most one of client_ca and client_ca_file");
  }
  const bool has_key = !tls.key.empty() || !tls.key_file.empty();
  if (tls.enabled() != has_key) {
    fields.MapError("a certificate and its key go together", "give cert_file and key_file");
  }
  fields.Finish();
  return tls;
}

void ReadTimeouts(FieldReader& fields, ServerConfig& server) {
  server.graceful_shutdown_timeout =
      fields.Duration("graceful_shutdown_timeout", server.graceful_shutdown_timeout);
  server.http_read_timeout = fields.Duration("http_server_read_timeout", server.http_read_timeout);
  server.http_read_header_timeout =
      fields.Duration("http_server_read_header_timeout", server.http_read_header_timeout);
  server.http_write_timeout =
      fields.Duration("http_server_write_timeout", server.http_write_timeout);
  server.http_idle_timeout = fields.Duration("http_server_idle_timeout", server.http_idle_timeout);
}

void ReadDataPages(FieldReader& fields, ServerConfig& server) {
  server.data_pages = fields.Bool("data_pages", server.data_pages);
  server.data_pages_token = fields.String("data_pages_token");
  server.data_pages_token_file = fields.String("data_pages_token_file");
  if (!server.data_pages_token.empty() && !server.data_pages_token_file.empty()) {
    fields.Error("data_pages_token_file",
                 "at most one of data_pages_token and data_pages_token_file");
  }
}

}  // namespace

void CompletePathPrefix(std::string& prefix) {
  while (prefix.ends_with('/'))
    prefix.pop_back();
  if (!prefix.empty() && prefix[0] != '/') prefix.insert(0, 1, '/');
}

void UsePromtailsAddress(ServerConfig& server) {
  constexpr uint16_t kPromtailsPort = 80;
  server.http_listen_address.clear();
  server.http_listen_port = kPromtailsPort;
}

ServerConfig ReadServer(const ConfigNode& node, const std::string& path, Problems& problems) {
  FieldReader fields(node, path, problems);
  ServerConfig server;
  UsePromtailsAddress(server);
  server.disable = fields.Bool("disable", server.disable);
  server.http_listen_address = fields.String("http_listen_address", server.http_listen_address);
  server.http_listen_port = static_cast<uint16_t>(fields.Int(
      "http_listen_port", server.http_listen_port, 0, std::numeric_limits<uint16_t>::max()));
  server.http_listen_conn_limit = static_cast<uint32_t>(
      fields.Int("http_listen_conn_limit", 0, 0, std::numeric_limits<uint32_t>::max()));
  server.http_path_prefix = fields.String("http_path_prefix");
  CompletePathPrefix(server.http_path_prefix);
  server.external_url = fields.String("external_url");
  server.register_instrumentation =
      fields.Bool("register_instrumentation", server.register_instrumentation);
  server.profiling_enabled = fields.Bool("profiling_enabled", server.profiling_enabled);
  server.health_check_target = fields.Bool("health_check_target", server.health_check_target);
  server.enable_runtime_reload = fields.Bool("enable_runtime_reload", server.enable_runtime_reload);
  ReadTimeouts(fields, server);
  if (const ConfigNode* tls = fields.Node("http_tls_config"); tls != nullptr) {
    server.http_tls = ReadServerTls(*tls, fields.PathOf("http_tls_config"), problems);
  }
  server.tls_cipher_suites = fields.String("tls_cipher_suites");
  server.tls_min_version = fields.Choice(
      "tls_min_version", "", {"", "VersionTLS10", "VersionTLS11", "VersionTLS12", "VersionTLS13"});
  ParseLogLevel(fields.Choice("log_level", "info", {"debug", "info", "warn", "error"}),
                server.log_level);
  server.log_format = fields.Choice("log_format", "logfmt", {"logfmt", "json"}) == "json"
                          ? LogFormat::kJson
                          : LogFormat::kLogfmt;
  ReadDataPages(fields, server);
  IgnoreTheRest(fields);
  fields.Finish();
  return server;
}

}  // namespace agent
