#include <string>

#include "agent/config/effective_parts.h"

namespace agent::effective {

void WriteSyslog(YamlWriter& out, const SyslogConfig& syslog) {
  const bool bare_ipv6 = syslog.listen_address.find(':') != std::string::npos;
  const std::string host = bare_ipv6 ? "[" + syslog.listen_address + "]" : syslog.listen_address;
  out.BeginMap("syslog");
  out.Text("listen_address", host + ":" + std::to_string(syslog.listen_port));
  out.Text("listen_protocol", syslog.listen_protocol == SyslogProtocol::kUdp ? "udp" : "tcp");
  WriteDuration(out, "idle_timeout", syslog.idle_timeout);
  out.Bool("label_structured_data", syslog.label_structured_data);
  WriteLabels(out, "labels", syslog.labels);
  out.Bool("use_incoming_timestamp", syslog.use_incoming_timestamp);
  out.Bool("use_rfc5424_message", syslog.use_rfc5424_message);
  out.Text("syslog_format", syslog.rfc3164 ? "rfc3164" : "rfc5424");
  WriteNumber(out, "max_message_length", syslog.max_message_length);
  WriteTls(out, syslog.tls);
  out.EndMap();
}

}  // namespace agent::effective
