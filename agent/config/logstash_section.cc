// `logstash` of an output. Beats' names of keys are understood beside our own.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/config/sections.h"
#include "base/net/host_port.h"

namespace agent {
namespace {

constexpr uint16_t kLumberjackPort = 5044;
// What the strictest of the servers takes.
constexpr int64_t kMaxWindow = 10'000;
constexpr uint64_t kMinWindowBytes = uint64_t{1} << 10U;
constexpr uint64_t kMaxWindowBytes = uint64_t{64} << 20U;
constexpr uint64_t kMaxDatagram = 65'507;

constexpr std::array<std::string_view, 9> kOfLumberjack = {
    "index",      "pipeline",    "id_mode", "compression_level", "pipelining",
    "slow_start", "max_retries", "ttl",     "ack_stall_limit"};
constexpr std::array<std::string_view, 8> kOfJsonLines = {
    "transport",         "max_line_size",    "replay_size", "commit_delay", "ack_by_close_interval",
    "write_stall_limit", "tcp_user_timeout", "max_datagram"};

void Refuse(FieldReader& fields, std::span<const std::string_view> keys, const std::string& what) {
  for (const std::string_view key : keys) {
    if (!fields.Has(key)) continue;
    fields.Node(key);
    fields.Error(key, "is of " + what + " alone");
  }
}

void ReadHosts(FieldReader& fields, LogstashConfig& config) {
  const bool lumberjack = config.protocol == "lumberjack";
  for (const std::string& host : fields.StringList("hosts")) {
    const auto parsed = ParseHostPort(host, lumberjack ? kLumberjackPort : 0);
    if (!parsed.ok()) {
      fields.Error("hosts", "'" + host + "': " + parsed.error().message, "such as logstash:5044");
      continue;
    }
    config.hosts.push_back(parsed->text());
  }
  if (config.hosts.empty()) {
    fields.Error("hosts", "at least one host is needed", "hosts: [logstash:5044]");
  }
}

void ReadTlsOf(FieldReader& fields, LogstashConfig& config) {
  const ConfigNode* const tls = fields.Node("tls_config");
  config.tls_config = ReadTls(fields);
  config.tls = tls != nullptr && !tls->is_null();
  if (fields.Has("ssl")) {
    if (config.tls) fields.Error("ssl", "either tls_config or ssl");
    config.tls = ReadSsl(fields, config.tls_config);
  }
}

void ReadBatching(FieldReader& fields, LogstashConfig& config) {
  const std::string entries = NameUsed(fields, {"bulk_max_size", "batch_max_entries"});
  config.batch_entries = static_cast<uint64_t>(
      fields.Int(entries, static_cast<int64_t>(config.batch_entries), 1, kMaxWindow));
  const std::string bytes = NameUsed(fields, {"bulk_max_bytes", "batch_max_size"});
  config.batch_bytes = fields.Size(bytes, config.batch_bytes);
  if (config.batch_bytes < kMinWindowBytes || config.batch_bytes > kMaxWindowBytes) {
    fields.Error(bytes, "must be between 1KiB and 64MiB");
  }
  const std::string wait = NameUsed(fields, {"batch_wait", "flush_interval"});
  config.batch_wait = fields.Duration(wait, config.batch_wait);
}

void ReadLumberjack(FieldReader& fields, LogstashConfig& config) {
  Refuse(fields, kOfJsonLines, "protocol: json_lines");
  config.index = fields.String("index", config.index);
  if (config.index.empty()) fields.Error("index", "must not be empty");
  config.pipeline = fields.String("pipeline");
  config.id_mode = fields.Choice("id_mode", "offset", {"offset", "none"});
  config.compression_level = static_cast<uint32_t>(fields.Int("compression_level", 3, 0, 9));
  config.pipelining = static_cast<uint32_t>(fields.Int("pipelining", 2, 0, 64));
  config.slow_start = fields.Bool("slow_start", false);
  config.ttl = fields.Duration("ttl", config.ttl);
  config.ack_stall_limit = fields.Duration("ack_stall_limit", config.ack_stall_limit);
  if (fields.Has("max_retries")) {
    fields.Int("max_retries", -1, -1, INT32_MAX);
    fields.Warning("max_retries", "is not used: as with Beats, Logstash is tried for ever",
                   "remove it; required: false is what loses");
  }
}

void ReadJsonLines(FieldReader& fields, LogstashConfig& config) {
  Refuse(fields, kOfLumberjack, "protocol: lumberjack");
  config.transport = fields.Choice("transport", "tcp", {"tcp", "udp"});
  config.max_line_bytes = fields.Size("max_line_size", config.max_line_bytes);
  config.replay_bytes = fields.Size("replay_size", config.replay_bytes);
  config.commit_delay = fields.Duration("commit_delay", config.commit_delay);
  config.ack_by_close_interval =
      fields.Duration("ack_by_close_interval", config.ack_by_close_interval);
  config.write_stall_limit = fields.Duration("write_stall_limit", config.write_stall_limit);
  config.tcp_user_timeout = fields.Duration("tcp_user_timeout", config.tcp_user_timeout);
  config.max_datagram_bytes = fields.Size("max_datagram", config.max_datagram_bytes);
  if (config.max_datagram_bytes == 0 || config.max_datagram_bytes > kMaxDatagram) {
    fields.Error("max_datagram", "must be between 1 and 65507");
  }
  if (config.max_line_bytes < kMinWindowBytes)
    fields.Error("max_line_size", "must be 1KiB or more");
  if (config.replay_bytes < kMinWindowBytes) fields.Error("replay_size", "must be 1KiB or more");
  if (config.write_stall_limit.count() == 0) {
    fields.Error("write_stall_limit", "must be more than 0");
  }
  if (config.transport != "udp") return;
  if (config.tls) fields.Error("transport", "there is no TLS over udp");
  if (config.load_balance || config.workers > 1) {
    fields.Error("transport", "over udp there is one host at a time",
                 "remove load_balance and workers");
  }
}

}  // namespace

LogstashConfig ReadLogstash(FieldReader& parent) {
  LogstashConfig config;
  const ConfigNode* const node = parent.Node("logstash");
  FieldReader fields(*node, parent.PathOf("logstash"), parent.problems());
  config.protocol = fields.Choice("protocol", "lumberjack", {"lumberjack", "json_lines"});
  ReadHosts(fields, config);
  ReadTlsOf(fields, config);
  config.load_balance = fields.Bool(NameUsed(fields, {"load_balance", "loadbalance"}), false);
  config.workers =
      static_cast<uint32_t>(fields.Int(NameUsed(fields, {"workers", "worker"}), 1, 1, 64));
  ReadBatching(fields, config);
  config.timeout = fields.Duration("timeout", config.timeout);
  if (config.timeout.count() == 0) fields.Error("timeout", "must be more than 0");
  ReadOutputBackoff(fields, config.backoff);
  if (config.protocol == "lumberjack") {
    ReadLumberjack(fields, config);
  } else {
    ReadJsonLines(fields, config);
  }
  config.document = ReadDocument(fields);
  if (config.document.layout == "raw") {
    fields.Error("document", "Logstash gets no raw documents",
                 "layout: ecs or flat, and a json filter there");
  }
  fields.Finish();
  return config;
}

}  // namespace agent
