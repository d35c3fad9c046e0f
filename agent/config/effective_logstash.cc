// `logstash` of an output, as YAML.

#include "agent/config/effective_parts.h"

namespace agent::effective {
namespace {

void WriteLumberjack(YamlWriter& out, const LogstashConfig& config) {
  out.Text("index", config.index);
  out.OptionalText("pipeline", config.pipeline);
  out.Text("id_mode", config.id_mode);
  WriteNumber(out, "compression_level", config.compression_level);
  WriteNumber(out, "pipelining", config.pipelining);
  out.Bool("slow_start", config.slow_start);
  WriteDuration(out, "ttl", config.ttl);
  WriteDuration(out, "ack_stall_limit", config.ack_stall_limit);
}

void WriteJsonLines(YamlWriter& out, const LogstashConfig& config) {
  out.Text("transport", config.transport);
  WriteNumber(out, "max_line_size", config.max_line_bytes);
  if (config.transport == "udp") {
    WriteNumber(out, "max_datagram", config.max_datagram_bytes);
    return;
  }
  WriteNumber(out, "replay_size", config.replay_bytes);
  WriteDuration(out, "commit_delay", config.commit_delay);
  WriteDuration(out, "ack_by_close_interval", config.ack_by_close_interval);
  WriteDuration(out, "write_stall_limit", config.write_stall_limit);
  WriteDuration(out, "tcp_user_timeout", config.tcp_user_timeout);
}

}  // namespace

void WriteLogstash(YamlWriter& out, const LogstashConfig& config) {
  out.BeginMap("logstash");
  WriteList(out, "hosts", config.hosts);
  out.Text("protocol", config.protocol);
  if (config.tls) {
    // TLS with nothing to say of it is TLS all the same.
    if (config.tls_config == TlsConfig{}) out.Word("ssl", "{}");
    WriteTls(out, config.tls_config);
  }
  out.Bool("load_balance", config.load_balance);
  WriteNumber(out, "workers", config.workers);
  WriteNumber(out, "bulk_max_size", config.batch_entries);
  WriteNumber(out, "bulk_max_bytes", config.batch_bytes);
  WriteDuration(out, "batch_wait", config.batch_wait);
  WriteDuration(out, "timeout", config.timeout);
  WriteBackoff(out, config.backoff);
  if (config.protocol == "lumberjack") {
    WriteLumberjack(out, config);
  } else {
    WriteJsonLines(out, config);
  }
  WriteDocument(out, config.document);
  out.EndMap();
}

}  // namespace agent::effective
