// `syslog`: a listener for syslog messages.

#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/config/sections.h"

namespace agent {
namespace {

constexpr int64_t kMaxMessageLength = int64_t{64} << 20;

// "host:port", ":port", "[::1]:port". False: it is none of these.
bool SplitAddress(std::string_view text, std::string& host, uint16_t& port) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view digits = text.substr(colon + 1);
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (failed != std::errc() || end != digits.data() + digits.size()) return false;
  std::string_view name = text.substr(0, colon);
  const bool bracketed = name.size() > 1 && name.front() == '[' && name.back() == ']';
  if (bracketed) name = name.substr(1, name.size() - 2);
  if (!bracketed && name.find(':') != std::string_view::npos) return false;
  host = name;
  return true;
}

void ReadAddress(FieldReader& syslog, SyslogConfig& config) {
  const std::string address = syslog.RequiredString("listen_address");
  if (address.empty() || SplitAddress(address, config.listen_address, config.listen_port)) return;
  syslog.Error("listen_address", "expected host:port, got '" + address + "'",
               "such as 0.0.0.0:1514, or :1514 for all interfaces");
}

void ReadListenTls(FieldReader& syslog, SyslogConfig& config) {
  config.tls = ReadTls(syslog);
  const bool has_ca = !config.tls.ca.empty() || !config.tls.ca_file.empty();
  if (has_ca && !config.uses_tls()) {
    syslog.Error("tls_config", "certificate and key files are required",
                 "give cert_file and key_file");
  }
  if (config.uses_tls() && config.listen_protocol == SyslogProtocol::kUdp) {
    syslog.Warning("tls_config", "has no effect with listen_protocol: udp",
                   "use listen_protocol: tcp");
  }
}

}  // namespace

std::optional<SyslogConfig> ReadSyslog(FieldReader& fields) {
  const ConfigNode* node = fields.Node("syslog");
  if (node == nullptr || node->is_null()) return std::nullopt;
  FieldReader syslog(*node, fields.PathOf("syslog"), fields.problems());
  const SyslogConfig defaults;
  SyslogConfig config;
  ReadAddress(syslog, config);
  config.listen_protocol = syslog.Choice("listen_protocol", "tcp", {"tcp", "udp"}) == "udp"
                               ? SyslogProtocol::kUdp
                               : SyslogProtocol::kTcp;
  config.idle_timeout = syslog.Duration("idle_timeout", defaults.idle_timeout);
  if (config.idle_timeout.count() == 0) config.idle_timeout = defaults.idle_timeout;
  config.max_message_length = static_cast<uint64_t>(
      syslog.Int("max_message_length", static_cast<int64_t>(defaults.max_message_length), 0,
                 kMaxMessageLength));
  if (config.max_message_length == 0) config.max_message_length = defaults.max_message_length;
  config.rfc3164 = syslog.Choice("syslog_format", "rfc5424", {"rfc5424", "rfc3164"}) == "rfc3164";
  config.label_structured_data = syslog.Bool("label_structured_data", false);
  config.use_incoming_timestamp = syslog.Bool("use_incoming_timestamp", false);
  config.use_rfc5424_message = syslog.Bool("use_rfc5424_message", false);
  config.labels = ReadLabels(syslog, "labels");
  ReadListenTls(syslog, config);
  syslog.Finish();
  return config;
}

}  // namespace agent
